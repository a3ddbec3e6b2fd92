"""Folders of versions, named by whole numbers, as TensorFlow Serving expects them."""

from __future__ import annotations

import os
from pathlib import Path

Identity = tuple[int, int]
"""The identity of a folder: its inode and the time of the last rename in it."""


def versions_in(place: Path) -> dict[int, Path]:
    """Returns the folders of versions by number."""
    try:
        inside = {int(p.name): p for p in place.iterdir() if _is_number(p.name) and p.is_dir()}
    except OSError:
        return {}
    if inside:
        return inside
    own = int(place.name) if _is_number(place.name) else 1
    return {own: place} if any(place.iterdir()) else {}


def newest_version(place: Path) -> Path:
    """Returns the folder of the newest version; the folder itself if it holds no versions."""
    found = versions_in(place)
    return found[max(found)] if found else place


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 19


def identity_of(path: Path) -> Identity:
    """Returns the identity of a folder, which changes when it is written again."""
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns
