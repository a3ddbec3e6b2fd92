"""Checks whether the first row of a list is an unknown header, if videos may be missing."""

from __future__ import annotations

import os

from vdroppath_tf.data.lists.tables.contents import NUMBER, There, some
from vdroppath_tf.data.lists.tables.table import Table
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.content import VIDEO_SUFFIXES

_LOOK_AT = 1000


def check_first_row(table: Table, there: There) -> None:
    """Raises an error if the first row would be a missing video with a class of its own.

    Such a row has a path that leads to nothing and may be a word, and a class name that no other
    inspected row has; and its path looks unlike the others, or all of those exist.

    Args:
        table: The rows.
        there: Returns whether a path leads to something.

    Raises:
        ManifestError: If the first row is such a row.
    """
    paths, cells = table.paths[:_LOOK_AT], table.cells[:_LOOK_AT]
    if table.named or len(paths) < 2:
        return
    path, *others = paths
    name, *names = cells
    if not isinstance(name, str) or NUMBER.fullmatch(name) is not None or name in names:
        return
    if _has_suffix(path) or "/" in path or there(path):
        return
    unlike = any(all(map(mark, others)) and not mark(path) for mark in (_has_suffix, _has_digits))
    if unlike or all(map(there, some(others))):
        raise ManifestError(
            f"{table.origins[0]}: {path!r} does not exist, and {name!r} is the class of no other "
            "video: it may be a header. Name its columns path and label, or remove the line."
        )


def _has_suffix(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES


def _has_digits(path: str) -> bool:
    return any(letter.isdigit() for letter in path)
