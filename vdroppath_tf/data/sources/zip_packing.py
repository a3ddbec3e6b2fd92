"""How zip archives end and members are packed, and their bytes: bounded, whoever wrote them."""

from __future__ import annotations

import bz2
import lzma
import zipfile
import zlib
from typing import BinaryIO

MAX_RATIO = 200
"""Members that would grow by more than this are refused; pictures hardly shrink in a zip."""

METHODS = {
    zipfile.ZIP_STORED: "stored",
    zipfile.ZIP_DEFLATED: "deflated",
    zipfile.ZIP_BZIP2: "bzip2",
    zipfile.ZIP_LZMA: "LZMA",
}
"""How members may be packed."""

LOCAL_BYTES = 30
"""Bytes of what stands before a member's name and data."""

MAX_LIST = 1 << 25
"""Bytes that the list of members may have."""

_END, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x07"
_OTHER_METHODS = {9: "deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd", 99: "encryption"}
_LZMA_HEAD = 9


def find_end(file: BinaryIO, size: int) -> tuple[int, bytes] | None:
    """The bytes that the list of members has by the end record of an archive; None without one.

    With what leads to the end record of a zip64 archive, b"" where there is none.
    """
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        return None
    before = tail[max(0, end - 20) : end]
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    return length, before if before.startswith(_LOCATOR64) else b""


def packing_complaint(member: zipfile.ZipInfo, size: int, most: int) -> str | None:
    """What is wrong with the way a member is packed, as the end of a sentence; None if nothing is.

    Args:
        member: of an archive.
        size: bytes of the archive.
        most: bytes that it may have.
    """
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.compress_type not in METHODS:
        found = _OTHER_METHODS.get(member.compress_type, f"method {member.compress_type}")
        return f"is compressed by {found}; expected {', '.join(METHODS.values())}"
    if max(member.file_size, member.compress_size) > most:
        return f"declares {member.file_size} bytes; at most {most} are read"
    if not 0 <= member.header_offset < size:
        return "is declared to lie outside the file"
    if member.file_size > MAX_RATIO * max(1, member.compress_size):
        return f"is declared to grow from {member.compress_size} to {member.file_size} bytes"
    return None


def unpack(data: bytes, method: int, size: int) -> bytes:
    """The bytes of a member of `size` bytes: one more at most, whatever it would grow to."""
    if method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
    if method == zipfile.ZIP_BZIP2:
        return bz2.BZ2Decompressor().decompress(data, size + 1)
    if method == zipfile.ZIP_LZMA:
        return _lzma(data, size).decompress(data[_LZMA_HEAD:], size + 1)
    return data


def _lzma(data: bytes, size: int) -> lzma.LZMADecompressor:
    """A decoder by the settings before the data: 2 bytes of version, 2 of length, 1 + 4 bytes."""
    if len(data) < _LZMA_HEAD or data[2:4] != b"\x05\0" or data[4] >= 9 * 5 * 5:
        raise ValueError("no settings of LZMA")
    numbers, lc = divmod(data[4], 9)
    pb, lp = divmod(numbers, 5)
    # A dictionary beyond the data is of no use, and its size is for anybody to write.
    dictionary = min(int.from_bytes(data[5:_LZMA_HEAD], "little"), size)
    settings = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb}
    filters = [settings | {"dict_size": max(4096, dictionary)}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
