"""Files and folders that appear whole or not at all: written aside, then renamed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from vdroppath_tf.names import named


@named
@contextlib.contextmanager
def replacing(
    path: str | os.PathLike[str], *, shared: bool = True, durable: bool = True
) -> Iterator[Path]:
    """Gives a path to write a file or a folder at; it takes the wanted place if the body ends well.

    Whoever reads the place sees the old content or the new one. The path given has the wanted name,
    suffix and all, in a hidden folder beside it.

    Args:
        path: The file or folder wanted; folders above it are made where they are missing.
        shared: Whether several threads or processes may write it at a time. Where not, the hidden
            folder has one name, so that the next run clears away what a killed one has left.
        durable: Whether the content reaches the disk before the name does, so that a power cut
            leaves no empty file. It costs milliseconds a file.
    """
    target = Path(path)
    writer = f".{os.getpid()}-{threading.get_ident()}" if shared else ""
    room = target.with_name(f".{target.name}{writer}.tmp")
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir(parents=True)
    new = room / target.name
    try:
        yield new
        if durable:
            _to_disk(new)
        _rename(new, target, room / "old")
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _to_disk(path: Path) -> None:
    for file in (path, *path.rglob("*")):
        if file.is_file():
            with open(file, "rb") as opened:
                os.fsync(opened.fileno())


def _rename(new: Path, target: Path, old: Path) -> None:
    """A folder is not replaced in one step: at no time is one there that is not whole."""
    if not target.is_dir():
        os.replace(new, target)
        return
    os.replace(target, old)
    try:
        os.replace(new, target)
    except OSError:
        os.replace(old, target)
        raise


@named
def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a UTF-8 file, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


@named
def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file, whole or not at all."""
    with replacing(path) as new:
        new.write_bytes(content)


@named
def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Opens a file for reading; never a pipe or a device, which could keep the reader for ever.

    Raises:
        ValueError: If it is no regular file, naming it.
        OSError: If it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        raise ValueError(f"{os.fspath(path)}: is not a regular file. Expected a file.")
    return os.fdopen(descriptor, "rb")


@named
def open_text(
    path: str | os.PathLike[str], *, encoding: str = "utf-8", errors: str = "strict"
) -> TextIO:
    """Opens a text file for reading, as `open_regular` does; see `open` for the arguments."""
    return io.TextIOWrapper(open_regular(path), encoding, errors)


@named
def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The whole content of a regular file.

    Raises:
        ValueError: If it is no regular file, naming it.
        OSError: If it cannot be read.
    """
    with open_regular(path) as file:
        return file.read()


@named
def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
