"""Batches of clips as numpy arrays: what `pipeline` runs inside tf.data, and tests run eagerly."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vdroppath_tf.data.catalog import Manifest, VideoEntry
from vdroppath_tf.data.clips import epoch_order, item_rng
from vdroppath_tf.data.decode import MAX_BYTES, VideoError, index_video, read_frames, scaled_size
from vdroppath_tf.data.transforms import (
    ClipPlan,
    ClipSampling,
    crop_and_flip,
    evaluation_plan,
    training_plan,
)

Batch = tuple[np.ndarray, np.ndarray]
"""Clips, uint8 `(batch, time, height, width, 3)`, and labels, int64 `(batch,)`."""


class VideoCache:
    """Decoded, scaled videos kept in memory. Thread safe; may be shared by several data sets.

    Videos are kept in the order they come until the room is used up, and then stay: in epochs of
    random order, throwing out the oldest would throw out what is needed soonest.

    Args:
        max_bytes: room for frames; 0 keeps none.
        index_dir: folder to keep frame indices in between runs, see `index_video`.
    """

    def __init__(
        self, max_bytes: int = 0, *, index_dir: str | os.PathLike[str] | None = None
    ) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must be at least 0. Received: {max_bytes}.")
        self.max_bytes = max_bytes
        self.index_dir = index_dir
        self.used_bytes = 0
        self._videos: dict[tuple[str, int | None], np.ndarray] = {}
        self._lock = threading.Lock()

    def frames(self, path: str, indices: np.ndarray, short_edge: int | None) -> np.ndarray:
        """Frames of a video, as `read_frames` gives them; decodes the whole of one it can keep."""
        video = self._videos.get((path, short_edge))
        if video is not None:
            return video[indices]
        index = index_video(path, cache_dir=self.index_dir)
        height, width = scaled_size(index.height, index.width, short_edge)
        size = index.num_frames * height * width * 3
        if size > MAX_BYTES or not self._reserve(size):
            return read_frames(path, indices, index=index, short_edge=short_edge)
        try:
            video = read_frames(path, range(index.num_frames), index=index, short_edge=short_edge)
        except BaseException:
            self._reserve(-size)
            raise
        with self._lock:
            if self._videos.setdefault((path, short_edge), video) is not video:
                self.used_bytes -= size  # another thread was faster
        return video[indices]

    def _reserve(self, size: int) -> bool:
        with self._lock:
            if self.used_bytes + size > self.max_bytes:
                return False
            self.used_bytes += size
            return True


class ClipLoader:
    """Makes batches of clips; each is a pure function of its arguments, whatever came before.

    Args:
        manifest: the videos, at least one.
        sampling: how to make clips of them.
        cache: where decoded videos are kept.
        workers: threads that decode.

    Raises:
        VideoError: the first video cannot be read.
        ValueError: the manifest is empty.
    """

    def __init__(
        self, manifest: Manifest, sampling: ClipSampling, *, cache: VideoCache, workers: int
    ) -> None:
        if not len(manifest):
            raise ValueError(f"{manifest.source}: no video is selected. Expected at least one.")
        self.manifest, self.sampling, self.cache = manifest, sampling, cache
        first = index_video(manifest.entries[0].path, cache_dir=cache.index_dir)
        self.clip_shape = (sampling.frames, *sampling.clip_size(first.height, first.width), 3)
        self._counts: dict[str, int] = {}
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers)

    def training_batch(self, seed: int, epoch: int, step: int, batch_size: int) -> Batch:
        """Clips of the videos at `step * batch_size ...` of the epoch's order, each drawn anew."""
        order = epoch_order(seed, epoch, len(self.manifest))
        items = order[step * batch_size : (step + 1) * batch_size]

        def plan(item: int, num_frames: int) -> ClipPlan:
            return training_plan(self.sampling, num_frames, item_rng(seed, epoch, item))

        return self._batch(items.tolist(), plan, 1)

    def evaluation_batch(self, first: int, count: int, split: str) -> Batch:
        """All clips of up to `count` videos from number `first` on, video by video."""
        items = range(first, min(first + count, len(self.manifest)))
        clips = self.sampling.clips_per_video if split == "test" else 1
        return self._batch(
            items, lambda _, frames: evaluation_plan(self.sampling, frames, split), clips
        )

    def _batch(
        self, items: Sequence[int], plan: Callable[[int, int], ClipPlan], clips: int
    ) -> Batch:
        labels = np.array([self.manifest.entries[i].label for i in items], np.int64)
        batch = np.empty((len(items), clips, *self.clip_shape), np.uint8)

        def fill(rows: range) -> None:
            for row in rows:
                entry = self.manifest.entries[items[row]]
                self._clip(entry, plan(items[row], self._num_frames(entry)), batch[row])

        # A share for each thread, not a task for each clip: kept videos cost less than a task.
        shares = [range(k, len(items), self._workers) for k in range(self._workers)]
        list(self._pool.map(fill, shares))
        return batch.reshape(-1, *self.clip_shape), np.repeat(labels, clips)

    def _clip(self, entry: VideoEntry, plan: ClipPlan, out: np.ndarray) -> None:
        frames = self.cache.frames(entry.path, plan.indices.reshape(-1), plan.short_edge)
        out[...] = self._cut(entry, frames, plan).reshape(out.shape)

    def _cut(self, entry: VideoEntry, frames: np.ndarray, plan: ClipPlan) -> np.ndarray:
        frames = crop_and_flip(frames, plan, entry.path)
        if frames.shape[1:] != self.clip_shape[1:]:
            height, width = frames.shape[1:3]
            raise VideoError(
                f"{entry.path} ({entry.origin}): frames are {width}x{height}, but those of "
                f"{self.manifest.entries[0].path} are {self.clip_shape[2]}x{self.clip_shape[1]}. "
                "Set crop in ClipSampling (and short_edge) to bring them to one size."
            )
        return frames

    def check(self, entry: VideoEntry) -> None:
        """Stops at a video that cannot become a clip of this shape; nothing is decoded."""
        index = index_video(entry.path, cache_dir=self.cache.index_dir)
        self._num_frames(entry)
        edges, crop = self.sampling.short_edge, self.sampling.crop
        edge = min(edges) if isinstance(edges, tuple) else edges
        height, width = scaled_size(index.height, index.width, edge)
        blank = np.broadcast_to(np.uint8(0), (1, height, width, 3))
        nothing = np.zeros((1, 1), np.int64)
        size = None if crop is None else self.sampling.crop_size
        self._cut(entry, blank, ClipPlan(nothing, edge, size))

    def _num_frames(self, entry: VideoEntry) -> int:
        count = self._counts.get(entry.path)
        if count is None:
            found = index_video(entry.path, cache_dir=self.cache.index_dir).num_frames
            count = found if entry.num_frames is None else entry.num_frames
            if found < count:
                raise VideoError(
                    f"{entry.path}: holds {found} frames, but {entry.origin} lists {count}. "
                    "Correct the list, or copy the file again if it was cut short."
                )
            self._counts[entry.path] = count
        return count
