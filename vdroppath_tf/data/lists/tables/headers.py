"""What the first line of a list calls its columns."""

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
    """A list has columns of segments that cannot be read: half of them, or in unknown words."""


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
    """What each column is called for, "" where that is unknown; None if the row is no header.

    A header has a name for the column of the path, and names nothing twice. The first column may
    have none: it is an index.
    """
    names = [plain_name(cell) for cell in row]
    if len(names) < 2 or len(set(names)) < len(names):
        return None
    found = tuple(MEANING.get(name, "") if name else "-" for name in names)
    return found if "path" in found and "" not in names[1:] else None


def lists_paths(start: str) -> bool:
    """Whether the first JSON object of a text has a path and a class among its members."""
    words = [plain_name(name) for name in _members(start)]
    found = {MEANING.get(word) for word in words if word not in ("id", "name")}
    return "path" in found and bool(found & {"label", "labels", "class_number"})


def _members(start: str) -> list[str]:
    """The names of the members of the first JSON object of a text, which may be cut short."""
    try:
        return [*json.JSONDecoder().raw_decode(start, start.index("{"))[0]]
    except (ValueError, RecursionError):
        return _MEMBER.findall(start.partition("}")[0])


def by_header(
    header: Sequence[Cell], rows: Sequence[Sequence[Cell]], there: There
) -> Iterator[Columns]:
    """The columns that rows below a header may have; several where it leaves a choice.

    Args:
        header: The names of the columns.
        rows: Some rows below it.
        there: Whether a path leads to something.
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
    """The column whose paths lead to something most often; of several, the best named."""
    paths = [k for k, name in enumerate(names) if name == "path"]
    counts = {
        k: sum(isinstance(cell, str) and cell != "" and there(cell) for cell in some(columns[k]))
        for k in paths
    }
    return min(paths, key=lambda k: (-counts[k], RANK[plain_name(header[k])]))


def _classes(
    header: Sequence[Cell], names: Columns, columns: Sequence[Column]
) -> list[dict[int, str]]:
    """The columns of the class; one of a name that is not known, if it is the only one left."""
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
    """Whether cells hold one class or several; both where that is not certain."""
    if any(isinstance(cell, tuple) for cell in column) or kind_of(column) == "ints":
        return ("class_number", "labels") if are_decimals(column) else ("labels",)
    texts = [cell for cell in column if isinstance(cell, str)]
    if any(BETWEEN_NAMES.search(text) for text in texts):
        return ("labels",) if several else ("class_name", "labels")
    return ("class_name", "labels") if several and "," in "".join(texts) else ("label",)


def _with_units(names: Columns) -> Columns:
    """The meanings, where a start or end without a unit has that of the other one."""
    known = {name.partition("_")[2] for name in names if name.startswith(("start_", "end_"))}
    if len(known) != 1:
        return names
    unit = known.pop()
    whole = {f"start_{unit}", f"end_{unit}"} <= set(names)
    return tuple(f"{n}_{unit}" if n in ("start", "end") and not whole else n for n in names)


def _check_halves(header: Sequence[Cell], names: Columns) -> None:
    """Stops at a segment of which only the start or the end is there: it would be a whole video."""
    for unit in ("", "_frame", "_second"):
        halves = [
            names.index(f"{end}{unit}") for end in ("start", "end") if f"{end}{unit}" in names
        ]
        if len(halves) == 1:
            raise SegmentColumnError(
                f"the column {header[halves[0]]!r} is of segments, and their other end has none. "
                f"{_WAY_OUT}"
            )


def _check_unread(header: Sequence[Cell], names: Columns, columns: Sequence[Column]) -> None:
    """Stops at columns of segments in words that have no meaning: they would be whole videos.

    Where other columns are those of the segments, more of them say nothing new.
    """
    if any(name.startswith(("start", "end")) for name in names):
        return
    unknown = {plain_name(header[k]): k for k, name in enumerate(names) if not name}
    pairs = of_pairs(unknown)
    for name, k in unknown.items():
        ends = (of_segments(name) or name in pairs) and _hold(_AT_LEAST_ONE, columns[k])
        if ends or (of_both_ends(name) and _hold(_TWO, columns[k])):
            raise SegmentColumnError(
                f"the column {header[k]!r} seems to be of segments, and is not read by this name. "
                f"{_WAY_OUT}"
            )


def _hold(pattern: re.Pattern[str], column: Column) -> bool:
    """Whether most cells that are not empty start with what fits the pattern."""
    cells = [" ".join(cell) if isinstance(cell, tuple) else cell for cell in column if cell]
    return 2 * sum(pattern.match(cell) is not None for cell in cells) > len(cells)


def _segments(names: Columns, columns: Sequence[Column]) -> list[dict[int, str]]:
    """The columns of a segment. Where no name says the unit, fractions are of seconds.

    Where both units are named, both are read: which one is meant depends on the video.
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
