"""One error for a name that is not there, with the names that come nearest."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """The error to raise: what was received, the nearest names, and all there are."""
    names = list(known)
    near = difflib.get_close_matches(str(name).lower(), names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    return ValueError(f"Unknown {kind}. {hint}Expected one of {names}. Received: {name!r}")
