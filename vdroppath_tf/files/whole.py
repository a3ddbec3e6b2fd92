"""Files and folders that appear whole or not at all: written aside, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from vdroppath_tf.names import named


@named
@contextlib.contextmanager
def new_file(
    path: str | os.PathLike[str], *, shared: bool = True, durable: bool = True
) -> Iterator[Path]:
    """Gives a hidden file beside the wanted one to write; it takes its place if the body ends well.

    Whoever reads the path sees the old file or the new one.

    Args:
        path: The file wanted.
        shared: Whether several threads or processes may write it at a time. Where not, the hidden
            file has one name, so that the next run writes over what a killed one has left.
        durable: Whether the content reaches the disk before the name does, so that a power cut
            leaves no empty file. It costs milliseconds a file.
    """
    target = Path(path)
    aside = _aside(target, shared)
    try:
        yield aside
        if durable:
            _to_disk(aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)


@named
@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str], *, shared: bool = True) -> Iterator[Path]:
    """Gives an empty hidden folder beside the wanted one; it takes its place if the body ends well.

    A folder that is there stays until the new one is whole. At no time is a folder of that name
    there that is not.

    Args:
        path: The folder wanted; the one above it must be there.
        shared: As for `new_file`.
    """
    target = Path(path)
    aside = _aside(target, shared)
    old = aside.with_name(f"{aside.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
        for file in aside.rglob("*"):
            if file.is_file():
                _to_disk(file)
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            os.replace(target, old)
        os.replace(aside, target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a UTF-8 file, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file, whole or not at all."""
    with new_file(path) as file:
        file.write_bytes(content)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _aside(target: Path, shared: bool) -> Path:
    """The hidden neighbour of a path; it keeps the suffix, by which some writers go."""
    writer = f"{os.getpid()}-{threading.get_ident()}." if shared else ""
    return target.with_name(f".partial.{writer}{target.name}")


def _to_disk(file: Path) -> None:
    with open(file, "rb") as opened:
        os.fsync(opened.fileno())
