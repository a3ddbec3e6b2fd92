"""A cache of decoded videos in memory, so that epochs after the first need not decode them."""

from __future__ import annotations

import os
import threading

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.request import MAX_BYTES, scaled_size
from vdroppath_tf.data.sources.source import Box, FrameSource, Indices, cut
from vdroppath_tf.names import named


@named
class VideoCache:
    """Decoded and scaled videos in memory. Thread safe; may be shared by several data sets.

    Videos are kept as they come until the memory is used up, and are never evicted: in epochs of
    random order, the oldest entry would be the one needed soonest.

    Args:
        max_bytes: The memory for frames, in bytes. Defaults to 0, which keeps none.
        index_dir: The folder that keeps frame indices between runs, see `index_video`. Defaults to
            None.

    Example:
        ```python
        cache = VideoCache(2 << 30)  # 2 GiB
        frames = cache.frames(entry.source, [0, 2])
        clips = training_clips(manifest, sampling, batch_size=8, cache_bytes=cache)
        ```
    """

    def __init__(
        self, max_bytes: int = 0, *, index_dir: str | os.PathLike[str] | None = None
    ) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must be at least 0. Received: {max_bytes}.")
        self.max_bytes = max_bytes
        self.index_dir = index_dir
        self.used_bytes = 0
        self._videos: dict[tuple[FrameSource, int | None], np.ndarray] = {}
        self._damaged: set[FrameSource] = set()
        self._lock = threading.Lock()

    def frames(
        self,
        source: FrameSource,
        indices: Indices,
        short_edge: int | None = None,
        box: Box | None = None,
    ) -> np.ndarray:
        """Reads frames as `FrameSource.read` does; decodes the whole video if it can be kept."""
        video = self._videos.get((source, short_edge))
        if video is None:
            video = self._keep(source, short_edge)
        if video is None:
            return source.read(indices, short_edge=short_edge, box=box, cache_dir=self.index_dir)
        return cut(video[indices], box)

    def _keep(self, source: FrameSource, short_edge: int | None) -> np.ndarray | None:
        """Caches the whole video and returns it; None if it does not fit, or is damaged."""
        info = source.info(self.index_dir)
        height, width = scaled_size(info.height, info.width, short_edge)
        size = info.num_frames * height * width * source.channels
        if size > MAX_BYTES or source in self._damaged or not self._reserve(size):
            return None
        try:
            frames = range(info.num_frames)
            video = source.read(frames, short_edge=short_edge, cache_dir=self.index_dir)
        except BaseException as error:
            self._reserve(-size)
            if not isinstance(error, VideoError):
                raise
            # Clips without the damaged frames must stay readable, however large the cache is.
            self._damaged.add(source)
            return None
        with self._lock:
            if self._videos.setdefault((source, short_edge), video) is not video:
                self.used_bytes -= size  # another thread was faster
        return video

    def _reserve(self, size: int) -> bool:
        with self._lock:
            if self.used_bytes + size > self.max_bytes:
                return False
            self.used_bytes += size
            return True
