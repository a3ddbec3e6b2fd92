"""The rows of Kinetics' files, whichever way they were saved."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vdroppath_tf.data.lists.clip_names import Times
from vdroppath_tf.data.lists.text_files import PathLike, load_json, read_lines, read_rows, start_of
from vdroppath_tf.data.manifest import ManifestError

KEY = "youtube_id"
EXPECTED = "'label,youtube_id,time_start,time_end,split'"
_MAX_SECONDS = 999_999  # six digits in a file's name
_DELIMITERS = ",\t;"
_JSON = r'\{\s*"[^"]+":\s*\{\s*"annotations":\s*\{'


class KineticsRow(NamedTuple):
    """One clip: where it is listed, its class, YouTube's id, start and end in seconds, its part."""

    origin: str
    label: str
    key: str
    times: Times
    part: str


def kinetics_delimiter(line: str) -> str | None:
    """What separates the columns of Kinetics' header; None if a line is none."""
    for delimiter in _DELIMITERS:
        if KEY in columns_of(line, delimiter):
            return delimiter
    return None


def columns_of(line: str, delimiter: str) -> list[str]:
    """The names of a header's columns, in small letters."""
    try:
        return [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def is_kinetics(path: PathLike) -> bool:
    """Whether a file begins as Kinetics' CSV, TSV or JSON does."""
    start = start_of(path).lstrip()
    if start.startswith("{"):
        return re.match(_JSON, start) is not None
    return kinetics_delimiter(start.partition("\n")[0]) is not None


def read_kinetics_rows(path: PathLike) -> Sequence[KineticsRow]:
    """The rows of a CSV, TSV or JSON file.

    Raises:
        ManifestError: see `read_kinetics`.
    """
    json = start_of(path).lstrip().startswith("{")
    rows = [*(_of_json(path) if json else _of_csv(path))]
    if not rows:
        raise ManifestError(f"{path}: lists no video. Expected rows {EXPECTED}.")
    return rows


def _of_csv(path: PathLike) -> Iterator[KineticsRow]:
    origin, first = next(read_lines(path, EXPECTED), (f"{path}:1", ""))
    delimiter = kinetics_delimiter(first) or ","
    header = columns_of(first, delimiter)
    if lacking := [name for name in ("label", KEY) if name not in header]:
        raise ManifestError(
            f"{origin}: has no column {lacking[0]!r}. Expected {EXPECTED}; the files of the test "
            "part have no labels."
        )
    places = {name: place for place, name in enumerate(header)}
    lines = read_rows(path, delimiter, EXPECTED)
    next(lines)
    for line, row in lines:
        if delimiter == "\t":  # empty fields at the end of a line are lost with its end
            row += [""] * (len(header) - len(row))
        if len(row) != len(header):
            raise ManifestError(
                f"{line}: has {len(row)} of {len(header)} fields ({row}). Expected {EXPECTED}."
            )
        fields = [
            row[places[name]] if name in places else ""
            for name in ("time_start", "time_end", "split")
        ]
        yield _row(line, row[places["label"]], row[places[KEY]], fields[:2], fields[2])


def _of_json(path: PathLike) -> Iterator[KineticsRow]:
    what = '{"id": {"annotations": {"label": ..., "segment": [start, end]}, "subset": ...}}'
    for key, item in load_json(path, dict, what).items():
        match item:
            case {"annotations": {"label": str(label), "segment": [start, end]}, **rest}:
                part = rest.get("subset", "")
                yield _row(f"{path}: {key!r}", label, key, [str(start), str(end)], str(part))
            case _:
                raise ManifestError(
                    f"{path}: {key!r}: is {str(item)[:80]}. Expected {what}; the file of the test "
                    "part has no labels."
                )


def _row(origin: str, label: str, key: str, times: Sequence[str], part: str) -> KineticsRow:
    if not label or not key:
        raise ManifestError(f"{origin}: has no {'id' if label else 'label'}. Expected {EXPECTED}.")
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
            f"{origin}: time {text!r} is no number of seconds. Expected 0 to {_MAX_SECONDS}."
        )
    return value
