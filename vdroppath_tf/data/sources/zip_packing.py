"""The end records of zip archives and the packing of members, with limits for untrusted files."""

from __future__ import annotations

import bz2
import lzma
import zipfile
import zlib
from typing import BinaryIO

MAX_RATIO = 200
"""Members that unpack to more than this multiple are refused; pictures hardly shrink in a zip."""

METHODS = {
    zipfile.ZIP_STORED: "stored",
    zipfile.ZIP_DEFLATED: "deflated",
    zipfile.ZIP_BZIP2: "bzip2",
    zipfile.ZIP_LZMA: "LZMA",
}
"""Supported compression methods."""

LOCAL_BYTES = 30
"""Bytes of the header before a member's name and data."""

MAX_LIST = 1 << 25
"""The largest list of members, in bytes."""

_END, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x07"
_OTHER_METHODS = {9: "deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd", 99: "encryption"}
_LZMA_HEAD = 9


def find_end(file: BinaryIO, size: int) -> tuple[int, bytes] | None:
    """Finds the end record of an archive; returns None if there is none.

    Returns:
        The size in bytes of the list of members, and the record that points to the end record of a
        zip64 archive, or b"".
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
    """Returns what is wrong with the packing of a member, as the end of a sentence, or None.

    Args:
        member: The member of an archive.
        size: The size of the archive in bytes.
        most: The largest size of the member in bytes.
    """
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.compress_type not in METHODS:
        found = _OTHER_METHODS.get(member.compress_type, f"method {member.compress_type}")
        return f"is compressed by {found}; expected {', '.join(METHODS.values())}"
    if max(member.file_size, member.compress_size) > most:
        return f"declares {member.file_size} bytes, more than {most}"
    if not 0 <= member.header_offset < size:
        return "is declared to lie outside the file"
    if member.file_size > MAX_RATIO * max(1, member.compress_size):
        return f"is declared to grow from {member.compress_size} to {member.file_size} bytes"
    return None


def unpack(data: bytes, method: int, size: int) -> bytes:
    """Unpacks a member of `size` bytes; stops one byte after that, whatever its real size."""
    if method == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
    if method == zipfile.ZIP_BZIP2:
        return bz2.BZ2Decompressor().decompress(data, size + 1)
    if method == zipfile.ZIP_LZMA:
        return _lzma(data, size).decompress(data[_LZMA_HEAD:], size + 1)
    return data


def _lzma(data: bytes, size: int) -> lzma.LZMADecompressor:
    """Makes a decoder from the header: 2 bytes of version, 2 of length, 1 + 4 of settings."""
    if len(data) < _LZMA_HEAD or data[2:4] != b"\x05\0" or data[4] >= 9 * 5 * 5:
        raise ValueError("no settings of LZMA")
    numbers, lc = divmod(data[4], 9)
    pb, lp = divmod(numbers, 5)
    # A larger dictionary than the data is useless, and its declared size is not trusted.
    dictionary = min(int.from_bytes(data[5:_LZMA_HEAD], "little"), size)
    settings = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb}
    filters = [settings | {"dict_size": max(4096, dictionary)}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
