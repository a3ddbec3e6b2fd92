"""Where files lie beside web servers: this machine, TensorFlow's file systems, s3fs."""

from __future__ import annotations

import errno
import functools
import importlib.util
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tensorflow as tf

from .container import VideoError
from .disk import replacing
from .urls import shown

OBJECT_STORES = ("gs", "s3", "az")


class Store(ABC):
    """Reads and writes files by path or URL. Errors are `OSError` or `tf.errors.OpError`."""

    @abstractmethod
    def read(self, path: str, offset: int, length: int) -> bytes:
        """Up to `length` bytes; fewer only where the file ends."""

    @abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Writes a file; whoever reads it sees the old one or the new one."""

    @abstractmethod
    def files(self, folder: str) -> Iterator[str]:
        """Names of all files below a folder, relative to it; none where it is not there."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Deletes a file; it may be gone already."""


class LocalStore(Store):
    """Files of this machine."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        with open(path, "rb") as file:
            wanted = min(length, max(0, os.fstat(file.fileno()).st_size - offset))
            pieces = []
            while wanted and (piece := os.pread(file.fileno(), wanted, offset)):
                pieces.append(piece)
                wanted, offset = wanted - len(piece), offset + len(piece)
        return b"".join(pieces)

    def write(self, path: str, data: bytes) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            file.write_bytes(data)

    def files(self, folder: str) -> Iterator[str]:
        for file in Path(folder).rglob("*"):
            if file.is_file():
                yield file.relative_to(folder).as_posix()

    def delete(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)


class GfileStore(Store):
    """What TensorFlow reads: gs:// always; s3:// and az:// where tensorflow-io works."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        try:
            with tf.io.gfile.GFile(path, "rb") as file:
                file.seek(offset)
                return file.read(length)
        except tf.errors.OutOfRangeError:  # it begins behind the end
            return b""

    def write(self, path: str, data: bytes) -> None:
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write(data)

    def files(self, folder: str) -> Iterator[str]:
        start = folder.rstrip("/") + "/"
        for inside, _, names in tf.io.gfile.walk(start):
            for name in names:
                yield f"{inside.rstrip('/')}/{name}".removeprefix(start)

    def delete(self, path: str) -> None:
        with suppress(tf.errors.NotFoundError):
            tf.io.gfile.remove(path)


class S3fsStore(Store):
    """s3:// without tensorflow-io, on any TensorFlow."""

    def __init__(self) -> None:
        import botocore.exceptions
        import s3fs

        self.make, self.error = s3fs.S3FileSystem, botocore.exceptions.BotoCoreError

    @contextmanager
    def _system(self) -> Iterator[Any]:
        try:
            # s3fs keeps one a process; what is listed must not be remembered
            yield self.make(use_listings_cache=False)
        except self.error as error:
            raise OSError(0, type(error).__name__) from None

    def read(self, path: str, offset: int, length: int) -> bytes:
        try:
            with self._system() as s3:
                return s3.cat_file(path, start=offset, end=offset + length)
        except OSError as error:
            if error.errno == errno.EINVAL:  # a range that begins behind the end
                return b""
            raise

    def write(self, path: str, data: bytes) -> None:
        with self._system() as s3:
            s3.pipe_file(path, data)

    def files(self, folder: str) -> Iterator[str]:
        start = folder.removeprefix("s3://").rstrip("/") + "/"
        with self._system() as s3:
            found = s3.find(folder)
        return (name.removeprefix(start) for name in found)

    def delete(self, path: str) -> None:
        with self._system() as s3:
            s3.rm_file(path)


@functools.lru_cache(maxsize=1)
def native_io() -> bool:
    """Whether tensorflow-io is there and its native file systems load with this TensorFlow.

    Its last release installs with TensorFlow 2.18 and later too; only what it registers tells.
    """
    if importlib.util.find_spec("tensorflow_io") is None:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the libraries that did not load
        try:
            importlib.import_module("tensorflow_io")
        except (ImportError, AttributeError, NotImplementedError, tf.errors.OpError):
            return False
    return "s3" in tf.io.gfile.get_registered_schemes()


def store_name(scheme: str) -> str:
    """What reads a scheme here: tensorflow, tensorflow-io or s3fs; empty where nothing does."""
    if scheme in tf.io.gfile.get_registered_schemes() and scheme == "gs":
        return "tensorflow"
    if native_io() and scheme in tf.io.gfile.get_registered_schemes():
        return "tensorflow-io"
    if scheme == "s3" and importlib.util.find_spec("s3fs") is not None:
        return "s3fs"
    return ""


@functools.lru_cache(maxsize=8)
def store_of(scheme: str) -> Store:
    """What reads and writes a scheme, the empty one being local.

    Raises:
        ValueError: nothing does here; says what to install.
    """
    if scheme == "":
        return LocalStore()
    if scheme not in OBJECT_STORES:
        raise ValueError(
            f"{scheme}://: expected a local path, http://, https:// (reading only), gs://, s3:// "
            "or az://."
        )
    name = store_name(scheme)
    if name == "s3fs":
        return S3fsStore()
    if name:
        return GfileStore()
    raise ValueError(_missing(scheme))


def _missing(scheme: str) -> str:
    native = "the extra 'io' (tensorflow-io 0.37.1, with TensorFlow 2.16 or 2.17)"
    ways = f"the extra 'remote' (s3fs, any TensorFlow) or {native}" if scheme == "s3" else native
    there = importlib.util.find_spec("tensorflow_io") is not None
    found = "its native part does not load" if there else "is not installed"
    return (
        f"{scheme}:// cannot be used here: it needs {ways}. Found: TensorFlow {tf.__version__}; "
        f"tensorflow-io {found}."
    )


def as_video_error(path: str, error: Exception) -> VideoError:
    """A store's error as one message; never the store's own text, which may hold signatures."""
    if isinstance(error, FileNotFoundError | tf.errors.NotFoundError):
        return VideoError(f"{shown(path)}: is not there. Check the path.")
    denied = (PermissionError, tf.errors.PermissionDeniedError, tf.errors.UnauthenticatedError)
    if isinstance(error, denied):
        return VideoError(f"{shown(path)}: may not be used. Check permissions and credentials.")
    reason = getattr(error, "strerror", None) if isinstance(error, OSError) else None
    return VideoError(
        f"{shown(path)}: cannot be used ({reason or type(error).__name__}). Check the path, the "
        "credentials and the connection."
    )
