"""A folder with one folder of videos a class."""

from __future__ import annotations

import os
from collections.abc import Sequence

from vdroppath_tf.data.lists.class_order import in_order, order_note
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import SUFFIXES, Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.names import named

PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_EXPECTED = {
    "videos": f"{', '.join(SUFFIXES)} files",
    "frames": "folders of pictures",
    "zips": ".zip files of pictures",
    "hdf5": ".h5 files of frames",
}


@named
def read_folder(
    path: PathLike,
    *,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads a folder with one folder of videos a class; the sorted folder names are the classes.

    A video is a video file, a folder of pictures (or of one `RGB_frames.zip`), a zip file of
    pictures, or an HDF5 file of frames: `class/a.mp4`, `class/a/00001.jpg`,
    `class/a/RGB_frames.zip`, `class/a.zip`, `class/a.h5`.

    Args:
        path: the folder. Leftovers of systems and archives (`__MACOSX`, hidden names, ...)
            and files that are no videos are passed over.
        labels: names of the classes in their order; default the folders found.
        kind: "videos", "frames", "zips" or "hdf5" are wanted, and others passed over; None takes
            what is there, if it is of one kind.
        lookup: how names become videos.

    Raises:
        ManifestError: the folder is missing, holds no class folder, a class without videos, videos
            of two kinds, a class that `labels` lacks, or a video that leads out of it.
    """
    if not os.path.isdir(path):
        raise ManifestError(f"{path}: is not a folder. Expected a folder of class folders.")
    real = os.path.realpath(path)
    found = in_order(f.name for f in os.scandir(real) if f.is_dir() and not is_leftover(f.name))
    if not found:
        raise ManifestError(
            f"{path}: holds no class folders. Expected class_name/video.mp4, or pass a list file."
        )
    if len(found) > 1 and {name.lower() for name in found} <= PARTS:
        raise ManifestError(
            f"{path}: its folders {', '.join(found)} are parts of a data set, not classes. Pass "
            f"one of them, such as {os.path.join(path, found[0])}, or the list files beside them."
        )
    if labels is not None and (unknown := [name for name in found if name not in set(labels)]):
        raise ManifestError(
            f"{path}: class folder {unknown[0]!r} is not among the labels {list(labels)[:9]}."
        )
    videos = Collector(path, path, lookup, found if labels is None else labels)
    if labels is None and (note := order_note(found)):
        videos.note(note)
    first = kind
    for name in found:
        folder = os.path.join(real, name)
        children = videos.tree.children(name, folder)
        if kind is not None:
            children = [child for child in children if child[1] == kind]
        if not children:
            wanted = _EXPECTED.values() if kind is None else [_EXPECTED[kind]]
            raise ManifestError(f"{folder}: holds no video. Expected {', or '.join(wanted)}.")
        first = first or children[0][1]
        for video, its_kind in children:
            if its_kind != first:
                raise ManifestError(
                    f"{folder}: {video!r} is not of the kind {first!r}, as videos before it are. "
                    f"Pass format='folders-of-{first}' or 'folders-of-{its_kind}' to take one kind."
                )
            videos.add(f"{name}/{video}", videos.numbers[name], None, folder)
    return videos.manifest("class folders")
