"""The interface of file stores, and the store of local files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from vdroppath_tf.files import open_regular, write_bytes


class Store(ABC):
    """Reads and writes files by path or URL. Errors are `OSError` or `tf.errors.OpError`."""

    @abstractmethod
    def read(self, path: str, offset: int, length: int) -> bytes:
        """Returns up to `length` bytes; fewer only at the end of the file."""

    @abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Writes a file; a reader sees either the old or the new one."""

    @abstractmethod
    def files(self, folder: str) -> Iterator[str]:
        """Yields the names of all files below a folder, relative to it; none if it is missing."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Deletes a file, which may not exist."""


class LocalStore(Store):
    """The files of this machine."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        with open_regular(path) as file:
            wanted = min(length, max(0, os.fstat(file.fileno()).st_size - offset))
            pieces = []
            while wanted and (piece := os.pread(file.fileno(), wanted, offset)):
                pieces.append(piece)
                wanted, offset = wanted - len(piece), offset + len(piece)
        return b"".join(pieces)

    def write(self, path: str, data: bytes) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, data)

    def files(self, folder: str) -> Iterator[str]:
        for file in Path(folder).rglob("*"):
            if file.is_file():
                yield file.relative_to(folder).as_posix()

    def delete(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
