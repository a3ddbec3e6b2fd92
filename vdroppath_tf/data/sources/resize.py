"""Scales frames bilinearly with FFmpeg, both stored ones and those that are being decoded."""

from __future__ import annotations

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from vdroppath_tf.names import named

_CHANNELS = {"rgb24": 3, "gray": 1}
_BILINEAR = Interpolation.BILINEAR


@named
class Scaler:
    """FFmpeg's scaling and pixel format conversion, for one thread at a time.

    Colours are those of the program `ffmpeg`, see `colour`. Reuse a scaler: making its tables takes
    longer than using them. It runs in the calling thread, since callers scale many frames in
    parallel; splitting each frame among threads takes several times as long as scaling it.

    Example:
        ```python
        scale = Scaler()
        pixels = scale(frame, 256, 340, "rgb24")  # frame: an av.VideoFrame
        ```
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame, height: int, width: int, format: str) -> np.ndarray:
        """Returns the pixels of a frame, uint8 `(height, width, channels)`, a view of FFmpeg's."""
        plain = self._reformatter.reformat(
            frame,
            width,
            height,
            format,
            interpolation=_BILINEAR,
            threads=1,
        )
        plane, channels = plain.planes[0], _CHANNELS[format]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return rows[:height, : width * channels].reshape(height, width, channels)


def resize_frames(frames: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scales RGB frames to a size; frames that already have it are returned unchanged.

    Args:
        frames: uint8 `(time, height, width, 3)`.
        height, width: The size to scale to, in pixels.
    """
    if frames.shape[1:3] == (height, width):
        return frames
    out = np.empty((len(frames), height, width, 3), np.uint8)
    scaler = Scaler()
    for frame, place in zip(frames, out, strict=True):
        place[...] = scaler(_picture(frame), height, width, "rgb24")
    return out


def _picture(pixels: np.ndarray) -> VideoFrame:
    """Copies RGB pixels into an FFmpeg frame, with zeros in the padding of its rows.

    FFmpeg 7 reads beyond the end of rows of odd width, where memory is not initialised.
    """
    height, width = pixels.shape[:2]
    picture = VideoFrame(width, height, "rgb24")
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    rows[...] = 0
    rows[:height, : 3 * width] = pixels.reshape(height, -1)
    return picture
