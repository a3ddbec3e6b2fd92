"""Reads foreign TFRecord files: `SequenceExample`s of Model Garden's and MediaPipe's tools."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from vdroppath_tf.data.lists.part_folders import choose_of, is_part
from vdroppath_tf.data.lists.parts import PARTS
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.manifest import NO_CLASS, Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.records.framing import is_record_file
from vdroppath_tf.data.records.sequence_context import (
    INDEX,
    TEXT,
    class_names,
    clips_of,
    numbers_of,
)
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.names import named

_NAMED = "tfrec"  # in the names of TFRecord files, which need not be opened to recognise them
_SHARD = re.compile(r"(.+?)[-_.]?([0-9]{1,6})-of-([0-9]{1,6})(\..*)?")
_SUFFIX = re.compile(r"\.[^.]*tfrec.*", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[-_.]?[0-9]{1,20}$")


def record_files(path: PathLike) -> dict[str, list[str]]:
    """Groups TFRecord files by their names before the number of the shard.

    Args:
        path: A TFRecord file, or a folder of such files; anything else has none.
    """
    if os.path.isfile(path):
        known = is_record_file(path) or _NAMED in os.path.basename(path).lower()
        return {"": [os.path.abspath(path)]} if known else {}
    if "://" in os.fspath(path) or not os.path.isdir(path):
        return {}
    found: dict[str, list[str]] = {}
    with os.scandir(path) as items:
        names = sorted(
            item.name for item in items if not is_leftover(item.name) and not item.is_dir()
        )
    for name in names:
        match = _SHARD.fullmatch(name)
        file = os.path.join(os.path.abspath(path), name)
        if _NAMED in name.lower() or (match and is_record_file(file)):
            called = _SUFFIX.sub("", match[1] if match else name)
            called = called if match else _NUMBER.sub("", called)
            found.setdefault(called, []).append(file)
    return found


@named
def parts_of_records(path: PathLike) -> dict[str, str]:
    """Returns the parts of a data set by which TFRecord files are named, with these names.

    Args:
        path: A folder of TFRecord files; anything else has no parts.

    Returns:
        The names of the files of each part.

    Raises:
        ManifestError: If some files are named by a part, and others by none or by several.

    Example:
        ```python
        parts_of_records("tfrecords")  # {"train": "train", "validation": "val"}
        ```
    """
    return {part: ", ".join(names) for part, names in _parts(record_files(path), path).items()}


def _parts(groups: Mapping[str, Sequence[str]], path: PathLike) -> dict[str, list[str]]:
    """Returns the names of the files of each part; none if no file is named by a part."""
    words = {name: {is_part(word) for word in re.split("[-_.]", name)} - {None} for name in groups}
    if not any(words.values()) or (len(words) == 1 and max(map(len, words.values())) > 1):
        return {}
    if unclear := [name for name, parts in words.items() if len(parts) != 1]:
        others = [name for name in words if name != unclear[0]]
        raise ManifestError(
            f"{path}: some of its TFRecord files are named by a part of a data set, but it is "
            f"uncertain which part {unclear[0]!r} is (the others: {', '.join(others[:3])}). "
            "Expected all or none to be named by train, validation or test. Move files that do not "
            "belong together to separate folders, or pass one file."
        )
    return {
        part: names
        for part in PARTS
        if (names := [name for name, parts in words.items() if part in parts])
    }


@named
def read_sequence_examples(
    path: PathLike, *, labels: Sequence[str] | None = None, part: str | None = None
) -> Manifest:
    """Reads `SequenceExample`s: a list `image/encoded` of pictures, and labels in the context.

    Labels are `clip/label/index`, named by `clip/label/text` (or `.../string`) if it exists,
    otherwise by their numbers; without an index, the sorted texts are the classes. Nothing is
    stored on disk: opening reads the beginning of each record, and the first read of a video scans
    its record once.

    Args:
        path: A TFRecord file, or a folder of them, with all shards.
        labels: The names of the classes, in order. Defaults to those in the records.
        part: "train", "validation" or "test", for a folder whose files are named by parts.

    Returns:
        The manifest.

    Raises:
        ManifestError: If a file is damaged, compressed or missing; a record is not such an example,
            or has no label or one that `labels` lacks; or an index has two texts.

    Example:
        ```python
        manifest = read_sequence_examples("tfrecords", part="train")
        ```
    """
    files, said = _files(path, part)
    clips = [clip for file in files for clip in clips_of(file)]
    if not clips:
        raise ManifestError(f"{path}: holds no record.")
    several = any(len(clip.numbers or clip.texts) > 1 for clip in clips)
    names, notes = class_names(clips, labels, str(path))
    known = {name: number for number, name in enumerate(names)}
    entries = []
    for clip in clips:
        found = numbers_of(clip, known)
        if not found and not several:
            raise ManifestError(
                f"{clip.origin}: has no label. Expected {INDEX[0]!r} or {TEXT[0]!r} in its "
                "context; a test part may have none."
            )
        first, *more = found or [NO_CLASS]
        name = os.path.relpath(clip.source.file, os.path.abspath(path))
        name = os.path.basename(clip.source.file) if name == "." else name
        entries.append(
            VideoEntry(
                clip.source, first, None, clip.origin, f"{name}: {clip.source.name}", tuple(more),
                clip.fps,
            )
        )  # fmt: skip
    return Manifest(
        tuple(entries),
        names,
        os.path.abspath(path),
        notes=(*said, *notes),
        multi_label=several,
    )


def _files(path: PathLike, part: str | None) -> tuple[list[str], list[str]]:
    groups = record_files(path)
    if not groups:
        raise ManifestError(f"{path}: is not a TFRecord file and holds none.")
    parts = _parts(groups, path)
    shown = {key: ", ".join(names) for key, names in parts.items()}
    if part is None and len(parts) > 1:
        raise ManifestError(
            f"{path}: its files {'; '.join(shown.values())} are parts of a data set. Pass part= "
            f"(one of {', '.join(parts)}), or one of the files."
        )
    chosen, said = choose_of(shown, path, part or next(iter(parts), None))
    for key, names in parts.items():
        if shown[key] == chosen:
            groups = {name: groups[name] for name in names}
    if os.path.isdir(path):
        for name, files in groups.items():
            _check_shards(path, name, files)
    return [file for files in groups.values() for file in files], said


def _check_shards(path: PathLike, name: str, files: Sequence[str]) -> None:
    """Raises an error if a shard is missing, or if there are shards of two conversions."""
    shards = [_SHARD.fullmatch(os.path.basename(file)) for file in files]
    there = [(int(match[2]), int(match[3])) for match in shards if match]
    counts = sorted({many for _, many in there})
    if len(counts) > 1 or (counts and len(there) < len(files)):
        few = " and ".join(map(repr, sorted({os.path.basename(file) for file in files})[:2]))
        raise ManifestError(
            f"{path}: the files of {name!r}, such as {few}, have different numbers of shards, so "
            "that videos may occur twice. Move one kind away, or pass one file of them."
        )
    if counts and (lost := {*range(counts[0])} - {number for number, _ in there}):
        raise ManifestError(
            f"{path}: has {len(files)} of {counts[0]} shards of {name!r}; number {min(lost)} "
            "is missing. Copy it, or pass one file of them."
        )
