"""Opens lists, folders and data sets of any format as a `Manifest`."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vdroppath_tf.data.lists.activitynet import read_activitynet
from vdroppath_tf.data.lists.charades import read_charades, read_charades_videos
from vdroppath_tf.data.lists.class_folders import read_folder
from vdroppath_tf.data.lists.classes_beside import category_file, have_direction, read_classes
from vdroppath_tf.data.lists.diving48 import read_diving48
from vdroppath_tf.data.lists.epic_kitchens import read_epic_kitchens
from vdroppath_tf.data.lists.hdf5_groups import is_hdf5, read_hdf5_file
from vdroppath_tf.data.lists.hmdb51 import is_hmdb51, read_hmdb51
from vdroppath_tf.data.lists.kinetics import read_kinetics
from vdroppath_tf.data.lists.known_files import known_format
from vdroppath_tf.data.lists.lines import read_list, read_pairs
from vdroppath_tf.data.lists.manifest_file import is_manifest, read_manifest, write_manifest
from vdroppath_tf.data.lists.moments import read_moments
from vdroppath_tf.data.lists.part_folders import folders_in, holds_video
from vdroppath_tf.data.lists.something import (
    is_id_and_class,
    read_something_v1,
    read_something_v2,
)
from vdroppath_tf.data.lists.tables.headers import lists_paths
from vdroppath_tf.data.lists.tables.layout import Layout
from vdroppath_tf.data.lists.tables.reader import has_metadata, read_table
from vdroppath_tf.data.lists.text_files import PathLike, start_of
from vdroppath_tf.data.lists.ucf101 import read_ucf101
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.lists.zip_classes import is_zip, read_zip
from vdroppath_tf.data.manifest import Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.records.index import holds_records
from vdroppath_tf.data.records.sequence_reader import read_sequence_examples, record_files
from vdroppath_tf.data.remote import urls
from vdroppath_tf.names import named

__all__ = [
    "FORMATS",
    "Manifest",
    "ManifestError",
    "VideoEntry",
    "find_format",
    "open_manifest",
    "options_of",
    "read_folder",
    "read_list",
    "write_manifest",
]


def _read_records(source: PathLike, *, labels: Sequence[str] | None = None) -> Manifest:
    from vdroppath_tf.data.records.reader import read_records

    return read_records(source, labels=labels)


FORMATS: dict[str, Callable[..., Manifest]] = {
    "table": read_table,
    "list": read_list,
    "path-label": read_pairs,
    "folders": read_folder,
    "folders-of-videos": partial(read_folder, kind="videos"),
    "folders-of-frames": partial(read_folder, kind="frames"),
    "folders-of-zips": partial(read_folder, kind="zips"),
    "folders-of-hdf5": partial(read_folder, kind="hdf5"),
    "hdf5": read_hdf5_file,
    "zip": read_zip,
    "ucf101": read_ucf101,
    "hmdb51": read_hmdb51,
    "kinetics": read_kinetics,
    "something-v1": read_something_v1,
    "something-v2": read_something_v2,
    "jester": read_something_v1,
    "activitynet": read_activitynet,
    "charades": read_charades,
    "charades-videos": read_charades_videos,
    "diving48": read_diving48,
    "epic-kitchens": read_epic_kitchens,
    "epic-kitchens-verbs": partial(read_epic_kitchens, classes="verb"),
    "epic-kitchens-nouns": partial(read_epic_kitchens, classes="noun"),
    "epic-kitchens-actions": partial(read_epic_kitchens, classes="action"),
    "moments": read_moments,
    "manifest": read_manifest,
    "records": _read_records,
    "sequence-examples": read_sequence_examples,
}
"""The function that reads each format; each takes `labels` and the options that apply to it."""
_LISTS = {"table", "list", "path-label"}
_START = 1 << 16  # characters from which a file's format is inferred
_OPTIONS = {"root", "label_base", "part", "split", "lookup", "layout"}


LABELS = "labels.txt"
"""The file next to a list that names its classes, one a line; runs write one too."""


@named
def open_manifest(
    source: PathLike,
    *,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    format: str | Layout | None = None,
    lookup: Lookup | None = None,
    label_base: int | None = None,
    part: str | None = None,
    split: int | str | None = None,
) -> Manifest:
    """Reads videos and labels from any of the `FORMATS`, without decoding videos.

    Args:
        source: A list, an annotation file or a folder, or the URL of a folder of records.
        root: The folder of the videos, which no path may leave. Defaults to the folder of the list.
            Not for class folders.
        labels: The names of the classes, in order. Pass those of the training videos for the
            validation videos, so that the numbers of classes agree. Defaults to those of a
            `labels.txt` next to the list, if there is one.
        format: One of `FORMATS`, or the `Layout` of a list. Defaults to None: see `find_format`.
        lookup: How names become videos: the names of frames in folders and zip files, and whether
            listed videos may be missing. Defaults to `Lookup()`.
        label_base: The number of the first class in a list, 0 or 1. Defaults to None, which means
            0.
        part: "train" or "test", for HMDB51.
        split: 1, 2 or 3, for HMDB51 (defaults to 1); or the part to read, such as "train", of a
            file that lists several.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the source is invalid, or its format does not take an option; see the
            readers. The message names the file, the line and the value.

    Example:
        ```python
        train = open_manifest("train.txt", root="videos")
        validation = open_manifest("val.txt", root="videos", labels=train.labels)
        ```
    """
    layout = format if isinstance(format, Layout) else None
    name = "table" if layout else find_format(source) if format is None else format
    shown = urls.shown(os.fspath(source))
    if name not in FORMATS:
        raise ManifestError(f"{shown}: format is {name!r}. Expected one of {', '.join(FORMATS)}.")
    if urls.is_remote(source) and name != "records":
        raise ManifestError(
            f"{shown}: is a URL, and only records can be read from URLs. Expected the format "
            f"'records', or a copy on this machine. Received: {name!r}."
        )
    options: dict[str, Any] = {
        "root": root,
        "label_base": label_base,
        "part": part,
        "split": split,
        "lookup": None if lookup == Lookup() else lookup,
        "layout": layout,
    }
    given = {key: value for key, value in options.items() if value is not None}
    if refused := sorted(set(given) - options_of(name)):
        what = f"lookup ({', '.join(field.name for field in dataclasses.fields(Lookup))})"
        what = what if "lookup" in refused else refused[0]
        raise ManifestError(
            f"{shown}: {what} does not go with the format {name!r}. Leave it out"
            + (f", or pass format= if it is not {name!r}." if format is None else ".")
        )
    labels, named_by = _named_beside(source, labels)
    if name in _LISTS and (beside := category_file(source)) is not None:
        return _of_categories(FORMATS[name], source, labels, beside, given)
    manifest = FORMATS[name](source, labels=labels, **given)
    return dataclasses.replace(manifest, notes=(*manifest.notes, *named_by))


def _named_beside(
    source: PathLike, labels: Sequence[str] | None
) -> tuple[Sequence[str] | None, list[str]]:
    """Returns the names of the classes, from a file next to the list if none are passed; notes."""
    path = Path(source)
    beside = path.with_name(LABELS)
    if labels is not None or path.name == LABELS or not (path.is_file() and beside.is_file()):
        return labels, []
    return read_classes(beside), [f"classes are those of {LABELS}"]


def _of_categories(
    read: Callable[..., Manifest],
    source: PathLike,
    labels: Sequence[str] | None,
    beside: Path,
    options: dict[str, Any],
) -> Manifest:
    """Reads a list in TSM's form, with the names of its classes in a file next to it."""
    names = read_classes(beside)
    manifest = read(source, labels=names if labels is None else labels, **options)
    notes = [f"classes are those of {beside.name}"] if labels is None else []
    directional = have_direction(manifest.labels)
    if directional:
        notes.append("some classes differ only by left and right: clips must not be mirrored")
    return dataclasses.replace(
        manifest, notes=(*manifest.notes, *notes), directional=directional or manifest.directional
    )


@named
def options_of(format: str) -> set[str]:
    """Returns the options that a format takes, out of those of `open_manifest`.

    Args:
        format: One of `FORMATS`.

    Returns:
        A subset of `root`, `label_base`, `part`, `split`, `lookup` and `layout`.

    Example:
        ```python
        options_of("hmdb51")  # {"root", "part", "split", "lookup"}
        ```
    """
    return set(inspect.signature(FORMATS[format]).parameters) & _OPTIONS


@named
def find_format(source: PathLike) -> str:
    """Finds the format of a source by its name and its first lines.

    Everything that is not a known data set is a list of any layout, `"table"`.

    Args:
        source: A list, an annotation file or a folder, or the URL of a folder of records.

    Returns:
        One of `FORMATS`.

    Raises:
        ManifestError: If it does not exist, or is a folder that has both class folders and a list
            or TFRecord files.

    Example:
        ```python
        find_format("ucf101/ucfTrainTestlist/trainlist01.txt")  # "ucf101"
        ```
    """
    path = Path(source)
    if is_hdf5(path):
        return "hdf5"
    if is_zip(path):
        return "zip"
    if holds_records(source):
        return "records"
    if records := record_files(path):
        _check_only_records(path, records)
        return "sequence-examples"
    if path.is_dir():
        return "hmdb51" if is_hmdb51(path) else "table" if has_metadata(path) else "folders"
    start = start_of(path, _START).lstrip()
    first = [line for line in start.split("\n", 2)[:2] if line.strip()]  # may include a header
    if is_manifest(path):
        return "manifest"
    if path.name.startswith(("trainlist", "testlist")) and path.with_name("classInd.txt").is_file():
        return "ucf101"
    if (known := known_format(path)) is not None:
        return known
    if path.suffix.lower() == ".json" and start[:1] == "[" and not lists_paths(start):
        return "something-v2"
    by_id = all(is_id_and_class(line.rstrip(), path) for line in first)
    return "something-v1" if first and by_id else "table"


def _check_only_records(path: Path, records: Mapping[str, Sequence[str]]) -> None:
    """Raises an error if a folder of TFRecord files also holds videos, listed or in folders."""
    if not path.is_dir():
        return
    beside = next((name for name in folders_in(path) if holds_video(os.path.join(path, name))), "")
    listed = has_metadata(path) and holds_video(os.fspath(path))
    if not beside and not listed:
        return
    first = os.path.basename(next(file for files in records.values() for file in files))
    other = f"folders of videos, such as {beside!r}" if beside else "a list of videos"
    raise ManifestError(
        f"{path}: holds both TFRecord files, such as {first!r}, and {other}. Pass "
        f"format='sequence-examples' or '{'table' if listed else 'folders'}' "
        "(--format=...) to take one of them."
    )
