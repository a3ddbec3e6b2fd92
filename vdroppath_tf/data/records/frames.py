"""Converts the frames of a video to a record of JPEG pictures."""

from __future__ import annotations

import os
from collections.abc import Callable

import tensorflow as tf

from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.records.bytes import RecordBytes, pack
from vdroppath_tf.data.sources.container import MAX_SIDE, VideoError, open_video
from vdroppath_tf.data.sources.decode import scaled_size
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.names import named

_BYTES = 1 << 26  # bytes of decoded frames in memory


def short_names(manifest: Manifest) -> list[str]:
    """Returns the path of each video without the folders that all have in common."""
    paths = [entry.path.encode("utf-8", "replace").decode() for entry in manifest]
    # Not commonpath(), which does not support URLs; cutting at a slash leaves whole folders.
    common = os.path.commonprefix([os.path.dirname(path) + "/" for path in paths])  # noqa: RUF071
    return [path[common.rfind("/") + 1 :] for path in paths]


@named
class FrameEncoder:
    """Encodes videos as records. Thread safe.

    Args:
        short_edge: See `write_records`.
        quality: See `write_records`.

    Raises:
        ValueError: If one of them is out of range.

    Example:
        ```python
        made, (frames, height, width) = FrameEncoder(256, 90).encode(entry, entry.name)
        ```
    """

    def __init__(self, short_edge: int | None, quality: int) -> None:
        if not 1 <= quality <= 100 or (short_edge is not None and short_edge < 1):
            raise ValueError(
                "quality must be 1 to 100, short_edge at least 1 or None. Received: "
                f"{quality}, {short_edge}."
            )
        self._short_edge = short_edge
        self._jpegs = _jpeg_encoder(quality)

    def encode(self, entry: VideoEntry, name: str) -> tuple[RecordBytes, tuple[int, int, int]]:
        """Returns the record of a video, and its number of frames, height and width.

        Raises:
            VideoError: If the video cannot be read, is shorter than listed, or too large.
        """
        source, info = entry.source, entry.info()
        count = info.num_frames if entry.num_frames is None else entry.num_frames
        height, width = scaled_size(info.height, info.width, self._short_edge)
        if max(height, width) > MAX_SIDE:
            raise VideoError(
                f"{entry.path}: frames become {width}x{height} pixels; expected at most {MAX_SIDE} "
                "a side. Set a smaller short_edge."
            )
        step = max(1, _BYTES // (height * width * 3))
        jpegs: list[bytes] = []
        for first in range(0, count, step):
            frames = source.read(
                range(first, min(count, first + step)), short_edge=self._short_edge
            )
            jpegs += self._jpegs(frames).numpy().tolist()
        try:
            times = entry.times()
            made = pack(
                jpegs,
                labels=entry.labels,
                name=name,
                size=(height, width),
                fps=_fps(source),
                times=None if times is None else times[:count],
            )
        except ValueError as error:
            raise VideoError(f"{entry.path}: {error}") from None
        return made, (count, height, width)


def _jpeg_encoder(quality: int) -> Callable[..., tf.Tensor]:
    """Returns a function that encodes frames `(time, height, width, 3)` one after another."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    def encode(frames: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(
            lambda frame: tf.io.encode_jpeg(frame, format="rgb", quality=quality),
            frames,
            fn_output_signature=tf.TensorSpec((), tf.string),
            parallel_iterations=1,
        )

    return encode


def _fps(source: FrameSource) -> float | None:
    """Returns the frame rate in the header of a video file, or None."""
    video = source.whole
    if not isinstance(video, VideoFile):
        return None
    with open_video(video.file, video.stream) as (_, stream):
        return float(stream.average_rate) if stream.average_rate else None
