"""Folders with one sub-folder of videos for each class."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from vdroppath_tf.data.lists.class_checks import (
    class_level,
    note_on_files,
    notes_on,
    nothing_found,
    settle_kinds,
    without_documents,
)
from vdroppath_tf.data.lists.class_order import in_order, order_note
from vdroppath_tf.data.lists.class_scan import ClassScan
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.part_folders import choose_part, folders_in
from vdroppath_tf.data.lists.tables.reader import has_metadata, read_table
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import Lookup, VideoTree
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named


@named
def read_folder(
    path: PathLike,
    *,
    labels: Sequence[str] | None = None,
    kind: str | None = None,
    lookup: Lookup | None = None,
    part: str | None = None,
) -> Manifest:
    """Reads a folder with one folder of videos per class; the sorted folder names are the classes.

    A video is a video file, a folder of pictures (or of one `RGB_frames.zip`), a zip file of
    pictures, or an HDF5 file of frames: `class/a.mp4`, `class/a/00001.jpg`,
    `class/a/RGB_frames.zip`, `class/a.zip`, `class/a.h5`. It may also lie in a folder below that of
    the class, as in `class/subject/a.mp4`. Class folders may lie in folders `train`, `val` and
    `test`; these may also have lists named `metadata.csv`, as on the Hugging Face Hub.

    Args:
        path: The folder. Files of systems and archivers (`__MACOSX`, hidden names, ...) are
            ignored. Files that are not videos are skipped, and counted in the notes.
        labels: The names of the classes, in order. Defaults to the folders found.
        kind: The kind of videos to read, "videos", "frames", "zips" or "hdf5"; others are skipped.
            Defaults to None: all videos must be of one kind.
        lookup: How names become videos, and which folder is the class. Defaults to `Lookup()`.
        part: "train", "validation" or "test", for a folder with sub-folders of these names.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the folder is missing, or holds no class folder, videos of two kinds, a
            class that `labels` lacks, or a video that leads out of it; it has parts and none is
            chosen; or it is uncertain which folder is the class.

    Example:
        ```python
        manifest = read_folder("dataset", part="train")  # dataset/train/jump/1.mp4, ...
        ```
    """
    if not os.path.isdir(path):
        raise ManifestError(f"{path}: is not a folder. Expected a folder of class folders.")
    lookup = lookup or Lookup()
    inside, said = choose_part(path, part)
    if inside and kind is None and has_metadata(os.path.join(path, inside)):
        listed = read_table(os.path.join(path, inside), labels=labels, lookup=lookup)
        return dataclasses.replace(listed, notes=(*said, *listed.notes))
    tree = VideoTree(path, lookup, os.fspath(path))
    folder = f"{tree.root}/{inside}"
    scan = ClassScan(tree, kind)
    found = {name: scan.read(f"{inside}{name}") for name in folders_in(folder)}
    if not found:
        raise ManifestError(
            f"{path}: holds no class folders. Expected class_name/video.mp4, or pass a list file."
        )
    read, documents = without_documents(found, labels)
    settle_kinds(read, kind, folder)
    names = {k: [video.name[len(inside) :] for video in one.videos] for k, one in read.items()}
    if not any(names.values()):
        raise ManifestError(f"{folder}: {nothing_found(found, kind)}")
    level = class_level(names, lookup.class_level, folder)
    if level == 1:
        classes = [*read]
    else:
        classes = in_order({name.split("/")[level - 1] for each in names.values() for name in each})
    if labels is not None and (unknown := [name for name in classes if name not in set(labels)]):
        raise ManifestError(
            f"{path}: class folder {unknown[0]!r} is not among the labels {list(labels)[:9]}."
        )
    if not lookup.allow_empty and (empty := [name for name, each in names.items() if not each]):
        raise ManifestError(f"{folder}{empty[0]}: {nothing_found({'': read[empty[0]]}, kind)}")
    videos = Collector(path, path, lookup, classes if labels is None else labels)
    order = order_note(classes) if labels is None else None
    beside = note_on_files(dict.fromkeys((f"{tree.root}/", folder)))
    for text in (*said, order, *notes_on(read, names, documents, level), beside):
        if text is not None:
            videos.note(text)
    for first, each in names.items():
        origin = f"{folder}{first}"
        for name, video in zip(each, read[first].videos, strict=True):
            number = videos.numbers[first if level == 1 else name.split("/")[level - 1]]
            if video.source is None:
                videos.add(video.name, number, None, origin)
            else:
                videos.add_source(video.source, video.name, number, origin)
    return videos.manifest("class folders")
