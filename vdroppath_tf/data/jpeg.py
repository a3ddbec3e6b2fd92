"""One JPEG picture: its size without decoding, and its pixels or an error.

FFmpeg decodes, through PyAV, as it does for video files: so pictures are scaled as videos are. It
takes half the time of TensorFlow's operation, and can be told to stop at damage, which that one
fills with grey. A flipped bit that leaves a picture well formed is for checksums to find.
"""

from __future__ import annotations

import threading
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from vdroppath_tf.data.container import MAX_SIDE, VideoError
from vdroppath_tf.data.decode import scaled_size
from vdroppath_tf.data.frame_source import Box

MAX_PIXELS = 1 << 26
"""Pictures with more pixels than this are refused before they are decoded (8K video has half)."""

MAX_PICTURE_BYTES = 1 << 26
"""Encoded pictures of more bytes than this are refused."""

_MAX_SCANS = 100  # of a progressive picture; encoders write about ten, bombs write thousands
_FORMATS = {1: "gray", 3: "rgb24"}
_SOI, _EOI, _SOS = b"\xff\xd8", b"\xff\xd9", 0xDA
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive Huffman coding
_OTHER_FRAMES = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_TABLES = {0xDB: "quantization", 0xC4: "Huffman"}

_local = threading.local()


def jpeg_size(data: bytes, name: str) -> tuple[int, int]:
    """`(height, width)` of a JPEG picture in pixels, from its header.

    Args:
        data: the encoded picture; its beginning is enough.
        name: what errors call it.

    Raises:
        VideoError: it is not a JPEG picture, of a kind that is not read, or out of bounds.
    """
    return _header(data, name)[0]


def read_jpeg(
    data: bytes,
    name: str,
    *,
    short_edge: int | None = None,
    box: Box | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Decodes a JPEG picture. Thread safe.

    Args:
        data: the whole encoded picture.
        name: what errors call it.
        short_edge: scales it (bilinear, aspect kept) to this many pixels on the shorter side.
        box: the part wanted of the scaled picture; None takes all.
        channels: 3 for RGB, 1 for its brightness (BT.601).

    Returns:
        uint8 `(height, width, channels)`; may be a view, which holds the whole picture in memory.

    Raises:
        VideoError: as for `jpeg_size`; or it is damaged or cut short.
    """
    size, tables, scan = _header(data, name)
    if tables != set(_TABLES) or not scan:
        missing = " and ".join(_TABLES[t] for t in sorted(_TABLES) if t not in tables) or "scan"
        raise _damaged(name, f"it lacks its {missing} data")
    if data.rfind(_EOI, scan) < 0:
        raise _damaged(name, f"it is cut short: no end in its {len(data)} bytes")
    if data.count(b"\xff\xda", scan) > _MAX_SCANS:
        raise VideoError(f"{name}: has more than {_MAX_SCANS} scans. Encode it again.")
    height, width = scaled_size(*size, short_edge)
    picture = _reformatted(_decode(data, size, name), height, width, channels)
    if box is None:
        return picture
    return picture[box.top : box.top + box.height, box.left : box.left + box.width]


def _header(data: bytes, name: str) -> tuple[tuple[int, int], set[int], int]:
    """The size, which tables come before the first scan, and where that begins (0: not there)."""
    if data[:2] != _SOI:
        raise VideoError(
            f"{name}: is not a JPEG picture (begins with {data[:4].hex() or 'nothing'})"
        )
    if len(data) > MAX_PICTURE_BYTES:
        raise VideoError(f"{name}: has {len(data)} bytes; at most {MAX_PICTURE_BYTES} are read.")
    size, tables, place = None, set(), 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise _damaged(name, f"no marker at byte {place}")
        mark = data[place + 1]
        if mark == 0xFF:  # filling
            place += 1
            continue
        if mark == _SOS:
            break
        if mark in _FRAMES:
            size = _frame_size(data[place + 4 : place + 10], name)
        elif mark in _OTHER_FRAMES:
            raise VideoError(f"{name}: is lossless or arithmetic JPEG. Encode it as baseline JPEG.")
        elif mark in _TABLES:
            tables.add(mark)
        place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4], "big"))
    if size is None:
        raise _damaged(name, "no picture size before the pixels")
    return size, tables, place if place + 4 <= len(data) else 0


def _frame_size(frame: bytes, name: str) -> tuple[int, int]:
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    if len(frame) < 6 or not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise VideoError(
            f"{name}: is {width}x{height} pixels; expected 1 to {MAX_SIDE} a side. "
            "It is damaged or needs to be scaled down first."
        )
    if height * width > MAX_PIXELS:
        raise VideoError(f"{name}: is {width}x{height}; at most {MAX_PIXELS} pixels are read.")
    if frame[0] != 8 or frame[5] not in (1, 3):
        raise VideoError(
            f"{name}: has {frame[5]} channels of {frame[0]} bits; expected 1 or 3 of 8 bits. "
            "Convert it to RGB or grey."
        )
    return height, width


def _decode(data: bytes, size: tuple[int, int], name: str) -> Any:
    """FFmpeg's frame; the decoder is this thread's: to make one costs more than to use it."""
    decoder = getattr(_local, "decoder", None)
    if decoder is None:
        decoder = av.CodecContext.create("mjpeg", "r")
        decoder.thread_count = 1  # callers read many pictures at once
        decoder.options = {"err_detect": "explode"}  # else damage is painted over
        _local.reformatter = VideoReformatter()
    _local.decoder = None  # one that met damage is not used again
    try:
        frames = decoder.decode(av.Packet(data))
    except av.error.FFmpegError as error:
        raise _damaged(name, error.strerror or str(error)) from None
    if len(frames) != 1 or frames[0].is_corrupt or (frames[0].height, frames[0].width) != size:
        raise _damaged(name, "its header and its pixels disagree")
    _local.decoder = decoder
    return frames[0]


def _reformatted(frame: Any, height: int, width: int, channels: int) -> np.ndarray:
    plain = _local.reformatter.reformat(
        frame, width, height, _FORMATS[channels], interpolation="BILINEAR"
    )
    plane = plain.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:height, : width * channels].reshape(height, width, channels)


def _damaged(name: str, found: str) -> VideoError:
    return VideoError(
        f"{name}: is a damaged JPEG picture ({found}). Copy or extract it again, or take its video "
        "off the list."
    )
