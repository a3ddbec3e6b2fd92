"""All ways in which the first lines of a list may be read."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from vdroppath_tf.data.lists.tables.contents import Columns, There, by_content, kind_of, some
from vdroppath_tf.data.lists.tables.headers import by_header, meanings
from vdroppath_tf.data.lists.tables.layout import CLASSES, SEPARATORS, Layout
from vdroppath_tf.data.lists.tables.splitting import (
    AnySplitter,
    Cell,
    ObjectSplitter,
    Rest,
    Splitter,
    flat,
    load_object,
)
from vdroppath_tf.data.sources.content import VIDEO_SUFFIXES

_MAX_FIELDS = 64
_REGULAR = 0.8  # share of lines with the same number of columns; the others are mistakes


def splitters(lines: Sequence[str], layout: Layout) -> Iterator[AnySplitter]:
    """Yields the splitters that fit at least half of the lines."""
    for splitter in _all_splitters(lines, layout):
        fitting = sum(splitter(line) is not None for line in some(lines))
        if 2 * fitting >= len(some(lines)):
            yield splitter


def _all_splitters(lines: Sequence[str], layout: Layout) -> Iterator[AnySplitter]:
    given = None if layout.columns is None else len(layout.columns)
    if layout.separator is None and (first := load_object(lines[0])) is not None:
        yield ObjectSplitter(_members(first, lines, given))
        return
    rests: tuple[Rest, ...] = ("first", "last", "suffix")
    separators = (
        [layout.separator] if layout.separator else ["tab", "comma", "semicolon", "pipe", "space"]
    )
    for separator in (SEPARATORS[name] for name in separators):
        quotes = [True, False] if any('"' in line or "'" in line for line in lines) else [False]
        counts: set[int] = set()
        regular = False
        for quoted in quotes:
            splitter = Splitter(separator, 0, quotes=quoted)
            most, share = _usual_count(splitter, lines)
            if regular:
                continue  # the splitter with quotes fits
            if given or 2 <= most <= _MAX_FIELDS:
                counts.add(given or most)
                regular |= share >= _REGULAR and most == (given or most)
                yield dataclasses.replace(splitter, fields=given or most)
        if separator == " " or (not regular and any(separator in line for line in lines)):
            for fields in [given] if given else sorted({2, 3, 4} | {n for n in counts if n <= 5}):
                for rest in rests if separator == " " else rests[:2]:
                    yield Splitter(separator, fields, rest)


def _members(first: dict[str, Any], lines: Sequence[str], given: int | None) -> tuple[str, ...]:
    """Returns the fields of objects, since some have fields that others lack, e.g. a segment's end.

    Columns that the user passed may be those of the first object only.
    """
    if given == len(first):
        return tuple(first)
    objects = [found for line in lines if (found := load_object(line)) is not None]
    names = dict.fromkeys(name for each in objects for name in flat(each))
    return tuple(names)[:_MAX_FIELDS]


def _usual_count(splitter: Splitter, lines: Sequence[str]) -> tuple[int, float]:
    """Returns the most frequent number of columns, and the share of lines that have it."""
    counts = Counter(len(splitter.split(line) or ()) for line in some(lines))
    most, number = counts.most_common(1)[0]
    return most, number / sum(counts.values())


def columns_of(
    splitter: AnySplitter, lines: Sequence[str], layout: Layout, there: There
) -> Iterator[tuple[Columns, bool]]:
    """Yields possible meanings of the columns, and whether the first line is a header."""
    rows = [splitter(line) for line in lines]
    if isinstance(splitter, ObjectSplitter):
        names, data = meanings(splitter.names), [row for row in rows if row is not None]
        if layout.columns is not None and len(layout.columns) == len(splitter.names):
            yield layout.columns, False
        elif layout.columns is None and names is not None:
            yield from ((columns, False) for columns in by_header(splitter.names, data, there))
        return
    first, data = rows[0], [row for row in rows[1:] if row is not None]
    names = None if first is None else meanings(first)
    header = (
        names is not None
        and first is not None
        and not any(
            isinstance(cell, str) and cell != "" and there(cell)
            for cell, name in zip(first, names, strict=True)
            if name == "path"
        )
    )
    if layout.columns is not None:
        given = layout.columns, first, data, there
        yield layout.columns, header or _is_foreign_header(*given) or _is_header(*given)
    elif header and first is not None:
        yield from ((columns, True) for columns in by_header(first, data, there))
    else:
        found = [row for row in rows if row is not None]
        for columns in by_content(found, there):
            yield columns, _is_foreign_header(columns, first, data, there)


def _is_foreign_header(
    columns: Columns, first: Sequence[Cell] | None, rows: Sequence[Sequence[Cell]], there: There
) -> bool:
    """Returns whether the first row is a header in an unknown language.

    Its path leads to nothing and has no suffix, whereas all others exist and have one, and no other
    row has its class.
    """
    if first is None or len(rows) < 2:
        return False
    path = columns.index("path")
    named = [str(row[path]) for row in rows]
    if _is_video_name(first[path]) or not all(map(_is_video_name, named)):
        return False
    places = [k for k, column in enumerate(columns) if column in CLASSES]
    same = any(first[k] == row[k] for row in rows for k in places)
    return not same and not there(str(first[path])) and all(map(there, some(named)))


def _is_video_name(cell: Cell) -> bool:
    return os.path.splitext(str(cell))[1].lower() in VIDEO_SUFFIXES


def _is_header(
    columns: Columns, first: Sequence[Cell] | None, rows: Sequence[Sequence[Cell]], there: There
) -> bool:
    """Returns whether the first row leads to nothing and has words above columns of numbers."""
    if first is None or not rows or there(str(first[columns.index("path")])):
        return False
    below = [kind_of(column) for column in zip(*rows, strict=True)]
    return any(
        kind in ("int", "float") and kind_of([cell]) == "text"
        for cell, kind, column in zip(first, below, columns, strict=True)
        if column not in ("-", "path", "class_name")
    )
