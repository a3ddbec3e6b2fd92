"""JSON objects with a format and a version: written whole, and checked when they are read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from vdroppath_tf.files.whole import read_bytes, write_text
from vdroppath_tf.names import named

_Read = TypeVar("_Read")


@named
def write_json(
    path: str | os.PathLike[str],
    fields: Mapping[str, Any] | Sequence[Any],
    *,
    allow_nan: bool = True,
) -> None:
    """Writes a JSON object or list, whole or not at all.

    Args:
        path: The file to make or replace.
        fields: What it holds; a versioned format names itself under `"format"`.
        allow_nan: Whether NaN and infinities are written, which only Python reads.

    Raises:
        ValueError: If `allow_nan` is false and there is one.
    """
    write_text(path, json.dumps(fields, indent=1, allow_nan=allow_nan) + "\n")


@named
def check_architecture(value: object) -> None:
    """Stop where a JSON file's architecture is neither text nor null."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"Expected 'architecture' to be text or null. Received: {value!r}")


@named
def read_json(
    text: str | bytes, expected: str, names: Sequence[str] | None = None, *, older: str = ""
) -> dict[str, Any]:
    """Read a JSON object of one of this package's formats.

    Args:
        text: The JSON text.
        expected: Format and version it must have, such as `"vdroppath_tf.strategy/1"`.
        names: The fields it must have, and no others, beside `format`. Defaults to any.
        older: What to do with a file of an earlier version: a sentence for the error.

    Returns:
        The fields.

    Raises:
        ValueError: If it is not JSON, of another format or version, or fields differ.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Not JSON: {error}. Expected the format {expected!r}.") from None
    if not isinstance(fields, dict) or "format" not in fields:
        raise ValueError(
            f"The JSON has no 'format'. Expected an object with format {expected!r}. "
            f"Received: {str(text)[:80]!r}"
        )
    check_format(fields.pop("format"), expected, older)
    if names is not None and set(fields) != set(names):
        raise ValueError(
            f"Expected the fields {sorted(names)} in {expected!r}. Received: {sorted(fields)}"
        )
    return fields


@named
def check_format(found: object, expected: str, older: str = "") -> None:
    """Raises a ValueError where a file's format or its version is another than the expected."""
    if found == expected:
        return
    name, _, version = expected.rpartition("/")
    found_name, _, found_version = str(found).rpartition("/")
    same = found_name == name and found_version.isdecimal()
    if same and int(found_version) > int(version):
        raise ValueError(
            f"The JSON was written by a newer vdroppath_tf: this one reads {expected!r}. "
            f"Upgrade the package. Received: {str(found)[:80]!r}"
        )
    advice = f". {older}" if same and older else ""
    raise ValueError(f"Expected the format {expected!r}. Received: {str(found)[:80]!r}{advice}")


@named
def read_text(path: str | os.PathLike[str]) -> str:
    """Reads a UTF-8 text file.

    Raises:
        ValueError: If it is not UTF-8 or no regular file, naming the file.
        OSError: If it cannot be read.
    """
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{os.fspath(path)}: is not UTF-8 text ({error}). Save it as UTF-8."
        ) from None


@named
def load_text(
    path: str | os.PathLike[str], read: Callable[[str], _Read], *, max_bytes: int | None = None
) -> _Read:
    """What a function makes of the text of a file.

    Args:
        path: The file, UTF-8.
        read: Takes the text.
        max_bytes: Larger files are refused. Defaults to any size.

    Raises:
        ValueError: If the file is too large, no text, or `read` raises one; the message begins
            with the name of the file.
        OSError: If it cannot be read.
    """
    if max_bytes is not None and (size := os.path.getsize(path)) > max_bytes:
        raise ValueError(f"{os.fspath(path)}: has {size:,} bytes. Expected at most {max_bytes:,}.")
    text = read_text(path)
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None
