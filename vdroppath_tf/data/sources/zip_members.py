"""The members of untrusted zip archives: limited, checked, and never extracted to the disk."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from typing import BinaryIO

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.frame_names import PICTURES
from vdroppath_tf.data.sources.leftovers import in_leftover
from vdroppath_tf.data.sources.still import MAX_PICTURE_BYTES
from vdroppath_tf.data.sources.zip_packing import (
    LOCAL_BYTES,
    MAX_LIST,
    find_end,
    packing_complaint,
    unpack,
)
from vdroppath_tf.files import open_regular

MEMBER = np.dtype([(k, np.uint32) for k in ("offset", "packed", "size", "crc", "method")])


def open_zip(path: str) -> BinaryIO:
    """Opens an archive, or raises `VideoError`."""
    try:
        return open_regular(path)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error}). Check its permissions.") from None


def _check_end(file: BinaryIO, size: int, path: str) -> None:
    """Checks the size of the list of members before it is read."""
    found = find_end(file, size)
    if found is None:
        raise _damaged(path, "it has no end record: cut short, or not a zip archive")
    length, locator64 = found
    if length > MAX_LIST or locator64:
        raise VideoError(f"{path}: is too large (zip64). Expected the frames of one video.")


def list_members(file: BinaryIO, size: int, path: str) -> dict[str, zipfile.ZipInfo]:
    """Returns the members of an archive by name, all checked pictures, without folders.

    Leftovers of other programs are ignored.

    Args:
        file: The archive.
        size: Its size in bytes.
        path: Its name in errors.

    Raises:
        VideoError: If the archive is damaged, or a member is refused.
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
        return "has an absolute path, or one with '..', a backslash or a colon"
    return None


def _complaint(member: zipfile.ZipInfo, size: int) -> str | None:
    if not member.filename.lower().endswith(PICTURES):
        return f"is not a picture ({', '.join(PICTURES)})"
    return packing_complaint(member, size, MAX_PICTURE_BYTES)


def one_folder(
    members: dict[str, zipfile.ZipInfo], path: str
) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """Returns the folder of all members, "" or ending in "/", and the members by bare name."""
    folders = {name[: name.rfind("/") + 1] for name in members}
    if len(folders) > 1:
        few = " and ".join(map(repr, sorted(folders)[:2]))
        raise VideoError(
            f"{path}: has frames in several folders ({few}). Expected those of one video; a list "
            "refers to one of several videos as 'archive.zip!folder'."
        )
    folder = next(iter(folders), "")
    return folder, {name[len(folder) :]: member for name, member in members.items()}


def read_member(file: BinaryIO, member: np.void, name: str, path: str) -> bytes:
    """Reads the bytes of one member, never more than the archive's list declares."""
    offset, packed, size, crc, method = (int(member[k]) for k in MEMBER.names or ())
    file.seek(offset)
    head = file.read(LOCAL_BYTES)
    lengths = [int.from_bytes(head[k : k + 2], "little") for k in (26, 28)]
    stored_name = file.read(sum(lengths))[: lengths[0]]
    if head[:4] != b"PK\x03\x04" or stored_name not in (
        name.encode(),
        name.encode("cp437", "replace"),
    ):
        raise _damaged(path, f"{name!r} is not where the list of members declares")
    data = file.read(packed)
    try:
        data = unpack(data, method, size)
    except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
        raise _damaged(path, f"{name!r}: {error}") from None
    if len(data) != size or zlib.crc32(data) != crc:
        raise _damaged(path, f"{name!r} differs from its declared {size} bytes or checksum")
    return data


def _refused(path: str, name: str, why: str) -> VideoError:
    return VideoError(f"{path}: member {name!r} {why}. Write the archive again without it.")


def _damaged(path: str, found: str) -> VideoError:
    return VideoError(
        f"{path}: is a damaged archive ({found}). Copy or download it again, or take it "
        "off the list."
    )
