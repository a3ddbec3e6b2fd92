"""The members of zip archives that anybody may have made: bounded, checked, never extracted."""

from __future__ import annotations

import bz2
import lzma
import zipfile
import zlib
from typing import BinaryIO

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.frame_names import PICTURES
from vdroppath_tf.data.sources.leftovers import in_leftover
from vdroppath_tf.data.sources.still import MAX_PICTURE_BYTES

MAX_RATIO = 200
"""Members that would grow by more than this are refused; pictures hardly shrink in a zip."""

METHODS = {
    zipfile.ZIP_STORED: "stored",
    zipfile.ZIP_DEFLATED: "deflated",
    zipfile.ZIP_BZIP2: "bzip2",
    zipfile.ZIP_LZMA: "LZMA",
}
"""How members may be packed."""

_OTHER_METHODS = {9: "deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd", 99: "encryption"}
_LZMA_HEAD = 9
_END, _END64 = b"PK\x05\x06", b"PK\x06\x07"
_LOCAL_BYTES = 30
_MAX_LIST = 1 << 25  # bytes of the list of members
MEMBER = np.dtype([(k, np.uint32) for k in ("offset", "packed", "size", "crc", "method")])


def open_zip(path: str) -> BinaryIO:
    """The archive's file, or `VideoError`."""
    try:
        return open(path, "rb")
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error}). Check its permissions.") from None


def _check_end(file: BinaryIO, size: int, path: str) -> None:
    """Bounds the list of members before it is read."""
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        raise _damaged(path, "it has no end record: cut short, or not a zip archive")
    length = int.from_bytes(tail[end + 12 : end + 16], "little")
    if length > _MAX_LIST or tail[max(0, end - 20) : end].startswith(_END64):
        raise VideoError(f"{path}: is too large (zip64). Expected the frames of one video.")


def list_members(file: BinaryIO, size: int, path: str) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive by name, all harmless pictures; folders and leftovers are left out.

    Args:
        file: the archive.
        size: its bytes.
        path: what errors call it.

    Raises:
        VideoError: it is damaged, or a member is not what it should be.
    """
    _check_end(file, size, path)
    try:
        with zipfile.ZipFile(file) as archive:
            return _checked(archive.infolist(), size, path)
    except VideoError:
        raise
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(path, str(error)) from None


def _checked(members: list[zipfile.ZipInfo], size: int, path: str) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = member.filename
        if name in found:
            raise _refused(path, name, "is there twice")
        complaint = _path_complaint(member.orig_filename)
        if complaint is None:
            if member.is_dir() or in_leftover(name):
                continue
            complaint = _complaint(member, size)
        if complaint:
            raise _refused(path, name, complaint)
        found[name] = member
    if sum(m.compress_size for m in found.values()) > size:
        raise VideoError(f"{path}: its members overlap: they declare more bytes than the file has.")
    return found


def _path_complaint(name: str) -> str | None:
    if name.startswith("/") or ".." in name.split("/") or any(c in name for c in "\\\0:"):
        return "has a path that is not a plain one inside the archive"
    return None


def _complaint(member: zipfile.ZipInfo, size: int) -> str | None:
    if not member.filename.lower().endswith(PICTURES):
        return f"is no picture ({', '.join(PICTURES)})"
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.compress_type not in METHODS:
        found = _OTHER_METHODS.get(member.compress_type, f"method {member.compress_type}")
        return f"is compressed by {found}; expected {', '.join(METHODS.values())}"
    if max(member.file_size, member.compress_size) > MAX_PICTURE_BYTES:
        return f"declares {member.file_size} bytes; at most {MAX_PICTURE_BYTES} are read"
    if not 0 <= member.header_offset < size:
        return "is declared to lie outside the file"
    if member.file_size > MAX_RATIO * max(1, member.compress_size):
        return f"is declared to grow from {member.compress_size} to {member.file_size} bytes"
    return None


def one_folder(
    members: dict[str, zipfile.ZipInfo], path: str
) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """The folder that all members are in, "" or ending in "/", and the members by bare name."""
    folders = {name[: name.rfind("/") + 1] for name in members}
    if len(folders) > 1:
        few = " and ".join(map(repr, sorted(folders)[:2]))
        raise VideoError(
            f"{path}: has frames in several folders ({few}). Expected one video's; a list names "
            "one of several as 'archive.zip!folder'."
        )
    folder = next(iter(folders), "")
    return folder, {name[len(folder) :]: member for name, member in members.items()}


def read_member(file: BinaryIO, member: np.void, name: str, path: str) -> bytes:
    """The bytes of one member; never more than the archive's list declares."""
    offset, packed, size, crc, method = (int(member[k]) for k in MEMBER.names or ())
    file.seek(offset)
    head = file.read(_LOCAL_BYTES)
    lengths = [int.from_bytes(head[k : k + 2], "little") for k in (26, 28)]
    stored_name = file.read(sum(lengths))[: lengths[0]]
    if head[:4] != b"PK\x03\x04" or stored_name not in (
        name.encode(),
        name.encode("cp437", "replace"),
    ):
        raise _damaged(path, f"{name!r} is not where the list of members declares")
    data = file.read(packed)
    try:
        data = _unpack(data, method, size)
    except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
        raise _damaged(path, f"{name!r}: {error}") from None
    if len(data) != size or zlib.crc32(data) != crc:
        raise _damaged(path, f"{name!r} has not the {size} bytes or the checksum it should have")
    return data


def _unpack(data: bytes, method: int, size: int) -> bytes:
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


def _refused(path: str, name: str, why: str) -> VideoError:
    return VideoError(f"{path}: member {name!r} {why}. Write the archive again without it.")


def _damaged(path: str, found: str) -> VideoError:
    return VideoError(
        f"{path}: is a damaged archive ({found}). Copy or download it again, or take it "
        "off the list."
    )
