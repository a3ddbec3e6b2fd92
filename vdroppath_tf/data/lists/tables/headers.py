"""The meaning of the column names in the header of a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from vdroppath_tf.data.lists.tables.contents import (
    BETWEEN_NAMES,
    Column,
    Columns,
    There,
    are_decimals,
    kind_of,
    some,
)
from vdroppath_tf.data.lists.tables.splitting import Cell
from vdroppath_tf.data.lists.tables.words import (
    MEANING,
    RANK,
    of_both_ends,
    of_pairs,
    of_segments,
    plain_name,
)


class SegmentColumnError(ValueError):
    """A list has columns of segments that cannot be read: only half of them, or unknown names."""


_WAY_OUT = (
    "Expected a start and an end, such as start_second and end_second; or name all columns, such "
    "as --columns=path,start_second,end_second,label, with - for each that is not read "
    "(format=Layout(columns=...))."
)
_AT_LEAST_ONE = re.compile(r"\W*[0-9]")
_TWO = re.compile(
    r"(?!\W{0,3}[0-9]{1,4}([-/.])[0-9]{1,4}\1[0-9])"  # no date
    r"\W{0,3}[0-9][0-9.:]{0,30} {0,3}s?(?:[\s,;|–-]|to){1,5}[0-9]"
)
_MEMBER = re.compile(r'"([^"]{1,64})"\s*:')


def meanings(row: Sequence[Cell]) -> Columns | None:
    """Returns the meaning of each column name, "" if it is unknown; None if the row is no header.

    A header names the column of the path, and no column twice. The first column, an index, may
    have no name.
    """
    names = [plain_name(cell) for cell in row]
    if len(names) < 2 or len(set(names)) < len(names):
        return None
    found = tuple(MEANING.get(name, "") if name else "-" for name in names)
    return found if "path" in found and "" not in names[1:] else None


def lists_paths(start: str) -> bool:
    """Returns whether the first JSON object of a text has a path and a class."""
    words = [plain_name(name) for name in _members(start)]
    found = {MEANING.get(word) for word in words if word not in ("id", "name")}
    return "path" in found and bool(found & {"label", "labels", "class_number"})


def _members(start: str) -> list[str]:
    """Returns the keys of the first JSON object of a text, which may be cut off."""
    try:
        return [*json.JSONDecoder().raw_decode(start, start.index("{"))[0]]
    except (ValueError, RecursionError):
        return _MEMBER.findall(start.partition("}")[0])


def by_header(
    header: Sequence[Cell], rows: Sequence[Sequence[Cell]], there: There
) -> Iterator[Columns]:
    """Yields the possible columns of rows below a header; several if the header is ambiguous.

    Args:
        header: The names of the columns.
        rows: Some rows below it.
        there: Returns whether a path leads to something.
    """
    names = meanings(header)
    columns = list(zip(*rows, strict=True))
    if names is None or not columns:
        return
    names = _with_units(names)
    _check_halves(header, names)
    _check_unread(header, names, columns)
    path = _path(header, names, columns, there)
    base = {path: "path"}
    base |= {k: names[k] for k in range(len(names)) if names[k] in ("num_frames", "split")}
    for classes in _classes(header, names, columns):
        for segment in _segments(names, columns):
            found = base | classes | segment
            yield tuple(found.get(k, "-") for k in range(len(names)))


def _path(header: Sequence[Cell], names: Columns, columns: Sequence[Column], there: There) -> int:
    """Returns the column with the most existing paths; of several, the one with the best name."""
    paths = [k for k, name in enumerate(names) if name == "path"]
    counts = {
        k: sum(isinstance(cell, str) and cell != "" and there(cell) for cell in some(columns[k]))
        for k in paths
    }
    return min(paths, key=lambda k: (-counts[k], RANK[plain_name(header[k])]))


def _classes(
    header: Sequence[Cell], names: Columns, columns: Sequence[Column]
) -> list[dict[int, str]]:
    """Returns the columns of the class; a column with an unknown name, if it is the only one."""
    labels = [k for k, name in enumerate(names) if name == "label"]
    numbers = [k for k, name in enumerate(names) if name == "class_number"]
    several = [k for k, name in enumerate(names) if name == "labels"]
    plain = [k for k in labels if plain_name(header[k]) == "label"]
    if len(labels) == 2 and not numbers:
        numbers = [k for k in labels if kind_of(columns[k]) == "int"]
        labels = [k for k in labels if k not in numbers]
    elif len(labels) > 1 and plain:
        labels = plain
    if len(labels) == len(numbers) == 1 and kind_of(columns[labels[0]]) == "text":
        return [{labels[0]: "class_name", numbers[0]: "class_number"}]
    if not labels and not numbers:
        unknown = [k for k, name in enumerate(names) if not name]
        labels = several or (unknown if len(unknown) == 1 else [])
    if labels:
        return [{k: name} for k in labels for name in _label(columns[k], k in several)]
    return [{k: "class_number"} for k in numbers]


def _label(column: Column, several: bool) -> Columns:
    """Returns the column types for one class, for several classes, or both if it is uncertain."""
    if any(isinstance(cell, tuple) for cell in column) or kind_of(column) == "ints":
        return ("class_number", "labels") if are_decimals(column) else ("labels",)
    texts = [cell for cell in column if isinstance(cell, str)]
    if any(BETWEEN_NAMES.search(text) for text in texts):
        return ("labels",) if several else ("class_name", "labels")
    return ("class_name", "labels") if several and "," in "".join(texts) else ("label",)


def _with_units(names: Columns) -> Columns:
    """Completes meanings: a start or end without a unit gets the unit of the other end."""
    known = {name.partition("_")[2] for name in names if name.startswith(("start_", "end_"))}
    if len(known) != 1:
        return names
    unit = known.pop()
    whole = {f"start_{unit}", f"end_{unit}"} <= set(names)
    return tuple(f"{n}_{unit}" if n in ("start", "end") and not whole else n for n in names)


def _check_halves(header: Sequence[Cell], names: Columns) -> None:
    """Raises an error for a segment with only a start or an end, which would be a whole video."""
    for unit in ("", "_frame", "_second"):
        halves = [
            names.index(f"{end}{unit}") for end in ("start", "end") if f"{end}{unit}" in names
        ]
        if len(halves) == 1:
            raise SegmentColumnError(
                f"the column {header[halves[0]]!r} is one end of segments, and no column is the "
                f"other end. {_WAY_OUT}"
            )


def _check_unread(header: Sequence[Cell], names: Columns, columns: Sequence[Column]) -> None:
    """Raises an error for columns of segments with unknown names, read as whole videos otherwise.

    If other columns hold the segments, further ones add nothing.
    """
    if any(name.startswith(("start", "end")) for name in names):
        return
    unknown = {plain_name(header[k]): k for k, name in enumerate(names) if not name}
    pairs = of_pairs(unknown)
    for name, k in unknown.items():
        ends = (of_segments(name) or name in pairs) and _hold(_AT_LEAST_ONE, columns[k])
        if ends or (of_both_ends(name) and _hold(_TWO, columns[k])):
            raise SegmentColumnError(
                f"the column {header[k]!r} seems to hold segments, and its name is unknown. "
                f"{_WAY_OUT}"
            )


def _hold(pattern: re.Pattern[str], column: Column) -> bool:
    """Returns whether most cells that are not empty match the pattern at their start."""
    cells = [" ".join(cell) if isinstance(cell, tuple) else cell for cell in column if cell]
    return 2 * sum(pattern.match(cell) is not None for cell in cells) > len(cells)


def _segments(names: Columns, columns: Sequence[Column]) -> list[dict[int, str]]:
    """Returns the columns of a segment. If no name gives the unit, fractions mean seconds.

    If both units are named, both are read: the video determines which one is used.
    """
    found = {
        names.index(f"{end}_{unit}"): f"{end}_{unit}"
        for unit in ("frame", "second")
        for end in ("start", "end")
        if f"start_{unit}" in names and f"end_{unit}" in names
    }
    if found or not {"start", "end"} <= set(names):
        return [found]
    places = {end: names.index(end) for end in ("start", "end")}
    seconds = "float" in [kind_of(columns[k]) for k in places.values()]
    units = ["second"] if seconds else ["frame", "second"]
    return [{k: f"{end}_{unit}" for end, k in places.items()} for unit in units]
