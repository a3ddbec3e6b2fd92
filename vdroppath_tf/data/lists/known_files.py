"""Recognises the data set of an annotation file by its first characters."""

from __future__ import annotations

import re
from pathlib import Path

from vdroppath_tf.data.lists.charades import CHARADES_COLUMNS
from vdroppath_tf.data.lists.csv_tables import delimiter_of, header_names
from vdroppath_tf.data.lists.epic_kitchens import EPIC_COLUMNS
from vdroppath_tf.data.lists.kinetics_rows import is_kinetics
from vdroppath_tf.data.lists.moments import CATEGORIES
from vdroppath_tf.data.lists.segment_columns import meaning_of
from vdroppath_tf.data.lists.something import JESTER_COLUMNS
from vdroppath_tf.data.lists.text_files import start_of
from vdroppath_tf.files import parse_json

_START = 1 << 16  # characters
_TABLES = {
    "epic-kitchens": EPIC_COLUMNS,
    "charades": CHARADES_COLUMNS,
    "jester": JESTER_COLUMNS,
}
_MOMENTS = re.compile(r"(training|validation|testing)set\.csv", re.IGNORECASE)


def known_format(path: Path) -> str | None:
    """Returns the name of a file's format, if it is one of those that belong to a data set.

    Raises:
        ManifestError: If the file cannot be read.
    """
    start = start_of(path, _START).lstrip()
    if is_kinetics(path):
        return "kinetics"
    if start[:1] == "{":
        return _of_object(start)
    if start[:1] == "[":
        return _of_list(start)
    first = start.partition("\n")[0]
    for name, columns in _TABLES.items():
        delimiter = delimiter_of(first, columns)
        if delimiter is not None and not (name == "jester" and _has_segments(first, delimiter)):
            return name
    if _MOMENTS.fullmatch(path.name) and (
        path.with_name(CATEGORIES).is_file() or first.count(",") >= 1
    ):
        return "moments"
    return None


def _has_segments(header: str, delimiter: str) -> bool:
    """Returns whether a header names the start or end of segments, which Jester does not have."""
    names = header_names(header, delimiter)
    return any(meaning_of(name).startswith(("start", "end")) for name in names)


def _of_object(start: str) -> str | None:
    if re.search(r'"database"\s*:\s*\{', start):
        return "activitynet"
    try:
        first = parse_json(start.partition("\n")[0])
    except ValueError:
        return None
    named = isinstance(first, dict) and bool({"id", "video_id"} & first.keys())
    return "something-v2" if named and "template" in first else None


def _of_list(start: str) -> str | None:
    if re.search(r'"vid_name"\s*:', start):
        return "diving48"
    return "something-v2" if re.search(r'"template"\s*:', start) else None
