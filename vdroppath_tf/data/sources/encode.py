"""Writes frames as a video file: whole or not at all."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vdroppath_tf.files import replacing
from vdroppath_tf.names import named

_FORMATS = {
    ".mp4": "mp4",
    ".mov": "mov",
    ".avi": "avi",
    ".mkv": "matroska",
    ".webm": "webm",
    ".ts": "mpegts",
}


@named
def write_video(
    path: str | os.PathLike[str],
    frames: np.ndarray,
    *,
    fps: float = 25,
    crf: float = 18,
    codec: str = "libx264",
    gop: int | None = None,
    preset: str = "ultrafast",
) -> None:
    """Encodes frames into a video file.

    A reader never sees half a file: it is written aside, then renamed.

    Args:
        path: the file to make or replace; its suffix (mp4, mov, avi, mkv, webm, ts) picks the
            container.
        frames: RGB, uint8 `(time, height, width, 3)`; height and width even, since colour is
            stored at half size.
        fps: frames a second.
        crf: constant rate factor of x264 and VP8/9: 0 is nearly lossless, 18 fine, 30 coarse.
        codec: an FFmpeg encoder.
        gop: most frames from one keyframe to the next; 1 codes each frame alone, None leaves
            it to the encoder.
        preset: x264's speed; other encoders ignore it.

    Raises:
        ValueError: frames of another shape or dtype, or an unknown suffix.
    """
    target = Path(path)
    _check(target, frames)
    options = {"crf": str(crf)} | ({"preset": preset} if codec == "libx264" else {})
    container_format = _FORMATS[target.suffix.lower()]
    with (
        replacing(target, durable=False) as new,
        av.open(str(new), "w", format=container_format) as container,
    ):
        stream = container.add_stream(
            codec, rate=Fraction(fps).limit_denominator(1001), options=options
        )
        stream.height, stream.width = frames.shape[1], frames.shape[2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1  # small files: callers write many at once
        if gop is not None:
            stream.codec_context.gop_size = gop
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _check(target: Path, frames: np.ndarray) -> None:
    if target.suffix.lower() not in _FORMATS:
        raise ValueError(f"{target}: unknown suffix. Expected one of {' '.join(_FORMATS)}.")
    wrong = (
        frames.ndim != 4 or frames.dtype != np.uint8 or frames.shape[-1] != 3 or 0 in frames.shape
    )
    if wrong or frames.shape[1] % 2 or frames.shape[2] % 2:
        raise ValueError(
            f"{target}: expected uint8 frames (time, height, width, 3) with even height and width. "
            f"Received: {frames.dtype} {frames.shape}."
        )
