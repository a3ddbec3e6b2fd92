"""Infers the columns of a list without a header, from their contents and the existing files.

Each function returns all possible assignments. If there are several, the user must choose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeAlias, TypeVar

from vdroppath_tf.data.lists.parts import PART_WORDS
from vdroppath_tf.data.lists.tables.splitting import Cell
from vdroppath_tf.data.lists.times import is_clock, seconds_of

There: TypeAlias = Callable[[str], bool]
"""Returns whether a path leads to something below the root."""
Columns: TypeAlias = tuple[str, ...]
Column: TypeAlias = Sequence[Cell]
Kind: TypeAlias = Literal["int", "ints", "float", "split", "text", "empty"]

NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:[.,]0*)?")
"""A whole number; spreadsheets write some with a trailing point or comma."""
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,]000")
_NO_THOUSANDS = re.compile(r"[+-]?(?:0+|[0-9]{4,})[.,]000")
FRACTION = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")
SEVERAL = re.compile(r"\s*[,;|+]\s*|\s+")
"""The separator of the numbers of several classes."""
BETWEEN_NAMES = re.compile(r"\s*[;|]\s*")
"""The separator of the names of several classes."""
_Item = TypeVar("_Item")
_SOME = 64


def some(rows: Sequence[_Item]) -> Sequence[_Item]:
    """Returns a few evenly spaced items, enough to see which of them exist."""
    return rows[:: max(1, len(rows) // _SOME)]


def kind_of(column: Column) -> Kind:
    """Returns the kind of most cells of a column."""
    cells = [cell for cell in column if cell]
    if not cells:
        return "empty"
    lists = [isinstance(cell, tuple) or is_several(cell) for cell in cells]
    numbers = [isinstance(cell, str) and NUMBER.fullmatch(cell) is not None for cell in cells]
    if any(lists) and all(map(max, lists, numbers)):
        return "ints"
    if 2 * sum(numbers) > len(cells):
        return "int"
    if 2 * sum(isinstance(cell, str) and is_time(cell) for cell in cells) > len(cells):
        return "float"
    return "split" if all(str(cell).lower() in PART_WORDS for cell in cells) else "text"


def is_time(cell: str) -> bool:
    """Returns whether a cell is a number of seconds, or a time such as 00:01:02.5."""
    return FRACTION.fullmatch(cell) is not None or is_clock(cell)


def is_several(cell: str) -> bool:
    """Returns whether a cell holds the numbers of several classes."""
    parts = SEVERAL.split(cell)
    return len(parts) > 1 and all(NUMBER.fullmatch(part) for part in parts)


def by_content(rows: Sequence[Sequence[Cell]], there: There) -> Iterator[Columns]:
    """Yields the possible columns of rows without a header.

    Args:
        rows: The first rows of a list.
        there: Returns whether a path leads to something. It is called for some of the rows.
    """
    columns: list[Column] = list(zip(*rows, strict=True))
    kinds = [kind_of(column) for column in columns]
    for path in _paths(columns, kinds, there):
        others = [k for k in range(len(columns)) if k != path and kinds[k] != "empty"]
        for names in _others(columns, kinds, path, others):
            found = dict(zip(others, names, strict=True)) | {path: "path"}
            yield tuple(found.get(k, "-") for k in range(len(columns)))


def _paths(columns: Sequence[Column], kinds: Sequence[Kind], there: There) -> list[int]:
    """Returns the possible columns of the path: most of their cells exist, each only once."""
    counts = [
        sum(isinstance(cell, str) and cell != "" and there(cell) for cell in some(column))
        for column in columns
    ]
    best = [k for k, count in enumerate(counts) if count == max(counts)]
    if not max(counts):
        best = [k for k in best if kinds[k] == "text"][:1] or [0]
    once = [k for k in best if len(set(columns[k])) == len(columns[k])]
    best = once or best
    if len(columns) > 2 and best[0] == 0 and all(kinds[k] == "int" for k in best[1:]):
        return best[:1]  # folders may be named by numbers, so that all columns seem to exist
    return best


def _others(
    columns: Sequence[Column], kinds: Sequence[Kind], path: int, others: Sequence[int]
) -> list[Columns]:
    found = [kinds[k] for k in others]
    splits = [k for k in others if kinds[k] == "split"]
    if len(others) > 1 and len(splits) == 1:
        rest = [k for k in others if k not in splits]
        place = others.index(splits[0])
        return [
            (*names[:place], "split", *names[place:])
            for names in _others(columns, kinds, path, rest)
        ]
    if len(others) > 1 and others[0] == 0 and _is_index(columns[0]):
        indexed = [("-", *names) for names in _others(columns, kinds, path, others[1:])]
        return indexed + (_no_index(columns, kinds, others) if len(others) == 2 else [])
    if len(others) == 1:
        return _one(columns[others[0]], found[0])
    if len(others) == 2:
        return _two(columns, kinds, path, others)
    return _three(found, columns, others) if len(others) == 3 else []


def _one(column: Column, kind: Kind) -> list[Columns]:
    if kind == "ints" or any(isinstance(cell, tuple) for cell in column):
        return [("class_number",), ("labels",)] if are_decimals(column) else [("labels",)]
    several = any(BETWEEN_NAMES.search(str(cell)) for cell in column)
    return [("class_name",), ("labels",)] if several else [("label",)]


def are_decimals(column: Column) -> bool:
    """Returns whether apparent pairs of numbers may be single numbers with a decimal comma."""
    return all(isinstance(cell, str) and NUMBER.fullmatch(cell) for cell in column if cell)


def _two(
    columns: Sequence[Column], kinds: Sequence[Kind], path: int, others: Sequence[int]
) -> list[Columns]:
    """Assigns two columns: the number of frames and the class, or the class by number and name."""
    one, two = (columns[k] for k in others)
    match [kinds[k] for k in others]:
        case ["int", "int" | "ints" as kind]:
            counted: list[Columns] = [("num_frames", "labels" if kind == "ints" else "label")]
            swapped = kind == "int" and (path != 0 or _swapped(one, two))
            return [*counted, ("label", "num_frames")] if swapped else counted
        case ["int", "text"] if all(map(_only_numbers, two)):  # columns of another separator
            return []
        case ["int", "text"]:
            return _number_and_name(one, two, 0)
        case ["text", "int"]:
            return _number_and_name(two, one, 1)
        case ["text", "text"]:
            return [("label", "-"), ("-", "label")]
    return []


def _number_and_name(numbers: Column, names: Column, place: int) -> list[Columns]:
    """Decides whether numbers next to names count classes or frames.

    Numbers of classes are dense, and each belongs to one name.
    """
    by_number: Columns = ("class_number", "class_name")
    found: list[Columns] = [("num_frames", *label) for label in _one(names, "text")]
    tied = is_dense(_numbers(numbers)) and _tied(numbers, names)
    if tied is not False:
        found = [by_number] if tied else [by_number, *found]
    return [columns[::-1] for columns in found] if place else found


def _three(
    kinds: Sequence[Kind], columns: Sequence[Column], others: Sequence[int]
) -> list[Columns]:
    """Assigns the start and end of a segment and its class, which may come first as a name."""
    if kinds[0] == "text" and kinds[2] in ("int", "float"):
        found = _three([*kinds[1:], kinds[0]], columns, [*others[1:], others[0]])
        return [(names[2], *names[:2]) for names in found]
    if not all(kind in ("int", "float") for kind in kinds[:2]) or kinds[2] not in ("int", "text"):
        return []
    pairs = zip(columns[others[0]], columns[others[1]], strict=True)
    less = [_less(one, other) for one, other in pairs]
    if 2 * sum(less) <= len(less):  # if only a few lines are wrong, they are refused later
        return []
    seconds: Columns = ("start_second", "end_second", "label")
    if "float" in kinds[:2]:
        return [seconds]
    return [("start_frame", "end_frame", "label"), seconds]


def _less(one: Cell, other: Cell) -> bool:
    try:
        return seconds_of(str(one)) < seconds_of(str(other))
    except ValueError:
        return True  # refused later, by its line


def _numbers(column: Column) -> list[int]:
    return [whole(str(cell)) for cell in column if NUMBER.fullmatch(str(cell))]


def whole(text: str) -> int:
    """Returns the value of a `NUMBER`."""
    return int(re.split(r"[.,]", text)[0])


def maybe_thousands(cells: Iterable[str]) -> str | None:
    """Returns a number in a column that may be 1 or 1000, such as `1,000`, or None.

    Next to `0.000` or `1000.000` all are whole numbers with three decimals, as programs write them.
    """
    found = [cell for cell in cells if cell[-3:] == "000"]
    if any(map(_NO_THOUSANDS.fullmatch, found)):
        return None
    return next((cell for cell in found if _THOUSANDS.fullmatch(cell)), None)


def _only_numbers(cell: Cell) -> bool:
    return isinstance(cell, str) and all(map(is_time, cell.split()))


def _repeats(column: Column) -> bool:
    return len(set(column)) < len(column)


def _is_index(column: Column) -> bool:
    """Returns whether a column counts the rows, from 0 or 1."""
    numbers = _numbers(column)
    return len(column) > 1 and numbers in ([*range(len(column))], [*range(1, len(column) + 1)])


def _no_index(
    columns: Sequence[Column], kinds: Sequence[Kind], others: Sequence[int]
) -> list[Columns]:
    """Assigns a column that counts the rows but may also hold classes with one video each."""
    index, last = (columns[k] for k in others)
    if kinds[others[1]] == "int":
        less = _are_less(_numbers(index), _numbers(last))
        return [("label", "num_frames")] if less and not is_dense(_numbers(last)) else []
    return [] if _repeats(last) else [("class_number", "class_name")]


def _swapped(one: Column, two: Column) -> bool:
    """Returns whether the supposed classes look like numbers of frames, and the reverse.

    Numbers of frames have gaps and are larger than most class numbers, whereas the class numbers of
    many videos have few gaps.
    """
    frames, labels = _numbers(one), _numbers(two)
    return not is_dense(labels) and (is_dense(frames) or _are_less(frames, labels))


def _are_less(classes: Sequence[int], counts: Sequence[int]) -> bool:
    """Returns whether classes are less than the numbers of frames next to them, if known."""
    if len(classes) != len(counts):
        return False
    pairs = list(zip(classes, counts, strict=True))
    less = sum(one < other for one, other in pairs)
    return 2 * less > len(pairs) and all(one < other or other in (-1, 0) for one, other in pairs)


def is_dense(numbers: Iterable[int]) -> bool:
    """Returns whether numbers may be classes: from 0 or 1, with few gaps."""
    found = set(numbers)
    return len(found) > 1 and min(found) in (0, 1) and 2 * len(found) > max(found) - min(found) + 1


def _tied(numbers: Column, names: Column) -> bool | None:
    """Returns whether each number belongs to one name; None if no name occurs twice to show it."""
    pairs = set(zip(numbers, names, strict=True))
    if len(pairs) > len(set(names)) or len(pairs) > len(set(numbers)):
        return False
    return True if _repeats(names) and len(set(names)) > 1 else None
