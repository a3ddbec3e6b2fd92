"""Looking into HDF5 files that anybody may have written: nothing outside the file is opened."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from vdroppath_tf.data.container import VideoError
from vdroppath_tf.data.still import MAX_PICTURE_BYTES

MAX_CHUNK_BYTES = 1 << 28
"""Data sets with larger chunks are refused: HDF5 unpacks whole chunks."""

# deflate, shuffle, fletcher32, szip, nbit, scale-offset, lzf. Any other would load a plugin.
_FILTERS = {1, 2, 3, 4, 5, 6, 32000}


@contextlib.contextmanager
def open_hdf5(file: str, path: str) -> Iterator[Any]:
    """The file's root; HDF5's errors, then and in the body of the `with`, become `VideoError`."""
    try:
        # Room for any chunk: one that does not fit is unpacked anew for each of its frames.
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
    """What the key names, reached without leaving the file.

    Raises:
        VideoError: it is not there, or a link leads to it.
    """
    item = root
    for part in filter(None, key.split("/")):
        if not isinstance(item, h5py.Group):
            raise VideoError(f"{path}: {item.name} is a data set, so there is nothing under it.")
        item = _member(item, part, path)
    return item


def _member(group: Any, name: str, path: str) -> Any:
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
    """The data set with this name, checked."""
    data_set = _member(group, name, path)
    if not isinstance(data_set, h5py.Dataset):
        raise VideoError(
            f"{path}: {name!r} is a group; expected a data set for each frame. Set key to the "
            "group of one video."
        )
    check_data_set(data_set, f"{path}: {name}")
    return data_set


def check_data_set(data_set: Any, path: str) -> None:
    """Raises `VideoError` unless a data set holds bytes of its own, within bounds."""
    if data_set.is_virtual or data_set.external:
        raise VideoError(f"{path}: keeps its data in other files. Expected the data itself.")
    if data_set.dtype != np.uint8 or data_set.shape is None:
        raise wrong_kind(path, data_set)
    created = data_set.id.get_create_plist()
    filters = {created.get_filter(k)[0] for k in range(created.get_nfilters())}
    if not filters <= _FILTERS:
        raise VideoError(
            f"{path}: is packed by HDF5 plugins {filters - _FILTERS}. Use gzip or lzf."
        )
    if data_set.ndim == 1 and data_set.size > MAX_PICTURE_BYTES:
        raise VideoError(
            f"{path}: has {data_set.size} bytes; at most {MAX_PICTURE_BYTES} are read."
        )
    if math.prod(data_set.chunks or ()) > MAX_CHUNK_BYTES:
        raise VideoError(
            f"{path}: has chunks of {data_set.chunks}; at most {MAX_CHUNK_BYTES} bytes are read."
        )


def wrong_kind(path: str, data_set: Any) -> VideoError:
    """The error about a data set that holds something else than frames."""
    return VideoError(
        f"{path}: is {data_set.dtype} {data_set.shape}; expected uint8: (time, height, width, 3), "
        "or for each frame (height, width, 3) or the (length,) bytes of a picture."
    )
