"""One JPEG picture: its size without decoding, and its pixels or an error.

FFmpeg decodes, through PyAV, as it does for video files: so pictures are scaled as videos are. It
takes half the time of TensorFlow's operation, and can be set to stop at damage, which that one
fills with grey. A flipped bit that leaves a picture well formed is for checksums to find.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.exif import EXIF, exif_orientation
from vdroppath_tf.data.sources.orientation import UPRIGHT, shown_size
from vdroppath_tf.data.sources.source import Box
from vdroppath_tf.data.sources.still import check_bytes, check_size, damaged, decode_still
from vdroppath_tf.names import named

SOI = b"\xff\xd8"
"""What every JPEG picture begins with."""

_MAX_SCANS = 100  # of a progressive picture; encoders write about ten, bombs write thousands
_EOI, _SOS = b"\xff\xd9", b"\xff\xda"
_APP1 = 0xE1  # where EXIF is
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive Huffman coding
_OTHER_FRAMES = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_TABLES = {0xDB: "quantization", 0xC4: "Huffman"}


def jpeg_size(data: bytes, name: str) -> tuple[int, int]:
    """`(height, width)` of a JPEG picture in pixels as it is shown, from its header.

    Args:
        data: the encoded picture; its beginning is enough.
        name: what errors call it.

    Raises:
        VideoError: it is not a JPEG picture, of a kind that is not read, or out of bounds.
    """
    header = _header(data, name)
    return shown_size(*header.size, header.orientation)


def jpeg_orientation(data: bytes, name: str) -> int:
    """How a JPEG picture is turned to be shown, see `orientation`; as for `jpeg_size`."""
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
    """Decodes a JPEG picture; gives it upright, by its EXIF orientation. Thread safe.

    Args:
        data: the whole encoded picture.
        name, short_edge, box, channels: see `decode_still`.

    Returns:
        uint8 `(height, width, channels)`; may be a view, which holds the whole picture in memory.

    Raises:
        VideoError: as for `jpeg_size`; or it is damaged or cut short.
    """
    header = _header(data, name)
    scan = header.scan
    missing = [text for mark, text in _TABLES.items() if mark not in header.tables]
    if missing:  # a decoder would take those of the picture before
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
    """What comes before the pixels.

    Attributes:
        size: height and width of the stored picture.
        orientation: how it is turned to be shown.
        tables: marks of those that come before the first scan.
        scan: where that begins; 0 if it is not there.
    """

    size: tuple[int, int]
    orientation: int
    tables: set[int]
    scan: int


def _header(data: bytes, name: str) -> _Header:
    if data[:2] != SOI:
        begin = data[:4].hex() or "nothing"
        raise VideoError(f"{name}: is not a JPEG picture (begins with {begin}).")
    check_bytes(data, name)
    size, orientation, tables, place = None, None, set(), 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise damaged(name, f"no marker at byte {place}")
        mark = data[place + 1]
        if mark == 0xFF:  # filling
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
    return _Header(size, orientation or UPRIGHT, tables, scan)


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
