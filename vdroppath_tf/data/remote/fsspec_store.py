"""Object stores read through packages of fsspec, with any TensorFlow."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from vdroppath_tf.data.remote.store import Store

# The packages whose exceptions come from a store, and the errno for each HTTP status.
_LIBRARIES = {"botocore", "azure", "gcsfs", "google", "aiohttp"}
_ERRNO = {401: errno.EACCES, 403: errno.EACCES, 404: errno.ENOENT, 416: errno.EINVAL}


class FsspecStore(Store):
    """An object store that a package of fsspec reads, with any TensorFlow."""

    def __init__(self, scheme: str) -> None:
        import fsspec

        self._start, self._class = f"{scheme}://", fsspec.get_filesystem_class(scheme)

    @contextmanager
    def _system(self) -> Iterator[Any]:
        try:
            # fsspec keeps one instance for each process; its listings must not be cached.
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
            if error.errno == errno.EINVAL:  # the range begins after the end
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
    """Returns errno and text for an exception of a store's package."""
    status = getattr(error, "code", getattr(error, "status_code", 0))
    name = type(error).__name__
    return _ERRNO.get(status, 0) if isinstance(status, int) else 0, name
