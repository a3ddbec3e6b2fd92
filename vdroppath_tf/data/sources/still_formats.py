"""Pictures in WebP, BMP and TIFF: their size without decoding, and their pixels or an error.

FFmpeg decodes them, as it decodes all pictures and videos, so no other library is needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.exif import EXIF, exif_orientation
from vdroppath_tf.data.sources.orientation import UPRIGHT, shown_size
from vdroppath_tf.data.sources.source import Box
from vdroppath_tf.data.sources.still import check_bytes, check_size, damaged, decode_still
from vdroppath_tf.names import named

_ANIMATED, _HAS_EXIF = 0x02, 0x08  # flags of WebP
_MAX_TAGS = 512  # of a TIFF picture
_WIDTH, _HEIGHT, _COMPRESSION = 256, 257, 259  # tags of TIFF
_NEXT, _END = -1, -2  # keys next to the tags
_METHODS = (1, 2, 3, 4, 5, 8, 32773, 32946)  # none, fax, LZW, deflate and PackBits
# Tags about the pixels. FFmpeg, set to stop at damage, stops at others too.
_OF_PIXELS = {
    *(256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324),
    *(325, 339, 530),
}


@dataclasses.dataclass(frozen=True)
class StillFormat:
    """How to read the headers of pictures of one format.

    Attributes:
        codec: FFmpeg's name of the format.
        size: Returns the stored height and width, given the data and a name for errors.
        orientation: Returns how a picture is turned to be shown.
    """

    codec: str
    size: Callable[[bytes, str], tuple[int, int]]
    orientation: Callable[[bytes], int]


def format_of(data: bytes) -> StillFormat | None:
    """Returns the format of a picture by its first bytes; None if it is none of these."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _WEBP
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _TIFF
    return _BMP if data[:2] == b"BM" else None


def still_size(data: bytes, name: str, format: StillFormat) -> tuple[int, int]:
    """Returns `(height, width)` of a picture as it is shown, in pixels, from its headers.

    Raises:
        VideoError: If it is damaged, out of bounds, or holds several pictures.
    """
    check_bytes(data, name)
    size = check_size(*format.size(data, name), name)
    return shown_size(*size, format.orientation(data))


@named
def read_still(
    data: bytes,
    name: str,
    format: StillFormat,
    *,
    short_edge: int | None = None,
    box: Box | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Decodes a picture, upright; transparency is ignored. Thread safe.

    Args:
        data: The whole encoded picture.
        name, short_edge, box, channels: See `decode_still`.
        format: See `format_of`.

    Returns:
        uint8 `(height, width, channels)`; may be a view, which holds the whole picture in memory.

    Raises:
        VideoError: See `still_size`; or if the picture is cut short.
    """
    check_bytes(data, name)
    return decode_still(
        format.codec,
        _without_remarks(data) if format is _TIFF else data,
        name,
        check_size(*format.size(data, name), name),
        short_edge=short_edge,
        box=box,
        channels=channels,
        orientation=format.orientation(data),
    )


def _number(data: bytes, place: int, width: int, order: str = "little") -> int:
    return int.from_bytes(data[place : place + width], "big" if order == "big" else "little")


def _webp_size(data: bytes, name: str) -> tuple[int, int]:
    if (end := 8 + _number(data, 4, 4)) > len(data):
        raise damaged(name, f"it is cut short: {len(data)} of {end} bytes are there")
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & _ANIMATED:
            raise VideoError(f"{name}: is animated. Expected one picture for each frame.")
        return 1 + _number(data, 27, 3), 1 + _number(data, 24, 3)
    if kind == b"VP8L" and data[20:21] == b"\x2f":
        bits = _number(data, 21, 4)
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return _number(data, 28, 2) & 0x3FFF, _number(data, 26, 2) & 0x3FFF
    raise damaged(name, "no header")


def _webp_orientation(data: bytes) -> int:
    if data[12:16] != b"VP8X" or not data[20] & _HAS_EXIF:
        return UPRIGHT
    place = 12
    while place + 8 <= len(data):
        length = _number(data, place + 4, 4)
        if data[place : place + 4] == b"EXIF":
            return exif_orientation(data[place + 8 : place + 8 + length].removeprefix(EXIF))
        place += 8 + length + length % 2
    return UPRIGHT


def _bmp_size(data: bytes, name: str) -> tuple[int, int]:
    length = _number(data, 14, 4)
    if len(data) < 26 or length < 12:
        raise damaged(name, "no header")
    if (end := _number(data, 2, 4)) > len(data):
        raise damaged(name, f"it is cut short: {len(data)} of {end} bytes are there")
    if length == 12:
        return _number(data, 20, 2), _number(data, 18, 2)
    height = int.from_bytes(data[22:26], "little", signed=True)
    return abs(height), _number(data, 18, 4)


def _tiff_tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Yields the tags of the first picture with their values, if these are one whole number.

    The last are `_NEXT`, the position of the next picture, and `_END`, the end of the data that
    describe this one.
    """
    order = "little" if data[:2] == b"II" else "big"
    start = _number(data, 4, 4, order)
    count = _number(data, start, 2, order)
    ends = [start + 2 + 12 * count + 4]
    for place in range(start + 2, start + 2 + 12 * min(count, _MAX_TAGS), 12):
        width = {3: 2, 4: 4}.get(_number(data, place + 2, 2, order), 1)
        many = _number(data, place + 4, 4, order)
        if many == 1:
            yield _number(data, place, 2, order), _number(data, place + 8, width, order)
        elif width * many > 4:  # the values lie elsewhere
            ends.append(_number(data, place + 8, 4, order) + width * many)
    yield _NEXT, _number(data, start + 2 + 12 * count, 4, order)
    yield _END, max(ends)


def _without_remarks(data: bytes) -> bytes:
    """Returns a TIFF picture without the tags that do not concern its pixels."""
    order = "little" if data[:2] == b"II" else "big"
    start = _number(data, 4, 4, order)
    count = min(_number(data, start, 2, order), _MAX_TAGS)
    entries = [data[place : place + 12] for place in range(start + 2, start + 2 + 12 * count, 12)]
    kept = [entry for entry in entries if _number(entry, 0, 2, order) in _OF_PIXELS]
    table = len(kept).to_bytes(2, "little" if order == "little" else "big") + b"".join(kept)
    return data[:start] + table + bytes(4) + data[start + len(table) + 4 :]


def _tiff_size(data: bytes, name: str) -> tuple[int, int]:
    tags = dict(_tiff_tags(data))
    if tags.pop(_END) > len(data):
        raise damaged(name, f"it is cut short: {len(data)} bytes are there")
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise damaged(name, "no header")
    if (method := tags.get(_COMPRESSION, 1)) not in _METHODS:
        raise VideoError(
            f"{name}: is compressed by TIFF's method {method}. Save it without compression, by LZW "
            "or deflate, or as PNG."
        )
    if tags[_NEXT]:
        raise VideoError(f"{name}: holds several pictures. Expected one picture for each frame.")
    return tags[_HEIGHT], tags[_WIDTH]


_WEBP = StillFormat("webp", _webp_size, _webp_orientation)
_BMP = StillFormat("bmp", _bmp_size, lambda _: UPRIGHT)
_TIFF = StillFormat("tiff", _tiff_size, exif_orientation)
