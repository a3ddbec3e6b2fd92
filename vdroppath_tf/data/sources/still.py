"""What pictures of every format share: bounds, FFmpeg's decoder and its scaling."""

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
"""Pictures with more pixels than this are refused before they are decoded (8K video has half)."""

MAX_PICTURE_BYTES = 1 << 26
"""Encoded pictures of more bytes than this are refused."""

_FORMATS = {1: "gray", 3: "rgb24"}
# To make a decoder costs more than to use it, so each thread keeps its own; but that of PNG adds a
# picture to the one before.
_REUSABLE = {"mjpeg"}
_local = threading.local()


def check_bytes(data: bytes, name: str) -> None:
    """Raises `VideoError` if an encoded picture is too long."""
    if len(data) > MAX_PICTURE_BYTES:
        raise VideoError(f"{name}: has {len(data)} bytes; at most {MAX_PICTURE_BYTES} are read.")


def check_size(height: int, width: int, name: str) -> tuple[int, int]:
    """`(height, width)`, or `VideoError` if it is out of bounds."""
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise VideoError(
            f"{name}: is {width}x{height} pixels; expected 1 to {MAX_SIDE} a side. "
            "It is damaged or needs to be scaled down first."
        )
    if height * width > MAX_PIXELS:
        raise VideoError(f"{name}: is {width}x{height}; at most {MAX_PIXELS} pixels are read.")
    return height, width


def damaged(name: str, found: str) -> VideoError:
    """The error about a picture that cannot be decoded."""
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
        codec: FFmpeg's name for the format.
        data: the encoded picture.
        name: what errors call it.
        size: its height and width as it is stored, in pixels.
        short_edge: scales it (bilinear, aspect kept) to this many pixels on the shorter side.
        box: the part wanted of the scaled picture as it is shown; None takes all.
        channels: 3 for RGB, 1 for its brightness (BT.601).
        orientation: how it is turned to be shown, see `orientation`.

    Returns:
        uint8 `(height, width, channels)`; may be a view, which holds the whole picture in memory.

    Raises:
        VideoError: it is damaged.
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
    """FFmpeg's frame."""
    decoder = getattr(_local, codec, None) or _decoder(codec)
    setattr(_local, codec, None)  # one that met damage is not used again
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
    decoder.options = {"err_detect": "explode"}  # else damage is painted over
    return decoder


def _plain(frame: Any, height: int, width: int, channels: int) -> np.ndarray:
    if not hasattr(_local, "scaler"):
        _local.scaler = Scaler()
    return _local.scaler(frame, height, width, _FORMATS[channels])
