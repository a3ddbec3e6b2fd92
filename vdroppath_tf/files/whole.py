"""Files and folders written whole or not at all: written next to the target, then renamed."""

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
    """Yields a path to write a file or folder at, which replaces the target if the body succeeds.

    A reader of the target sees either the old content or the new one. The path yielded has the
    name of the target, with its suffix, in a hidden folder next to it.

    Args:
        path: The target file or folder; missing folders above it are made.
        shared: Whether several threads or processes may write the target at once. If not, the
            hidden folder has a fixed name, so that the next run removes what a killed run left.
            Defaults to True.
        durable: Whether the content is flushed to the disk before the rename, so that a power cut
            leaves no empty file. This takes milliseconds a file. Defaults to True.

    Example:
        ```python
        with replacing("scores.csv") as path:
            path.write_text("strategy,top1")
        ```
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
    """Renames a folder in two steps, since one step cannot replace it, and undoes a failed one."""
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
    """Opens a file for reading, but not a pipe or a device, which could block the reader forever.

    Raises:
        io.UnsupportedOperation: If it is not a regular file; the message names it. It is both a
            `ValueError` and an `OSError`.
        OSError: If it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        # both an OSError, as what cannot be read is, and a ValueError, as what is no input is
        raise io.UnsupportedOperation(f"{os.fspath(path)}: is not a regular file. Expected a file.")
    return os.fdopen(descriptor, "rb")


@named
def open_text(
    path: str | os.PathLike[str], *, encoding: str = "utf-8", errors: str = "strict"
) -> TextIO:
    """Opens a text file for reading, as `open_regular` does; see `open` for the arguments."""
    return io.TextIOWrapper(open_regular(path), encoding, errors)


@named
def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Returns the whole content of a regular file.

    Raises:
        ValueError: If it is not a regular file; the message names it.
        OSError: If it cannot be read.
    """
    with open_regular(path) as file:
        return file.read()


@named
def sha256_of(path: str | os.PathLike[str]) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
