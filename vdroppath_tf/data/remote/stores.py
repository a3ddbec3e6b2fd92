"""Where files lie beside web servers: this machine, TensorFlow's file systems, fsspec's."""

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

from vdroppath_tf.data.remote.urls import shown
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.files import write_bytes

OBJECT_STORES = ("gs", "s3", "az")
FSSPEC = {"s3": "s3fs", "az": "adlfs", "gs": "gcsfs"}
"""Packages that read a scheme with any TensorFlow."""
# whose errors are a store's, and what HTTP calls them
_LIBRARIES = {"botocore", "azure", "gcsfs", "google", "aiohttp"}
_ERRNO = {401: errno.EACCES, 403: errno.EACCES, 404: errno.ENOENT, 416: errno.EINVAL}


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
        write_bytes(target, data)

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


class FsspecStore(Store):
    """What one of fsspec's packages reads, on any TensorFlow."""

    def __init__(self, scheme: str) -> None:
        import fsspec

        self._start, self._class = f"{scheme}://", fsspec.get_filesystem_class(scheme)

    @contextmanager
    def _system(self) -> Iterator[Any]:
        try:
            # fsspec keeps one a process; what is listed must not be remembered
            yield self._class(use_listings_cache=False)
        except OSError:
            raise
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in _LIBRARIES:
                raise
            raise OSError(*_reason(error)) from None

    def read(self, path: str, offset: int, length: int) -> bytes:
        try:
            with self._system() as system:
                return system.cat_file(path, start=offset, end=offset + length)
        except OSError as error:
            if error.errno == errno.EINVAL:  # a range that begins behind the end
                return b""
            raise

    def write(self, path: str, data: bytes) -> None:
        with self._system() as system:
            system.pipe_file(path, data)

    def files(self, folder: str) -> Iterator[str]:
        start = folder.removeprefix(self._start).rstrip("/") + "/"
        found = []
        with suppress(FileNotFoundError), self._system() as system:
            found = system.find(folder)
        return (name.removeprefix(start) for name in found)

    def delete(self, path: str) -> None:
        with suppress(FileNotFoundError), self._system() as system:
            system.rm_file(path)


def _reason(error: Exception) -> tuple[int, str]:
    """errno and text of an error that fsspec's packages let through."""
    status = getattr(error, "code", getattr(error, "status_code", 0))
    name = type(error).__name__
    return _ERRNO.get(status, 0) if isinstance(status, int) else 0, name


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
    """What reads a scheme here: one of `FSSPEC`, tensorflow or tensorflow-io; empty: nothing."""
    known = tf.io.gfile.get_registered_schemes()
    if scheme == "s3" and native_io():
        return "tensorflow-io"
    if importlib.util.find_spec(FSSPEC[scheme]) is not None:
        return FSSPEC[scheme]
    if scheme == "gs" and scheme in known:
        return "tensorflow"
    return "tensorflow-io" if native_io() and scheme in known else ""


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
    if name == FSSPEC[scheme]:
        return FsspecStore(scheme)
    if name:
        return GfileStore()
    raise ValueError(_missing(scheme))


def _missing(scheme: str) -> str:
    native = "the extra 'io' (tensorflow-io 0.37.1, with TensorFlow 2.16 or 2.17)"
    extra = "remote" if scheme == "s3" else f"remote-{scheme}"
    ways = f"the extra '{extra}' ({FSSPEC[scheme]}, any TensorFlow)"
    ways += "" if scheme == "gs" else f" or {native}"
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
