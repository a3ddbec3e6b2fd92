"""List files with one line for each video: `path num_frames label`, or `path label`."""

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
        """Returns the path and the label."""
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
    members of HDF5 files (`file.h5/key`). The list is UTF-8 with or without a byte order mark, or
    UTF-16, with any line ends. Blank lines and comments (`#` without a path) are skipped. A number
    of frames of 0 or -1 means unknown. `read_table` reads lists with other columns.

    Args:
        path: The list file.
        root: The folder from which paths start, and which they must not leave. Defaults to the
            folder of the list.
        labels: The names of the classes. Defaults to the numbers from 0 to the largest label, or to
            the sorted names in the list.
        label_base: The number of the first class, 0 or 1. Defaults to None, which means 0.
        lookup: How paths become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If the list is missing, empty or not text; a line lacks a field, holds an
            invalid number, a path that leaves `root` or leads to nothing, or a video that is listed
            already; or the labels count from 1. The message names the file, line and value.

    Example:
        ```python
        manifest = read_list("frames.txt", "frames")  # lines such as "run/v1 120 3"
        ```
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
    """Reads a list without numbers of frames: `path label` or `path,label`.

    See `read_list` for the paths, the text and the errors.

    Args:
        path: The list file.
        root: The folder from which paths start, and which they must not leave. Defaults to the
            folder of the list.
        labels: The names of the classes, see `read_list`. Defaults to None.
        label_base: The number of the first class, 0 or 1. Defaults to None, which means 0.
        lookup: How paths become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Example:
        ```python
        manifest = read_pairs("train.csv", "videos")  # lines such as "run/v1.mp4,3"
        ```
    """
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
