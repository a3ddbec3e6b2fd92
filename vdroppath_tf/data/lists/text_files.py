"""Text that comes from others: lines, CSV rows, JSON, numbers and class names, all bounded."""

from __future__ import annotations

import codecs
import csv
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.files import open_regular, open_text

MAX_LINE = 4096
"""Longer lines are refused (characters)."""
MAX_LINES = 20_000_000
"""Longer files are refused (lines)."""
MAX_JSON = 1 << 28
"""Larger JSON files are refused (bytes); Something-Something V2's is 40 MB."""
MAX_CLASSES = 100_000
"""Labels from here on are refused: more likely a column mixed up than a class."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")

PathLike: TypeAlias = str | os.PathLike[str]


def encoding_of(path: PathLike) -> str:
    """The encoding of a text file: UTF-8, unless its first bytes are those of UTF-16 or UTF-32.

    Spreadsheets write UTF-16. Other encodings cannot be told from one another.

    Raises:
        ManifestError: the file cannot be read.
    """
    try:
        with open_regular(path) as file:
            start = file.read(1 << 12)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    zeros = [start[k : len(start) & ~1 : 2].count(0) for k in (0, 1)]  # of most Latin letters
    if max(zeros) > len(start) / 4 and min(zeros) == 0:
        return "utf-16-le" if zeros[1] else "utf-16-be"
    return "utf-8"


def read_lines(
    path: PathLike,
    expected: str,
    *,
    encoding: str | None = None,
    strip: bool = True,
    way_out: str = "Save it as UTF-8.",
) -> Iterator[tuple[str, str]]:
    """`(file:line, text)` for every line that is not blank.

    Args:
        path: the file.
        expected: what a line looks like, for errors.
        encoding: of the text; None finds it out, see `encoding_of`.
        strip: whether spaces and tabs at the ends of a line mean nothing.
        way_out: what to do where the encoding is another, for errors.

    Raises:
        ManifestError: the file is missing, not of that encoding, or too long in either direction.
    """
    found = encoding or encoding_of(path)
    try:
        with open_text(path, encoding=found) as file:
            number, start = 0, f"{path}:"
            while line := file.readline(MAX_LINE + 2):
                number += 1
                origin = f"{start}{number}"
                if len(line) > MAX_LINE and len(line.rstrip("\n")) > MAX_LINE:
                    raise ManifestError(
                        f"{origin}: is longer than {MAX_LINE} characters ({line[:40]!r}...). "
                        f"Expected {expected}."
                    )
                if number > MAX_LINES:
                    raise ManifestError(f"{origin}: expected at most {MAX_LINES} lines. Split it.")
                if text := line.strip():
                    yield origin, text if strip else line.rstrip("\n")
    except UnicodeError as error:
        name = found.removesuffix("-sig").upper()
        raise ManifestError(f"{path}: is not {name} text ({error}). {way_out}") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None


def start_of(path: PathLike, size: int = MAX_LINE) -> str:
    """The first characters of a file, to know its kind by; bytes that are no text are replaced.

    Raises:
        ManifestError: the file cannot be read.
    """
    try:
        with open_text(path, encoding=encoding_of(path), errors="replace") as file:
            return file.read(size)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None


def read_rows(path: PathLike, delimiter: str, expected: str) -> Iterator[tuple[str, list[str]]]:
    """`(file:line, fields)` of every row of a CSV file; a row is one line.

    Raises:
        ManifestError: see `read_lines`; or quotes do not match.
    """
    for origin, line in read_lines(path, expected):
        try:
            row = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise ManifestError(
                f"{origin}: is no CSV ({error}): {line[:80]!r}. Expected {expected}."
            ) from None
        yield origin, [field.strip() for field in row]


def load_json(path: PathLike, expected: type, what: str) -> Any:
    """A JSON file of one type.

    Args:
        path: the file.
        expected: `list` or `dict`.
        what: what it should hold, for errors.

    Raises:
        ManifestError: the file is missing, too large, no JSON, or of another type.
    """
    try:
        with open_text(path, encoding=encoding_of(path)) as file:
            if (size := os.fstat(file.fileno()).st_size) > MAX_JSON:
                raise ManifestError(
                    f"{path}: has {size} bytes, expected at most {MAX_JSON}. Split it."
                )
            value = json.load(file)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None
    except (UnicodeError, json.JSONDecodeError, RecursionError) as error:
        raise ManifestError(f"{path}: is no JSON ({error}). Expected {what}.") from None
    if not isinstance(value, expected):
        raise ManifestError(f"{path}: holds a {type(value).__name__}. Expected {what}.")
    return value


def whole_number(text: str, field: str, origin: str, low: int, high: int) -> int:
    """A number of a line, from low to high.

    Raises:
        ManifestError: it is none, or outside.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ManifestError(f"{origin}: {field} {text!r} is not a whole number.")
    if not low <= int(text) <= high:
        raise ManifestError(f"{origin}: {field} is {text}, expected {low} to {high}.")
    return int(text)


def check_names(names: Sequence[str], origin: str) -> tuple[str, ...]:
    """Class names as they are, if there are some and no two are the same.

    Raises:
        ManifestError: there is none, too many, an empty one, or one twice.
    """
    if not 1 <= len(names) <= MAX_CLASSES:
        raise ManifestError(f"{origin}: names {len(names)} classes. Expected 1 to {MAX_CLASSES}.")
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        if not str(name).strip():
            raise ManifestError(f"{origin}: class {number} has an empty name.")
        if name in seen:
            raise ManifestError(
                f"{origin}: classes {seen[name]} and {number} are both called {name!r}. Expected "
                "different names."
            )
        seen[name] = number
    return tuple(str(name) for name in names)


def read_names(path: PathLike) -> tuple[str, ...]:
    """Class names of a text file, one a line, by number.

    Raises:
        ManifestError: see `read_lines` and `check_names`.
    """
    lines = [line for _, line in read_lines(path, "one class name a line")]
    return check_names(lines, str(path))


def same_names(own: Sequence[str], labels: Sequence[str] | None, origin: str) -> tuple[str, ...]:
    """The classes a data set's own file names, if they are those asked for.

    Raises:
        ManifestError: `labels` are others.
    """
    if labels is not None and tuple(labels) != tuple(own):
        raise ManifestError(
            f"{origin}: names other classes than labels=. Expected {list(labels)[:9]}, found "
            f"{list(own)[:9]}. Training and validation must have one list of classes."
        )
    return tuple(own)
