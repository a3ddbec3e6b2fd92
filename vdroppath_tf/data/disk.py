"""Files that appear whole or not at all, folders that belong to one job, checksums of files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, shared: bool = True) -> Iterator[Path]:
    """A file beside the wanted one, to write; it takes its place if the body ends well.

    Whoever reads the path sees the old file or the new one.

    Args:
        path: the file wanted.
        shared: whether several threads or processes may write it at a time. Where not, the file
            beside it has one name, so that the next run writes over what a killed one has left.
    """
    target = Path(path)
    writer = f".{os.getpid()}-{threading.get_ident()}" if shared else ""
    neighbour = target.with_name(f".{target.name}{writer}.tmp")
    try:
        yield neighbour
        os.replace(neighbour, target)
    finally:
        neighbour.unlink(missing_ok=True)


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text file, whole or not at all."""
    with replacing(path) as file:
        file.write_text(text, encoding="utf-8")


def claim(mark: Path, fields: Mapping[str, Any], *, holds: str) -> None:
    """Marks a folder as that of a job, or finds that it is.

    Args:
        mark: the file in the folder that says which job it is of.
        fields: all that decides what the job makes, as plain JSON values.
        holds: what such a folder holds, in errors.

    Raises:
        ValueError: the folder holds another job, or anything else.
    """
    folder = mark.parent
    if not mark.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder}: is not empty and holds no {holds}. Pass a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(mark, json.dumps(fields, indent=1) + "\n")
        return
    try:
        found = json.loads(mark.read_bytes())
    except ValueError:
        found = None
    if found != fields:
        raise ValueError(
            f"{mark}: the folder holds another {holds}: {_difference(found, fields)}. Pass a new "
            "folder, or remove the old one."
        )


def _difference(found: Any, fields: Mapping[str, Any]) -> str:
    """What one job has and the other has not, such as "quality 90, not 50"."""
    if not isinstance(found, dict):
        return "the file is damaged"
    old, new = _flat(found), _flat(fields)
    names = dict.fromkeys([*new, *old])
    return ", ".join(
        f"{name} {old.get(name)}, not {new.get(name)}"
        for name in names
        if old.get(name) != new.get(name)
    )


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Groups of fields as one, by dotted names."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        inner = _flat(value) if isinstance(value, dict) else None
        flat |= {name: value} if inner is None else {f"{name}.{k}": v for k, v in inner.items()}
    return flat


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
