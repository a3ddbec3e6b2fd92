"""Writes frames as a video file, whole or not at all."""

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

    The file is written next to its target and then renamed, so that no reader sees half of it.

    Args:
        path: The file to write or replace; its suffix (mp4, mov, avi, mkv, webm, ts) selects the
            container.
        frames: RGB frames, uint8 `(time, height, width, 3)`; height and width must be even, since
            colour is stored at half the resolution.
        fps: The frame rate, in frames per second. Defaults to 25.
        crf: The constant rate factor of x264 and VP8/9: 0 is nearly lossless, 18 fine, 30 coarse.
            Defaults to 18.
        codec: The name of an FFmpeg encoder. Defaults to "libx264".
        gop: The largest distance between keyframes; 1 makes every frame a keyframe. Defaults to
            None, the encoder's choice.
        preset: The speed preset of x264; other encoders ignore it. Defaults to "ultrafast".

    Raises:
        ValueError: If the frames have another shape or dtype, or the suffix is unknown.

    Example:
        ```python
        write_video("noise.mp4", np.random.randint(0, 256, (16, 64, 64, 3), np.uint8))
        ```
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
