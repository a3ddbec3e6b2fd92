"""Splits one line of a list into columns, by each of the usual separators."""

from __future__ import annotations

import csv
import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

from vdroppath_tf.data.lists.tables.layout import SEPARATORS
from vdroppath_tf.data.lists.tables.words import says_more
from vdroppath_tf.data.sources.content import VIDEO_SUFFIXES
from vdroppath_tf.files import parse_json

Rest: TypeAlias = Literal["none", "first", "last", "suffix"]
Cell: TypeAlias = str | tuple[str, ...]
"""The content of a column; in JSON it may be a list."""

_WORD = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|'([^']*)'|(\S+))(?:\s+|$)""")
_ENDINGS = "|".join(sorted(suffix[1:] for suffix in VIDEO_SUFFIXES))
_PATH = re.compile(rf"(.*?\.(?:{_ENDINGS}|zip|h5|hdf5))\s+(.*)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Splitter:
    """A way to split lines.

    Attributes:
        separator: One of the values of `SEPARATORS`; a space means any number of spaces and tabs.
        fields: The number of columns.
        rest: The column that may hold separators without quotes: none, the first, the last, or
            both, if the first ends in the suffix of a video. Defaults to none.
        quotes: Whether quotes enclose the text of a column. Defaults to False.
    """

    separator: str
    fields: int
    rest: Rest = "none"
    quotes: bool = False

    def __call__(self, line: str) -> Sequence[Cell] | None:
        """Returns the columns of a line, or None if it has another number of them."""
        found = self.split(line)
        return found if found is not None and len(found) == self.fields else None

    def split(self, line: str) -> list[str] | None:
        """Returns the columns of a line, in any number."""
        separator = None if self.separator == " " else self.separator
        if self.rest == "first":
            parts = line.strip().rsplit(separator, self.fields - 1)
        elif self.rest == "last":
            parts = line.strip().split(separator, self.fields - 1)
        elif self.rest == "suffix":
            match = _PATH.fullmatch(line.strip())
            if match is None:
                return None
            parts = [match[1], *match[2].split(None, self.fields - 2)]
        elif self.quotes:
            return _quoted(line, separator)
        else:
            parts = line.split(separator)
        if separator is not None:
            parts = [part.strip() for part in parts]
        return [_bare(part) for part in parts] if '"' in line or "'" in line else parts

    def __str__(self) -> str:
        name = next(name for name, text in SEPARATORS.items() if text == self.separator)
        return f"separated by {name}s"


@dataclasses.dataclass(frozen=True)
class ObjectSplitter:
    """Splits lines that are JSON objects; the columns are the fields of the first ones.

    Attributes:
        names: The names of the columns; `a.b` is the field `b` of the object `a`.
    """

    names: tuple[str, ...]

    def __call__(self, line: str) -> Sequence[Cell] | None:
        """Returns the columns of an object; None if it is no object or has further fields."""
        found = load_object(line)
        if found is None:
            return None
        found = flat(found)
        if not self._known.issuperset(found) and self._unread(found):
            return None
        return [_cell(found.get(name)) for name in self.names]

    def misfit(self, line: str) -> str:
        """Describes why a line has no columns, as the end of a sentence."""
        found = load_object(line)
        unread = [] if found is None else self._unread(flat(found))
        return f"has {unread[0]!r}, which is no column" if unread else "is not a JSON object"

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    def _unread(self, found: Iterable[str]) -> list[str]:
        """Returns fields next to the columns that describe the video."""
        names = (name for name in found if not {name, name.partition(".")[0]} & self._known)
        return [name for name in names if says_more(name)]

    def __str__(self) -> str:
        return "JSON objects"


AnySplitter: TypeAlias = Splitter | ObjectSplitter


def load_object(line: str) -> dict[str, Any] | None:
    """Parses a JSON object; returns None if the line is something else."""
    try:
        found = parse_json(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def flat(found: dict[str, Any]) -> dict[str, Any]:
    """Flattens an object one level: nested fields get dotted names."""
    if dict not in map(type, found.values()):
        return found
    inner = {
        f"{name}.{key}": item
        for name, value in found.items()
        if isinstance(value, dict)
        for key, item in value.items()
    }
    return {name: value for name, value in found.items() if not isinstance(value, dict)} | inner


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return "" if value is None or isinstance(value, dict) else str(value)


def _quoted(line: str, separator: str | None) -> list[str] | None:
    if separator is None:
        return list(_words(line))
    try:
        rows = list(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error:
        return None
    return [field.strip() for field in rows[0]] if rows else None


def _bare(text: str) -> str:
    """Removes the quotes around a text: some columns have them and others do not."""
    enclosed = len(text) > 2 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if enclosed and text[0] not in text[1:-1] else text


def _words(line: str) -> Iterator[str]:
    at = 0
    while at < len(line) and (match := _WORD.match(line, at)) is not None:
        double, single, plain = match.groups()
        yield double.replace('""', '"') if double is not None else single or plain or ""
        at = match.end()
