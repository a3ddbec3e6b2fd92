"""Finds the records in a TFRecord file by their lengths, each of which has a checksum."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.records.record import FRAMING, MAX_RECORD
from vdroppath_tf.files import open_regular

MAX_RECORDS = 20_000_000
"""Files with more records are refused."""

_GZIP = b"\x1f\x8b"


def _table() -> list[int]:
    found = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        found.append(number)
    return found


_CRC32C = _table()


def masked_crc32c(data: bytes) -> int:
    """Returns the checksum of TFRecord files; slow, meant for a few bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC32C[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def is_record_file(path: str | os.PathLike[str]) -> bool:
    """Returns whether a file begins like a TFRecord file: with a length and its checksum."""
    try:
        if not os.path.isfile(path):
            return False
        with open_regular(path) as file:
            return _length(file.read(FRAMING[0])) is not None
    except OSError:
        return False


def record_places(path: str) -> Iterator[tuple[int, int]]:
    """Yields offset and length of the data of each record in a file, without the framing.

    Raises:
        ManifestError: If the file is compressed, cut short or damaged, or a record is too long.
    """
    before, behind = FRAMING
    try:
        size = os.path.getsize(path)
        with open_regular(path) as file:
            offset = number = 0
            while offset < size:
                file.seek(offset)
                head = file.read(before)
                length = _length(head)
                if length is None:
                    raise _damaged(path, number, offset, head)
                if length > MAX_RECORD:
                    raise ManifestError(
                        f"{path}: record {number} has {length} bytes, over {MAX_RECORD}."
                    )
                offset += before + length + behind
                if offset > size or number == MAX_RECORDS:
                    raise _damaged(path, number, offset, head)
                yield offset - length - behind, length
                number += 1
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None


def _length(head: bytes) -> int | None:
    """Returns the length of a record from its first bytes; None if the checksum is wrong."""
    if len(head) != FRAMING[0]:
        return None
    length, crc = struct.unpack("<QI", head)
    return length if crc == masked_crc32c(head[:8]) else None


def _damaged(path: str, number: int, offset: int, head: bytes) -> ManifestError:
    if number == 0 and head[:2] == _GZIP:
        return ManifestError(
            f"{path}: is compressed with gzip. Uncompress it: its frames are compressed already."
        )
    return ManifestError(
        f"{path}: is damaged or cut short at record {number}, byte {offset}. Copy it again."
    )
