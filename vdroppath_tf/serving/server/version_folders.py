"""Folders of versions, as TensorFlow Serving expects them: with whole numbers for names."""

from __future__ import annotations

import os
from pathlib import Path

Identity = tuple[int, int]
"""What a folder is told by: its inode and when something in it was last renamed."""


def versions_in(place: Path) -> dict[int, Path]:
    """The folders of versions by number."""
    try:
        inside = {int(p.name): p for p in place.iterdir() if _is_number(p.name) and p.is_dir()}
    except OSError:
        return {}
    if inside:
        return inside
    own = int(place.name) if _is_number(place.name) else 1
    return {own: place} if any(place.iterdir()) else {}


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 19


def identity_of(path: Path) -> Identity:
    """What tells a folder that was written again from the one before."""
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns
