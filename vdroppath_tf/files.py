"""Small files this package writes and reads: versioned JSON objects, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

_Read = TypeVar("_Read")


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 file by way of a neighbour and a rename, so that it is whole or unchanged."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file in the same way."""
    target = Path(path)
    neighbour = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(neighbour, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(neighbour, target)
    finally:
        neighbour.unlink(missing_ok=True)


def check_architecture(value: object) -> None:
    """Stop where a JSON file's architecture is neither text nor null."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"Expected 'architecture' to be text or null. Received: {value!r}")


def read_json(text: str, expected: str, names: Sequence[str]) -> dict[str, Any]:
    """Read a JSON object of one of this package's formats.

    Args:
        text: The JSON text.
        expected: Format and version it must have, such as `"vdroppath_tf.strategy/1"`.
        names: The fields it must have, and no others, beside `format`.

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
    _check_format(fields.pop("format"), expected)
    if set(fields) != set(names):
        raise ValueError(
            f"Expected the fields {sorted(names)} in {expected!r}. Received: {sorted(fields)}"
        )
    return fields


def _check_format(found: object, expected: str) -> None:
    if found == expected:
        return
    name, _, version = expected.rpartition("/")
    found_name, _, found_version = str(found).rpartition("/")
    if found_name == name and found_version.isdecimal() and int(found_version) > int(version):
        raise ValueError(
            f"The JSON was written by a newer vdroppath_tf: this one reads {expected!r}. "
            f"Upgrade the package. Received: {found!r}"
        )
    raise ValueError(f"Expected the format {expected!r}. Received: {found!r}")


def load_text(path: str | os.PathLike[str], read: Callable[[str], _Read]) -> _Read:
    """What ``read`` makes of a text file.

    Raises:
        ValueError: what ``read`` says is wrong, after the name of the file.
        OSError: If it cannot be read.
    """
    try:
        return read(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None
