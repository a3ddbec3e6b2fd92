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
        fields: The content; a versioned format has its name under `"format"`.
        allow_nan: Whether NaN and infinities are written, which only Python reads. Defaults to
            True.

    Raises:
        ValueError: If `allow_nan` is false and the content has such a value.
    """
    write_text(path, json.dumps(fields, indent=1, allow_nan=allow_nan) + "\n")


@named
def parse_json(text: str | bytes) -> Any:
    """Reads JSON that anybody may have written.

    Args:
        text: The JSON text.

    Raises:
        ValueError: If it is not JSON, or is nested so deeply that Python refuses to read it, for
            which Python itself has a `RecursionError`.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@named
def check_architecture(value: object) -> None:
    """Raises a ValueError if the architecture in a JSON file is neither text nor null."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"Expected 'architecture' to be text or null. Received: {value!r}")


@named
def read_json(
    text: str | bytes,
    expected: str,
    names: Sequence[str] | None = None,
    *,
    optional: Sequence[str] = (),
    older: str = "",
) -> dict[str, Any]:
    """Reads a JSON object in one of this package's formats.

    Args:
        text: The JSON text.
        expected: The format and version that it must have, such as `"vdroppath_tf.strategy/1"`.
        names: The exact set of fields it must have beside `format`. Defaults to None, any fields.
        optional: Those of them that files of earlier versions lack. Defaults to none.
        older: A sentence for the error that says what to do with a file of an earlier version.

    Returns:
        The fields.

    Raises:
        ValueError: If it is not JSON, has another format or version, or its fields differ.
    """
    try:
        fields = parse_json(text)
    except ValueError as error:
        raise ValueError(f"Not JSON: {error}. Expected the format {expected!r}.") from None
    if not isinstance(fields, dict) or "format" not in fields:
        raise ValueError(
            f"The JSON has no 'format'. Expected an object with format {expected!r}. "
            f"Received: {str(text)[:80]!r}"
        )
    check_format(fields.pop("format"), expected, older)
    if names is not None and not {*names} - {*optional} <= fields.keys() <= {*names}:
        raise ValueError(
            f"Expected the fields {sorted(names)} in {expected!r}. Received: {sorted(fields)}"
        )
    return fields


@named
def check_format(found: object, expected: str, older: str = "") -> None:
    """Raises a ValueError if the format of a file, or its version, is not the expected one."""
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
        ValueError: If it is not UTF-8 text or not a regular file; the message names the file.
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
    """Reads a text file and returns what a function makes of its text.

    Args:
        path: The file, in UTF-8.
        read: The function, which takes the text.
        max_bytes: Larger files are refused. Defaults to None, any size.

    Raises:
        ValueError: If the file is too large or not text, or `read` raises one; the message begins
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
