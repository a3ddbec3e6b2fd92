"""Reads untrusted text files: lines, CSV rows, JSON, numbers and class names, all with limits."""

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
"""Labels of this number and above are refused: probably another column was read as the class."""

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
    """Returns the encoding of a text file: UTF-8, unless its first bytes indicate UTF-16 or UTF-32.

    Spreadsheets write UTF-16. Other encodings cannot be distinguished.

    Raises:
        ManifestError: If the file cannot be read.
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
    """Yields `(file:line, text)` for every line that is not blank.

    Args:
        path: The file.
        expected: The form of a line, for errors.
        encoding: The encoding of the text. Defaults to None: it is inferred, see `encoding_of`.
        strip: Whether to remove spaces and tabs at the ends of lines. Defaults to True.
        way_out: The advice for text in another encoding, for errors.

    Raises:
        ManifestError: If the file is missing, has another encoding, or is too long in either
            direction.
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
    """Returns the first characters of a file, to recognise its format; replaces invalid bytes.

    Raises:
        ManifestError: If the file cannot be read.
    """
    try:
        with open_text(path, encoding=encoding_of(path), errors="replace") as file:
            return file.read(size)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None


def read_rows(path: PathLike, delimiter: str, expected: str) -> Iterator[tuple[str, list[str]]]:
    """Yields `(file:line, fields)` for every row of a CSV file; a row is one line.

    Raises:
        ManifestError: See `read_lines`; or if quotes do not match.
    """
    for origin, line in read_lines(path, expected):
        try:
            row = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise ManifestError(
                f"{origin}: is not CSV ({error}): {line[:80]!r}. Expected {expected}."
            ) from None
        yield origin, [field.strip() for field in row]


def load_json(path: PathLike, expected: type, what: str) -> Any:
    """Reads a JSON file whose value has a given type.

    Args:
        path: The file.
        expected: `list` or `dict`.
        what: The expected content, for errors.

    Raises:
        ManifestError: If the file is missing, too large, not JSON, or of another type.
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
        raise ManifestError(f"{path}: is not JSON ({error}). Expected {what}.") from None
    if not isinstance(value, expected):
        raise ManifestError(f"{path}: holds a {type(value).__name__}. Expected {what}.")
    return value


def whole_number(text: str, field: str, origin: str, low: int, high: int) -> int:
    """Parses a number between `low` and `high`.

    Raises:
        ManifestError: If it is not a whole number, or out of range.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ManifestError(f"{origin}: {field} {text!r} is not a whole number.")
    if not low <= int(text) <= high:
        raise ManifestError(f"{origin}: {field} is {text}, expected {low} to {high}.")
    return int(text)


def check_names(names: Sequence[str], origin: str) -> tuple[str, ...]:
    """Returns class names unchanged, if there are any and all are distinct.

    Raises:
        ManifestError: If there is none, too many, an empty one, or a repeated one.
    """
    if not 1 <= len(names) <= MAX_CLASSES:
        raise ManifestError(f"{origin}: names {len(names)} classes. Expected 1 to {MAX_CLASSES}.")
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        if not str(name).strip():
            raise ManifestError(f"{origin}: class {number} has an empty name.")
        if name in seen:
            raise ManifestError(
                f"{origin}: classes {seen[name]} and {number} are both named {name!r}. Expected "
                "different names."
            )
        seen[name] = number
    return tuple(str(name) for name in names)


def read_names(path: PathLike) -> tuple[str, ...]:
    """Reads class names from a text file, one a line, in the order of their numbers.

    Raises:
        ManifestError: See `read_lines` and `check_names`.
    """
    lines = [line for _, line in read_lines(path, "one class name a line")]
    return check_names(lines, str(path))


def same_names(own: Sequence[str], labels: Sequence[str] | None, origin: str) -> tuple[str, ...]:
    """Returns the classes named in a data set's file, if they equal the ones passed.

    Raises:
        ManifestError: If `labels` differ.
    """
    if labels is not None and tuple(labels) != tuple(own):
        raise ManifestError(
            f"{origin}: names other classes than labels=. Expected {list(labels)[:9]}, found "
            f"{list(own)[:9]}. Training and validation must have the same list of classes."
        )
    return tuple(own)
