"""PNG pictures: their size without decoding, and their pixels or an error."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.exif import exif_orientation
from vdroppath_tf.data.sources.orientation import UPRIGHT, shown_size
from vdroppath_tf.data.sources.source import Box
from vdroppath_tf.data.sources.still import check_bytes, check_size, damaged, decode_still
from vdroppath_tf.names import named

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""The bytes that every PNG picture begins with."""


def png_size(data: bytes, name: str) -> tuple[int, int]:
    """Returns `(height, width)` of a PNG picture as it is shown, in pixels, from its headers.

    Args:
        data: The encoded picture; the part before the pixels is enough.
        name: Its name in errors.

    Raises:
        VideoError: If it is not a PNG picture, or out of bounds.
    """
    return shown_size(*_stored_size(data, name), png_orientation(data))


def png_orientation(data: bytes) -> int:
    """Returns the orientation of a PNG picture, see `orientation`."""
    place = 8
    while place + 12 <= len(data) and data[place + 4 : place + 8] != b"IEND":
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"eXIf":
            return exif_orientation(data[place + 8 : end])
        place = end + 4
    return UPRIGHT


def _stored_size(data: bytes, name: str) -> tuple[int, int]:
    if data[:8] != SIGNATURE:
        begin = data[:4].hex() or "nothing"
        raise VideoError(f"{name}: is not a PNG picture (begins with {begin}).")
    check_bytes(data, name)
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise damaged(name, "no header")
    return check_size(int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big"), name)


@named
def read_png(
    data: bytes,
    name: str,
    *,
    short_edge: int | None = None,
    box: Box | None = None,
    channels: int = 3,
) -> np.ndarray:
    """Decodes a PNG picture, upright; transparency is ignored. Thread safe.

    Args:
        data: The whole encoded picture.
        name, short_edge, box, channels: See `decode_still`.

    Returns:
        uint8 `(height, width, channels)`; may be a view, which holds the whole picture in memory.

    Raises:
        VideoError: See `png_size`; or if a checksum is wrong, or the picture is cut short.
    """
    size = _stored_size(data, name)
    if [*_chunks(data, name)][-1] != b"IEND":
        raise damaged(name, f"it is cut short: no end in its {len(data)} bytes")
    return decode_still(
        "png",
        data,
        name,
        size,
        orientation=png_orientation(data),
        short_edge=short_edge,
        box=box,
        channels=channels,
    )


def _chunks(data: bytes, name: str) -> Iterator[bytes]:
    """Yields the kinds of the chunks up to the end mark, after checking their checksums."""
    place = 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        if zlib.crc32(data[place + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise damaged(name, f"a wrong checksum at byte {place}")
        kind = data[place + 4 : place + 8]
        yield kind
        if kind == b"IEND":
            return
        place = end + 4
