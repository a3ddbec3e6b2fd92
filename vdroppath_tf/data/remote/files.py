"""Reads and writes files that may be remote: local paths, http(s), gs, s3 and az URLs.

`http://` and `https://` are read with requests; `s3://`, `az://` and `gs://` with packages of
fsspec. TensorFlow itself reads `gs://` too, and tensorflow-io reads `s3://` and `az://` where it
works (TensorFlow 2.16 and 2.17).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import tensorflow as tf

from vdroppath_tf.data.remote.http import read_http, too_large
from vdroppath_tf.data.remote.stores import (
    OBJECT_STORES,
    as_video_error,
    native_io,
    store_name,
    store_of,
)
from vdroppath_tf.data.remote.urls import is_remote, join, scheme_of, shown
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.names import named

__all__ = [
    "delete_file",
    "is_remote",
    "join",
    "leave",
    "list_files",
    "probe",
    "read_file",
    "read_range",
    "shown",
    "write_file",
]

MAX_BYTES = 1 << 31
"""Reads of more than this many bytes are refused."""


@contextmanager
def _one_message(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise as_video_error(path, error) from None


@named
def read_file(path: str, *, limit: int) -> bytes:
    """Reads a whole small file.

    Args:
        path: A local path or a URL.
        limit: The largest size of the file, in bytes.

    Returns:
        The bytes of the file.

    Raises:
        VideoError: If it does not exist, is larger, or cannot be read.
        ValueError: If no installed package reads such a URL; the message says what to install.

    Example:
        ```python
        index = read_file("s3://bucket/records/index.json", limit=1 << 24)
        ```
    """
    limit = min(limit, MAX_BYTES)
    if scheme_of(path) in ("http", "https"):
        return read_http(path, 0, None, limit)
    store = store_of(scheme_of(path))
    with _one_message(path):
        data = store.read(path, 0, limit + 1)
    if len(data) > limit:
        raise too_large(path, limit)
    return data


@named
def read_range(path: str, offset: int, length: int) -> bytes:
    """Reads exactly `length` bytes of a file, starting at `offset`. Thread safe.

    Args:
        path: A local path or a URL.
        offset: The position of the first byte, from 0.
        length: The number of bytes, at most 2 GiB.

    Returns:
        The bytes.

    Raises:
        VideoError: If the file does not exist, has fewer bytes, or cannot be read.
        ValueError: If no installed package reads such a URL; the message says what to install.

    Example:
        ```python
        head = read_range("https://example.org/train.tfrecord", 0, 12)
        ```
    """
    if offset < 0 or not 0 <= length <= MAX_BYTES:
        raise VideoError(
            f"{shown(path)}: expected an offset from 0 and 0 to {MAX_BYTES} bytes. "
            f"Received: offset {offset}, {length} bytes."
        )
    if length == 0:
        return b""
    if scheme_of(path) in ("http", "https"):
        data = read_http(path, offset, length, length)
    else:
        store = store_of(scheme_of(path))
        with _one_message(path):
            data = store.read(path, offset, length)
    if len(data) != length:
        raise VideoError(
            f"{shown(path)}: is cut short: {len(data)} of the {length} bytes from byte {offset} on "
            "are there. Copy or write it again."
        )
    return data


@named
def write_file(path: str, data: bytes) -> None:
    """Writes a file whole or not at all; missing folders are made.

    Args:
        path: A local path, or the URL of an object store.
        data: The bytes.

    Raises:
        VideoError: If it cannot be written.
        ValueError: If no installed package writes such a URL.

    Example:
        ```python
        write_file("s3://bucket/notes.txt", b"done")
        ```
    """
    store = store_of(scheme_of(path))
    with _one_message(path):
        store.write(path, data)


@named
def list_files(folder: str) -> list[str]:
    """Lists all files below a folder or URL, relative to it, sorted; none if it is missing.

    Args:
        folder: A local folder, or the URL of an object store.

    Returns:
        The names.

    Raises:
        VideoError: If it cannot be listed.

    Example:
        ```python
        list_files("s3://bucket/records")
        ```
    """
    store = store_of(scheme_of(folder))
    with _one_message(folder):
        return sorted(store.files(folder))


@named
def delete_file(path: str) -> None:
    """Deletes a file; a file that does not exist is no error.

    Args:
        path: A local path, or the URL of an object store.

    Raises:
        VideoError: If it cannot be deleted.

    Example:
        ```python
        delete_file("s3://bucket/notes.txt")
        ```
    """
    store = store_of(scheme_of(path))
    with _one_message(path):
        store.delete(path)


@named
def probe() -> dict[str, str]:
    """Returns the package that reads each kind of URL here, by scheme; empty if there is none.

    Example:
        ```python
        probe()  # {"http": "requests", "https": "requests", "gs": "tensorflow", "s3": "", "az": ""}
        ```
    """
    return {"http": "requests", "https": "requests"} | {s: store_name(s) for s in OBJECT_STORES}


def leave(code: int) -> NoReturn:
    """Ends the process with this exit code, even after tensorflow-io was used.

    After `s3://` through tensorflow-io, an ordinary exit aborts with code 134 in the destructors of
    its library (tensorflow/io issue 2039), instead of the exit code of the program.
    """
    if "tensorflow_io" not in sys.modules or not native_io():
        sys.exit(code)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
