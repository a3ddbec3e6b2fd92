"""Files in zip archives, opened like files on the disk: `archive.zip!folder/video.mp4`.

A stored member, as videos mostly are, is read in place as a part of the archive. A packed member is
unpacked into memory, up to a limit. Nothing is extracted to the disk.
"""

from __future__ import annotations

import functools
import io
import lzma
import os
import re
import zipfile
import zlib
from typing import BinaryIO, NamedTuple

from vdroppath_tf.data.sources.leftovers import in_leftover
from vdroppath_tf.data.sources.zip_packing import (
    LOCAL_BYTES,
    MAX_LIST,
    find_end,
    packing_complaint,
    unpack,
)
from vdroppath_tf.files import open_regular

_IN_ZIP = re.compile(r"(.+?\.zip)!(.+)", re.IGNORECASE | re.DOTALL)
_MAX_STORED = 1 << 40  # bytes
_MAX_PACKED = 1 << 30  # unpacked bytes of a packed member
_END64 = b"PK\x06\x06"


class ZippedError(OSError):
    """A member of a zip archive cannot be read; the message omits the name of the file."""

    def __str__(self) -> str:
        return str(self.args[0])


class FileStatus(NamedTuple):
    """The status of a file, or of a member of an archive, before it is read."""

    st_mode: int
    st_size: int
    st_mtime_ns: int


class _Place(NamedTuple):
    """The place of a member's data, their packed and unpacked sizes, method and checksum."""

    start: int
    packed: int
    size: int
    method: int
    crc: int


def split_zip(path: str) -> tuple[str, str] | None:
    """Splits a path into archive and member; None for any other path, even of an existing file."""
    if ".zip!" not in path.lower() or os.path.lexists(path):
        return None
    match = _IN_ZIP.fullmatch(path)
    return None if match is None or not os.path.isfile(match[1]) else (match[1], match[2])


def file_status(path: str) -> FileStatus:
    """Returns the status of a file, or of a member of an archive, which has the archive's time.

    Raises:
        OSError: If it does not exist.
        ZippedError: If the archive is damaged, or lacks the member.
    """
    parts = split_zip(path)
    found = os.stat(path if parts is None else parts[0])
    size = found.st_size if parts is None else _member(*parts).file_size
    return FileStatus(found.st_mode, size, found.st_mtime_ns)


def opened(path: str) -> BinaryIO:
    """Opens a file, or a member of an archive, for reading.

    Raises:
        OSError: If it cannot be read.
        ZippedError: If the archive is damaged, or the member cannot be unpacked.
    """
    parts = split_zip(path)
    if parts is None:
        return open_regular(path)
    status = os.stat(parts[0])
    place = _place(*parts, status.st_size, status.st_mtime_ns)
    if place.method == zipfile.ZIP_STORED:
        window: BinaryIO = io.BufferedReader(_Window(parts[0], place.start, place.size))
        return window
    return io.BytesIO(_unpacked(*parts, place, status.st_mtime_ns))


def members_of(archive: str) -> tuple[str, ...]:
    """Returns the names of the files in an archive, without leftovers of other programs.

    Raises:
        OSError: See `file_status`.
    """
    status = os.stat(archive)
    names = _members(archive, status.st_size, status.st_mtime_ns)
    return tuple(name for name in names if not in_leftover(name))


def is_there(path: str) -> bool:
    """Returns whether a path names an existing member of an archive."""
    parts = split_zip(path)
    if parts is None or in_leftover(parts[1]):
        return False
    try:
        _member(*parts)
    except OSError:
        return False
    return True


def can_be_listed(archive: str) -> bool:
    """Returns whether the list of files of an archive is intact."""
    try:
        members_of(archive)
    except OSError:
        return False
    return True


class _Window(io.RawIOBase):
    """A part of a file, opened as a separate file."""

    def __init__(self, path: str, start: int, size: int) -> None:
        self._file = open_regular(path)
        self._start, self._size, self._at = start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), max(0, self._size - self._at))
        data = os.pread(self._file.fileno(), wanted, self._start + self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _member(archive: str, name: str) -> zipfile.ZipInfo:
    status = os.stat(archive)
    member = _members(archive, status.st_size, status.st_mtime_ns).get(name)
    if member is None:
        raise ZippedError(f"the archive {archive} has no file {name!r}")
    return member


@functools.lru_cache(maxsize=16)
def _members(archive: str, size: int, mtime: int) -> dict[str, zipfile.ZipInfo]:
    """Returns all files of an archive by name."""
    with open_regular(archive) as file:
        _check_list(file, size)
        try:
            with zipfile.ZipFile(file) as opened_archive:
                listed = [each for each in opened_archive.infolist() if not each.is_dir()]
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
            raise ZippedError(f"the archive is damaged ({error})") from None
    found = {each.filename: each for each in listed}
    if len(found) < len(listed):
        raise ZippedError("the archive has two files with the same name. Write it again")
    return found


def _check_list(file: BinaryIO, size: int) -> None:
    """Checks the size of the list of members before it is read."""
    found = find_end(file, size)
    if found is None:
        raise ZippedError("the archive has no end record: it is cut short, or not a zip file")
    length, locator64 = found
    if locator64:
        file.seek(min(size, int.from_bytes(locator64[8:16], "little")))
        large = file.read(56)
        if large[:4] != _END64:
            raise ZippedError("the archive is damaged (its end record leads nowhere)")
        length = int.from_bytes(large[40:48], "little")
    if length > MAX_LIST:
        raise ZippedError(f"the archive's list of files has {length} bytes, more than {MAX_LIST}")


@functools.lru_cache(maxsize=16384)
def _place(archive: str, name: str, size: int, mtime: int) -> _Place:
    member = _member(archive, name)
    most = _MAX_STORED if member.compress_type == zipfile.ZIP_STORED else _MAX_PACKED
    if complaint := packing_complaint(member, size, most):
        raise ZippedError(f"it {complaint}. Write the archive again, or unpack it")
    with open_regular(archive) as file:
        head = os.pread(file.fileno(), LOCAL_BYTES, member.header_offset)
    lengths = [int.from_bytes(head[k : k + 2], "little") for k in (26, 28)]
    start = member.header_offset + LOCAL_BYTES + sum(lengths)
    if head[:4] != b"PK\x03\x04" or start + member.compress_size > size:
        raise ZippedError("the archive is damaged: the file is not where its list says")
    if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
        raise ZippedError("the archive is damaged: a file that is stored has two sizes")
    return _Place(start, member.compress_size, member.file_size, member.compress_type, member.CRC)


@functools.lru_cache(maxsize=2)
def _unpacked(archive: str, name: str, place: _Place, mtime: int) -> bytes:
    with open_regular(archive) as file:
        file.seek(place.start)
        data = file.read(place.packed)
    try:
        data = unpack(data, place.method, place.size)
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
        raise ZippedError(f"the archive is damaged ({error})") from None
    if len(data) != place.size or zlib.crc32(data) != place.crc:
        raise ZippedError("the archive is damaged: the file has another size or checksum")
    return data
