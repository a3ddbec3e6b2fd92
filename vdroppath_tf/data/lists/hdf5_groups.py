"""A whole data set in one HDF5 file: a group for each class, with the videos in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py

from vdroppath_tf.data.lists.class_order import in_order, order_note
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.hdf5_items import member, open_hdf5
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Returns whether a file has the signature of HDF5."""
    if not path.is_file():
        return False
    with open_regular(path) as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


@named
def read_hdf5_file(path: PathLike, *, labels: Sequence[str] | None = None) -> Manifest:
    """Reads an HDF5 file of videos `class/video`; the sorted groups are the classes.

    Each video has a form that `Hdf5Frames` reads. Files with one video each, or whose videos are
    not grouped by class, are listed in a text file instead: `file.h5/video num_frames label`.

    Args:
        path: The HDF5 file.
        labels: The names of the classes, in order. Defaults to the groups found.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the file is damaged, or holds anything but groups of videos, a class
            without videos, or a class that `labels` lacks; or if a link leads elsewhere.

    Example:
        ```python
        manifest = read_hdf5_file("dataset.h5")
        ```
    """
    folder, name = os.path.split(os.path.abspath(path))
    if not name.lower().endswith((".h5", ".hdf5")):
        raise ManifestError(f"{path}: expected a name that ends in .h5 or .hdf5. Rename it.")
    try:
        with open_hdf5(os.path.join(folder, name), os.fspath(path)) as root:
            classes = in_order(name for name in root if not is_leftover(name))
            found = {label: sorted(_videos(root, label, path)) for label in classes}
    except VideoError as error:
        raise ManifestError(str(error)) from None
    if not found:
        raise ManifestError(f"{path}: is empty. Expected a group for each class.")
    videos = Collector(path, folder, None, [*found] if labels is None else labels)
    if labels is None and (note := order_note([*found])):
        videos.note(note)
    for label, names in found.items():
        number = videos.number(label, f"{path}: /{label}")
        for video in names:
            videos.add(f"{name}/{label}/{video}", number, None, f"{path}: /{label}")
    return videos.manifest("class/video")


def _videos(root: Any, label: str, path: PathLike) -> Iterator[str]:
    """Yields the names of the videos of a class; reads only their kind."""
    group = member(root, label, os.fspath(path))
    names = group if isinstance(group, h5py.Group) else ()
    for name in names:
        item = member(group, name, f"{path}: /{label}")
        if isinstance(item, h5py.Dataset) and item.ndim != 4:
            raise _no_classes(f"{path}: /{label}/{name} is {item.dtype} {item.shape}")
        yield name
    if not names:
        raise _no_classes(f"{path}: /{label} holds no video")


def _no_classes(found: str) -> VideoError:
    return VideoError(
        f"{found}. Expected a group for each class, and in it the videos: uint8 (time, height, "
        "width, 3), or groups of frames. List other files as 'file.h5/video num_frames label'."
    )
