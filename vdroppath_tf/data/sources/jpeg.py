"""JPEG pictures: their size without decoding, and their pixels or an error.

FFmpeg decodes them, through PyAV, as it decodes video files, so pictures and videos are scaled
alike. It takes half the time of TensorFlow's operation, and can be set to stop at damage, which
TensorFlow fills with grey. A flipped bit that leaves a picture valid is left to checksums.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.exif import EXIF, exif_orientation
from vdroppath_tf.data.sources.orientation import UPRIGHT, shown_size
from vdroppath_tf.data.sources.source import Box
from vdroppath_tf.data.sources.still import check_bytes, check_size, damaged, decode_still
from vdroppath_tf.names import named

SOI = b"\xff\xd8"
"""The bytes that every JPEG picture begins with."""

_SHORT = 1 << 12  # bytes of a header that are remembered; cameras write thumbnails in longer ones
_MAX_SCANS = 100  # of a progressive picture; encoders write about ten, attacks write thousands
_EOI, _SOS = b"\xff\xd9", b"\xff\xda"
_APP1 = 0xE1  # the segment that holds EXIF
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive Huffman coding
_OTHER_FRAMES = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_TABLES = {0xDB: "quantization", 0xC4: "Huffman"}


def jpeg_size(data: bytes, name: str) -> tuple[int, int]:
    """Returns `(height, width)` of a JPEG picture as it is shown, in pixels, from its header.

    Args:
        data: The encoded picture; its beginning is enough.
        name: Its name in errors.

    Raises:
        VideoError: If it is not a JPEG picture, of an unsupported kind, or out of bounds.
    """
    header = _header(data, name)
    return shown_size(*header.size, header.orientation)


def jpeg_orientation(data: bytes, name: str) -> int:
    """Returns the orientation of a JPEG picture, see `orientation`; raises as `jpeg_size` does."""
    return _header(data, name).orientation


@named
def read_jpeg(
    data: bytes,
    name: str,
    *,
    short_edge: int | None = None,
    box: Box | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Decodes a JPEG picture and turns it upright by its EXIF orientation. Thread safe.

    Args:
        data: The whole encoded picture.
        name, short_edge, box, channels: See `decode_still`.

    Returns:
        uint8 `(height, width, channels)`; may be a view, which holds the whole picture in memory.

    Raises:
        VideoError: See `jpeg_size`; or if the picture is damaged or cut short.
    """
    header = _header(data, name)
    scan = header.scan
    missing = [text for mark, text in _TABLES.items() if mark not in header.tables]
    if missing:  # a decoder would use the tables of the previous picture
        raise damaged(name, f"it lacks its {' and '.join(missing)} tables")
    if not scan or data.rfind(_EOI, scan) < 0:
        raise damaged(name, f"it is cut short: no end in its {len(data)} bytes")
    if data.count(_SOS, scan) > _MAX_SCANS:
        raise VideoError(f"{name}: has more than {_MAX_SCANS} scans. Encode it again.")
    return decode_still(
        "mjpeg",
        data,
        name,
        header.size,
        orientation=header.orientation,
        short_edge=short_edge,
        box=box,
        channels=channels,
    )


class _Header(NamedTuple):
    """The contents of a JPEG file before the pixels.

    Attributes:
        size: The height and width of the stored picture.
        orientation: How the picture is turned to be shown.
        tables: The marks of the tables before the first scan.
        scan: The byte at which the first scan begins; 0 if there is none.
    """

    size: tuple[int, int]
    orientation: int
    tables: frozenset[int]
    scan: int


def _header(data: bytes, name: str) -> _Header:
    if data[:2] != SOI:
        begin = data[:4].hex() or "nothing"
        raise VideoError(f"{name}: is not a JPEG picture (begins with {begin}).")
    check_bytes(data, name)
    end = data.find(_SOS, 2, _SHORT) + 4
    return (_remembered(data[:end]) if end > 4 else None) or _parsed(data, name)


@functools.lru_cache(maxsize=256)
def _remembered(beginning: bytes) -> _Header | None:
    """Returns the header that ends here; None if it does not, or is damaged.

    The frames of a video usually begin with the same bytes, which take as long to parse in Python
    as a tenth of the picture takes to decode.
    """
    try:
        header = _parsed(beginning, "")
    except VideoError:
        return None
    return header if header.scan else None


def _parsed(data: bytes, name: str) -> _Header:
    size, orientation, tables, place = None, None, set(), 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise damaged(name, f"no marker at byte {place}")
        mark = data[place + 1]
        if mark == 0xFF:  # padding
            place += 1
            continue
        if mark == _SOS[1]:
            break
        if mark in _FRAMES:
            size = _frame_size(data[place + 4 : place + 10], name)
        elif mark in _OTHER_FRAMES:
            raise VideoError(f"{name}: is lossless or arithmetic JPEG. Encode it as baseline JPEG.")
        elif mark in _TABLES:
            tables.add(mark)
        elif mark == _APP1 and orientation is None and data.startswith(EXIF, place + 4):
            end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
            orientation = exif_orientation(data[place + 4 + len(EXIF) : end])
        place += 2 + max(2, int.from_bytes(data[place + 2 : place + 4], "big"))
    if size is None:
        raise damaged(name, "no picture size before the pixels")
    scan = place if place + 4 <= len(data) else 0
    return _Header(size, orientation or UPRIGHT, frozenset(tables), scan)


def _frame_size(frame: bytes, name: str) -> tuple[int, int]:
    if len(frame) < 6:
        raise damaged(name, "it is cut short in its header")
    size = check_size(int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"), name)
    if frame[0] != 8 or frame[5] not in (1, 3):
        raise VideoError(
            f"{name}: has {frame[5]} channels of {frame[0]} bits; expected 1 or 3 of 8 bits. "
            "Convert it to RGB or grey."
        )
    return size
