"""The common part of all picture formats: bounds, FFmpeg's decoder and its scaling."""

from __future__ import annotations

import threading
from typing import Any

import av
import numpy as np

from vdroppath_tf.data.sources.container import MAX_SIDE, VideoError
from vdroppath_tf.data.sources.decode import scaled_size
from vdroppath_tf.data.sources.orientation import UPRIGHT, upright
from vdroppath_tf.data.sources.resize import Scaler
from vdroppath_tf.data.sources.source import Box
from vdroppath_tf.names import named

MAX_PIXELS = 1 << 26
"""Pictures with more pixels are refused before they are decoded (an 8K frame has half as many)."""

MAX_PICTURE_BYTES = 1 << 26
"""Larger encoded pictures are refused (bytes)."""

_FORMATS = {1: "gray", 3: "rgb24"}
# Making a decoder takes longer than using it, so each thread keeps one; but the decoder of PNG
# draws a picture over the previous one.
_REUSABLE = {"mjpeg"}
_local = threading.local()


def check_bytes(data: bytes, name: str) -> None:
    """Raises `VideoError` if an encoded picture is too large."""
    if len(data) > MAX_PICTURE_BYTES:
        raise VideoError(f"{name}: has {len(data)} bytes. Expected at most {MAX_PICTURE_BYTES}.")


def check_size(height: int, width: int, name: str) -> tuple[int, int]:
    """Returns `(height, width)`, or raises `VideoError` if it is out of bounds."""
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise VideoError(
            f"{name}: is {width}x{height} pixels; expected 1 to {MAX_SIDE} a side. "
            "It is damaged or needs to be scaled down first."
        )
    if height * width > MAX_PIXELS:
        raise VideoError(f"{name}: is {width}x{height}. Expected at most {MAX_PIXELS} pixels.")
    return height, width


def damaged(name: str, found: str) -> VideoError:
    """Returns the error for a picture that cannot be decoded."""
    return VideoError(
        f"{name}: is a damaged picture ({found}). Copy or extract it again, or take its video off "
        "the list."
    )


@named
def decode_still(
    codec: str,
    data: bytes,
    name: str,
    size: tuple[int, int],
    *,
    short_edge: int | None,
    box: Box | None,
    channels: int,
    orientation: int = UPRIGHT,
) -> np.ndarray:
    """Decodes one picture with one of FFmpeg's decoders. Thread safe.

    Args:
        codec: FFmpeg's name of the format.
        data: The encoded picture.
        name: Its name in errors.
        size: Its stored height and width, in pixels.
        short_edge: The length of the shorter side in pixels, to which it is scaled (bilinear, the
            aspect ratio is kept); None keeps the size.
        box: The part of the scaled picture as it is shown; None takes all.
        channels: 3 for RGB, 1 for the brightness (BT.601).
        orientation: How the picture is turned to be shown, see `orientation`. Defaults to upright.

    Returns:
        uint8 `(height, width, channels)`; may be a view, which holds the whole picture in memory.

    Raises:
        VideoError: If the picture is damaged.
    """
    frame = _decode(codec, data, name)
    if (frame.height, frame.width) != size:
        raise damaged(name, "its header and its pixels disagree")
    height, width = scaled_size(*size, short_edge)
    picture = upright(_plain(frame, height, width, channels), orientation)
    if box is None:
        return picture
    return picture[box.top : box.top + box.height, box.left : box.left + box.width]


def scale_pixels(frame: np.ndarray, short_edge: int | None) -> np.ndarray:
    """Scales an RGB frame, uint8 `(height, width, 3)`, as pictures and videos are scaled."""
    height, width = scaled_size(frame.shape[0], frame.shape[1], short_edge)
    if (height, width) == frame.shape[:2]:
        return frame
    return _plain(av.VideoFrame.from_ndarray(frame, format="rgb24"), height, width, 3)


def _decode(codec: str, data: bytes, name: str) -> Any:
    """Decodes a picture to FFmpeg's frame."""
    decoder = getattr(_local, codec, None) or _decoder(codec)
    setattr(_local, codec, None)  # after damage, a decoder is not used again
    try:
        frames = decoder.decode(av.Packet(data))
    except av.error.FFmpegError as error:
        raise damaged(name, error.strerror or str(error)) from None
    if len(frames) != 1 or frames[0].is_corrupt:
        raise damaged(name, f"{len(frames)} pictures in it")
    if codec in _REUSABLE:
        setattr(_local, codec, decoder)
    return frames[0]


def _decoder(codec: str) -> Any:
    decoder = av.CodecContext.create(codec, "r")
    decoder.thread_count = 1  # callers read many pictures at once
    decoder.options = {"err_detect": "explode"}  # otherwise damage is concealed
    return decoder


def _plain(frame: Any, height: int, width: int, channels: int) -> np.ndarray:
    if not hasattr(_local, "scaler"):
        _local.scaler = Scaler()
    return _local.scaler(frame, height, width, _FORMATS[channels])
