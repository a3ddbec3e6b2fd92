"""Reading files and parts of them."""

from __future__ import annotations

import os

from vdroppath_tf.data.container import VideoError


def read_file(path: str, *, limit: int) -> bytes:
    """The whole of a small file.

    Args:
        path: local path.
        limit: bytes it may have at most.

    Raises:
        VideoError: it is not there, larger, or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _error(path, error) from None
    if len(data) > limit:
        raise VideoError(f"{path}: is larger than {limit} bytes.")
    return data


def read_range(path: str, offset: int, length: int) -> bytes:
    """Exactly `length` bytes of a file, from `offset` on. Thread safe.

    Args:
        path: local path.
        offset: of the first byte, from 0.
        length: number of bytes.

    Raises:
        VideoError: it is not there, has fewer bytes, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            data = os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _error(path, error) from None
    if len(data) != length:
        raise VideoError(
            f"{path}: is cut short: {len(data)} of the {length} bytes from byte {offset} on are "
            "there. Copy or write it again."
        )
    return data


def _error(path: str, error: OSError) -> VideoError:
    if isinstance(error, FileNotFoundError):
        return VideoError(f"{path}: is not there. Check the path.")
    return VideoError(f"{path}: cannot be read ({error}). Check the path.")
