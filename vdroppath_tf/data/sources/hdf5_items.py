"""Safe access to untrusted HDF5 files: nothing outside the file is opened."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.still import MAX_PICTURE_BYTES
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named

MAX_CHUNK_BYTES = 1 << 28
"""Data sets with larger chunks are refused, since HDF5 unpacks whole chunks."""

_VIDEO_RANK = 4  # (time, height, width, 3)
_DEEPEST = 8  # nested groups in which "/" is searched; a group may contain itself

OWN_FILTERS = frozenset({1, 2, 3, 5, 6})
"""HDF5's built-in filters: deflate, shuffle, fletcher32, nbit and scale-offset."""
# Plus szip and h5py's lzf. Any other filter would load a plugin.
_FILTERS = OWN_FILTERS | {4, 32000}


@contextlib.contextmanager
def open_hdf5(file: str, path: str) -> Iterator[Any]:
    """Yields the root of a file; HDF5's errors, also in the body of `with`, become `VideoError`."""
    try:
        open_regular(file).close()  # HDF5 itself waits at a pipe until somebody writes
        # The cache holds any chunk: one that does not fit would be unpacked for each of its frames.
        with h5py.File(file, "r", rdcc_nbytes=MAX_CHUNK_BYTES) as root:
            yield root
    except VideoError:
        raise
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise VideoError(
            f"{path}: cannot be read as HDF5 ({error}). Copy or write the file again, or take it "
            "off the list."
        ) from error


def resolve(root: Any, key: str, path: str) -> Any:
    """Returns the object that a key names, reached without leaving the file.

    Raises:
        VideoError: If it does not exist, or is reached through a link.
    """
    item = root
    for part in filter(None, key.split("/")):
        if not isinstance(item, h5py.Group):
            raise VideoError(f"{path}: {item.name} is a data set, so there is nothing under it.")
        item = member(item, part, path)
    return item


def video_of(root: Any, key: str, path: str) -> Any:
    """Returns the group or the checked data set of a key; for "/", the only video of a file.

    Raises:
        VideoError: See `resolve` and `check_data_set`.
    """
    item = resolve(root, key, path)
    for _ in range(0 if key.strip("/") else _DEEPEST):
        item = _only_member(item, path) or item
    if isinstance(item, h5py.Dataset):
        check_data_set(item, path)
    return item


def _only_member(group: Any, path: str) -> Any:
    """Returns the only member of a group, unless that is a frame; else None."""
    if not isinstance(group, h5py.Group) or len(group) != 1:
        return None
    item = member(group, next(iter(group)), path)
    whole = isinstance(item, h5py.Dataset) and item.ndim == _VIDEO_RANK
    return item if whole or isinstance(item, h5py.Group) else None


def member(group: Any, name: str, path: str) -> Any:
    """Returns a member of a group, if it is the object itself and not a link to one.

    Raises:
        VideoError: See `resolve`.
    """
    link = None if name == "." else group.get(name, getlink=True)
    if link is None:
        few = ", ".join(map(repr, itertools.islice(group, 3))) or "nothing"
        raise VideoError(f"{path}: there is no {name!r}; {group.name} holds {few} ...")
    if not isinstance(link, h5py.HardLink):
        raise VideoError(
            f"{path}: {name!r} is a link to another place or file. Expected the data itself."
        )
    return group[name]


def frame_of(group: Any, name: str, path: str) -> Any:
    """Returns the data set with this name, checked."""
    data_set = member(group, name, path)
    if not isinstance(data_set, h5py.Dataset):
        raise VideoError(
            f"{path}: {name!r} is a group; expected a data set for each frame. Set key to the "
            "group of one video."
        )
    check_data_set(data_set, f"{path}: {name}")
    return data_set


@named
def check_data_set(data_set: Any, path: str, filters: frozenset[int] = _FILTERS) -> None:
    """Raises `VideoError` unless a data set holds bytes, within bounds, packed by known filters.

    Args:
        data_set: The data set.
        path: Its name in errors.
        filters: The numbers of the filters that the reader supports. Defaults to those of h5py.
    """
    if data_set.is_virtual or data_set.external:
        raise VideoError(f"{path}: keeps its data in other files. Expected the data itself.")
    if data_set.dtype != np.uint8 or data_set.shape is None:
        raise wrong_kind(path, data_set)
    created = data_set.id.get_create_plist()
    packed = {created.get_filter(k)[0] for k in range(created.get_nfilters())}
    if not packed <= filters:
        raise VideoError(
            f"{path}: is packed by HDF5's filters {sorted(packed - filters)}, which are not "
            "supported. Pack it with gzip."
        )
    if data_set.ndim == 1 and data_set.size > MAX_PICTURE_BYTES:
        raise VideoError(
            f"{path}: has {data_set.size} bytes. Expected at most {MAX_PICTURE_BYTES}."
        )
    if math.prod(data_set.chunks or ()) > MAX_CHUNK_BYTES:
        raise VideoError(
            f"{path}: has chunks of {data_set.chunks}. Expected at most {MAX_CHUNK_BYTES} bytes."
        )


def wrong_kind(path: str, data_set: Any) -> VideoError:
    """Returns the error for a data set that holds something other than frames."""
    return VideoError(
        f"{path}: is {data_set.dtype} {data_set.shape}; expected uint8: (time, height, width, 3), "
        "or for each frame (height, width, 3) or the (length,) bytes of a picture."
    )
