"""The rows of Kinetics' files, whichever way they were saved."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vdroppath_tf.data.lists.clip_names import Times
from vdroppath_tf.data.lists.csv_tables import delimiter_of, read_table
from vdroppath_tf.data.lists.text_files import PathLike, load_json, start_of
from vdroppath_tf.data.manifest import ManifestError

KEY = "youtube_id"
EXPECTED = "'label,youtube_id,time_start,time_end,split'"
_MAX_SECONDS = 999_999  # six digits in a file's name
_JSON = r'\{\s*"[^"]+":\s*\{\s*"annotations":\s*\{'


class KineticsRow(NamedTuple):
    """One clip: where it is listed, its class, YouTube's id, start and end in seconds, its part."""

    origin: str
    label: str
    key: str
    times: Times
    part: str


def is_kinetics(path: PathLike) -> bool:
    """Whether a file begins as Kinetics' CSV, TSV or JSON does."""
    start = start_of(path).lstrip()
    if start.startswith("{"):
        return re.match(_JSON, start) is not None
    return delimiter_of(start.partition("\n")[0], (KEY,)) is not None


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
    hint = "The files of the test part have no labels."
    for origin, fields in read_table(path, ("label", KEY), EXPECTED, hint):
        times = [fields.get(name, "") for name in ("time_start", "time_end")]
        yield _row(origin, fields["label"], fields[KEY], times, fields.get("split", ""))


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
