"""The orientation that cameras store in pictures: a tag of EXIF, a small TIFF file inside them."""

from __future__ import annotations

from typing import Literal

from vdroppath_tf.data.sources.orientation import ORIENTATIONS, UPRIGHT

EXIF = b"Exif\0\0"
"""The bytes that a JPEG segment with EXIF begins with."""

_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_TAG = 0x0112  # Orientation
_WIDTHS = {1: 1, 3: 2, 4: 4}  # types of whole numbers and their sizes in bytes
_ENTRY = 12  # bytes: tag, type, count, value


def exif_orientation(tiff: bytes) -> int:
    """Reads the orientation out of EXIF data, see `orientation`.

    Args:
        tiff: The data, starting at the byte order mark.

    Returns:
        A number of `ORIENTATIONS`. Data without one, or damaged data, mean upright, as in every
        viewer.
    """
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    table = int.from_bytes(tiff[4:8], order)
    entries = int.from_bytes(tiff[table : table + 2], order)
    end = min(len(tiff) - _ENTRY, table + 2 + _ENTRY * (entries - 1))
    for place in range(table + 2, end + 1, _ENTRY):
        if int.from_bytes(tiff[place : place + 2], order) == _TAG:
            width = _WIDTHS.get(int.from_bytes(tiff[place + 2 : place + 4], order), 0)
            found = int.from_bytes(tiff[place + 8 : place + 8 + width], order)
            return found if found in ORIENTATIONS else UPRIGHT
    return UPRIGHT
