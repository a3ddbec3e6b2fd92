"""The rows of Kinetics' files, in all published formats."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vdroppath_tf.data.lists.clip_names import Times
from vdroppath_tf.data.lists.csv_tables import delimiter_of, header_names, read_csv
from vdroppath_tf.data.lists.segment_columns import meaning_of, segment_columns
from vdroppath_tf.data.lists.tables.words import of_both_ends, plain_name
from vdroppath_tf.data.lists.text_files import PathLike, load_json, read_lines, start_of
from vdroppath_tf.data.manifest import ManifestError

KEY = "youtube_id"
EXPECTED = "'label,youtube_id,time_start,time_end,split'"
_MAX_SECONDS = 999_999  # six digits in a file's name
_COLUMNS = ("label", "start", "end", "split")
_NAMES = {"label": ("label", "class", "classname", "class_name"), "split": ("split", "subset")}
_MEANINGS = {"start": ("start", "start_second"), "end": ("end", "end_second"), "split": ("split",)}
"""The meanings of other column names, as in all lists."""
_DESTROYED = re.compile(r"#[A-Z0-9/]+[?!]?")  # spreadsheets turn ids such as -abc into errors
_JSON = re.compile(r'"annotations"\s*:\s*\{')


class KineticsRow(NamedTuple):
    """One clip: its place in the list, class, YouTube id, start and end in seconds, and part."""

    origin: str
    label: str
    key: str
    times: Times
    part: str


def is_kinetics(path: PathLike) -> bool:
    """Returns whether a file begins like Kinetics' CSV, TSV or JSON."""
    start = start_of(path).lstrip()
    if start.startswith("{"):
        return _JSON.search(start) is not None
    return delimiter_of(start.partition("\n")[0], (KEY,)) is not None


def read_kinetics_rows(path: PathLike) -> Sequence[KineticsRow]:
    """Reads the rows of a CSV, TSV or JSON file.

    Raises:
        ManifestError: See `read_kinetics`.
    """
    json = start_of(path).lstrip().startswith("{")
    rows = [*(_of_json(path) if json else _of_csv(path))]
    if not rows:
        raise ManifestError(f"{path}: lists no video. Expected rows {EXPECTED}.")
    return rows


def _of_csv(path: PathLike) -> Iterator[KineticsRow]:
    hint = "The files of the test part have no labels."
    at, first = next(read_lines(path, EXPECTED), (f"{path}:1", ""))
    header = header_names(first, delimiter_of(first, (KEY,)) or ",")
    columns = [_column(header, what, at, hint) for what in _COLUMNS]
    if not all(columns[1:3]) and (times := _of_times(header)):
        raise ManifestError(
            f"{at}: has the {'column' if len(times) == 1 else 'columns'} "
            f"{' and '.join(map(repr, times))}, which may belong to segments, and not both of "
            f"'time_start' and 'time_end', in seconds. Expected {EXPECTED}: rename the columns, or "
            "remove them if they do not hold times."
        )
    for origin, fields in read_csv(path, (KEY,), EXPECTED, hint):
        label, start, end, part = (fields.get(name, "") for name in columns)
        yield _row(origin, label, fields[KEY], (start, end), part)


def _of_times(names: Sequence[str]) -> Sequence[str]:
    """Returns the columns that belong to segments, each with one end or with both."""
    both = [name for name in names if of_both_ends(plain_name(name))]
    return segment_columns(tuple(names)) or both


def _column(names: Sequence[str], what: str, origin: str, hint: str) -> str:
    """Returns the name of a column; "" if it is optional and missing."""
    found = [name for name in _NAMES.get(what, ()) if name in names]
    found = found or [name for name in names if meaning_of(name) in _MEANINGS.get(what, ())]
    if len(found) > 1:
        raise ManifestError(
            f"{origin}: has the columns {' and '.join(map(repr, found))}, and one of them may be "
            f"the {what}. Remove those that are not."
        )
    if not found and what == "label":
        raise ManifestError(f"{origin}: has no column {what!r}. Expected {EXPECTED}; {hint}")
    return found[0] if found else ""


def _of_json(path: PathLike) -> Iterator[KineticsRow]:
    what = '{"id": {"annotations": {"label": ..., "segment": [start, end]}, "subset": ...}}'
    for key, item in load_json(path, dict, what).items():
        match item:
            case {"annotations": {"segment": [start, end], **more}, **rest}:
                label, part = str(more.get("label", "")), str(rest.get("subset", ""))
                yield _row(f"{path}: {key!r}", label, key, (str(start), str(end)), part)
            case _:
                raise ManifestError(
                    f"{path}: {key!r}: is {str(item)[:80]}. Expected {what}; the file of the test "
                    "part has no labels."
                )


def _row(origin: str, label: str, key: str, times: Sequence[str], part: str) -> KineticsRow:
    if not key or _DESTROYED.fullmatch(key):
        raise ManifestError(
            f"{origin}: its id is {key!r}. Expected {EXPECTED}, as it was downloaded: spreadsheets "
            "take some ids for formulas."
        )
    if not any(times):
        return KineticsRow(origin, label, key, None, part)
    start, end = (_seconds(text, origin) for text in times)
    if end <= start:
        raise ManifestError(f"{origin}: ends at {end:g} s, not after its start at {start:g} s.")
    return KineticsRow(origin, label, key, (start, end), part)


def _seconds(text: str, origin: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= _MAX_SECONDS:
        raise ManifestError(
            f"{origin}: time {text!r} is not a number of seconds. Expected 0 to {_MAX_SECONDS}."
        )
    return value
