"""List files, one line a video: `path num_frames label`, or `path label`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vdroppath_tf.data.lists.tables.collect import Lines, collect, places_of
from vdroppath_tf.data.lists.tables.comments import without_comments
from vdroppath_tf.data.lists.tables.reading import Reading
from vdroppath_tf.data.lists.tables.splitting import Splitter
from vdroppath_tf.data.lists.text_files import PathLike, read_lines
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.names import named

_TRIPLES = Reading(Splitter(" ", 3, "first"), ("path", "num_frames", "label"), False)


class _PairSplitter(Splitter):
    """Splits at the last space or comma."""

    def split(self, line: str) -> list[str]:
        """The path and the label."""
        line = line.strip()
        label = re.split(r"[\s,]", line)[-1]
        name = line[: len(line) - len(label)].rstrip().removesuffix(",").rstrip()
        return [name, label] if name else [label]


_PAIRS = Reading(_PairSplitter(" ", 2), ("path", "label"), False)


@named
def read_list(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    label_base: int | None = None,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads a list of videos, one line each: `path num_frames label`. Decodes nothing.

    Paths may contain spaces. They lead to video files, folders of frames, zip files of frames, or
    members of HDF5 files (`file.h5/key`). UTF-8 with or without byte order mark, or UTF-16, with
    either line end. Blank lines are skipped, and those that start with `#` and no path. A number of
    frames that is 0 or -1 is unknown. `read_table` finds out which columns there are.

    Args:
        path: the list file.
        root: folder the paths start from, and must stay in; default the list's own folder.
        labels: names of the classes; default the numbers from 0 to the largest label, or the names
            in the list, sorted.
        label_base: the number of the first class, 0 (the default) or 1.
        lookup: how paths become videos.

    Raises:
        ManifestError: the list is missing, empty or no text; a line lacks a field, holds a number
            that is none or out of range, a path that leaves `root` or leads to nothing, or names a
            video twice; or the labels count from 1. Names the file, the line and the value.
    """
    return _read(_TRIPLES, path, root, labels, label_base, lookup)


@named
def read_pairs(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    label_base: int | None = None,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads a list without numbers of frames, `path label` or `path,label`; else as `read_list`."""
    return _read(_PAIRS, path, root, labels, label_base, lookup)


def _read(
    reading: Reading,
    path: PathLike,
    root: PathLike | None,
    labels: Sequence[str] | None,
    base: int | None,
    lookup: Lookup | None,
) -> Manifest:
    lines = Lines(path, (), root, labels, base, lookup)
    rows = without_comments(read_lines(path, f"lines of {reading}"), places_of(lines), [])
    return collect(reading, lines._replace(rows=rows))
