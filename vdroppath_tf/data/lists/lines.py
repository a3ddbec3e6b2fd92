"""List files, one line a video: `path num_frames label`, or `path label`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.text_files import MAX_CLASSES, PathLike, read_lines, whole_number
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.names import named

_TRIPLE, _PAIR = "'path num_frames label'", "'path label'"


class _Line(NamedTuple):
    origin: str
    path: str
    frames: int | None
    label: int


@named
def read_list(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    label_base: int = 0,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads a list of videos, one line each: `path num_frames label`. Decodes nothing.

    Paths may contain spaces. They lead to video files, folders of frames, zip files of frames, or
    members of HDF5 files (`file.h5/key`). UTF-8, with or without byte order mark, with either
    line end; blank lines are skipped.

    Args:
        path: the list file.
        root: folder the paths start from, and must stay in; default the list's own folder.
        labels: names of the classes; default the numbers from 0 to the largest label.
        label_base: the number of the first class, 0 or 1.
        lookup: how paths become videos.

    Raises:
        ManifestError: the list is missing, empty or not UTF-8; a line lacks a field, holds a number
            that is none or out of range, a path that leaves `root` or leads to nothing, or names a
            video twice; or the labels count from 1. Names the file, the line and the value.
    """
    return _read(_triples(path, label_base), path, root, labels, label_base, lookup, _TRIPLE)


@named
def read_pairs(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    label_base: int = 0,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads a list without numbers of frames, `path label` or `path,label`; else as `read_list`."""
    return _read(_pairs(path, label_base), path, root, labels, label_base, lookup, _PAIR)


def _read(
    lines: Iterator[_Line],
    path: PathLike,
    root: PathLike | None,
    labels: Sequence[str] | None,
    base: int,
    lookup: Lookup | None,
    expected: str,
) -> Manifest:
    if base not in (0, 1):
        raise ManifestError(f"{path}: label_base is {base!r}, expected 0 or 1.")
    videos = Collector(path, root, lookup, labels)
    first: _Line | None = None  # with a smallest label
    for line in lines:
        if first is None or line.label < first.label:
            first = line
        if labels is not None and base == 0 and line.label == len(labels) and first.label > 0:
            raise _from_one(line.origin, f"label {line.label} has no name: {len(labels)} are given")
        videos.add(line.path, line.label - base, line.frames, line.origin)
    if first is not None and labels is None and base == 0 and first.label == 1:
        raise _from_one(first.origin, "the smallest label is 1, class 0 has no video")
    return videos.manifest(f"lines {expected}")


def _from_one(origin: str, why: str) -> ManifestError:
    return ManifestError(
        f"{origin}: {why}. Do the labels count from 1? Then pass label_base=1 (--label_base=1); "
        "if they count from 0, pass the names of all classes as labels=, or in a labels.txt beside "
        "the list."
    )


def _start(line: str) -> str:
    """Enough of a line to know it by: a file that is no list may have all in one."""
    return line if len(line) <= 80 else f"{line[:77]}..."


def _triples(path: PathLike, base: int) -> Iterator[_Line]:
    for origin, line in read_lines(path, _TRIPLE):
        fields = line.rsplit(maxsplit=2)
        if len(fields) < 3:
            raise ManifestError(
                f"{origin}: has {len(fields)} of 3 fields ({_start(line)!r}). Expected {_TRIPLE}; "
                f"lists of {_PAIR} are format='path-label', and --format names others."
            )
        frames = whole_number(fields[1], "num_frames", origin, 1, MAX_FRAMES)
        yield _Line(origin, fields[0], frames, _label(fields[2], origin, base))


def _pairs(path: PathLike, base: int) -> Iterator[_Line]:
    for origin, line in read_lines(path, _PAIR):
        label = re.split(r"[\s,]", line)[-1]
        name = line[: len(line) - len(label)].rstrip().removesuffix(",").rstrip()
        if not name:
            raise ManifestError(
                f"{origin}: has 1 of 2 fields ({_start(line)!r}). Expected {_PAIR}."
            )
        yield _Line(origin, name, None, _label(label, origin, base))


def _label(text: str, origin: str, base: int) -> int:
    return whole_number(text, "label", origin, base, base + MAX_CLASSES - 1)
