"""One error for a name that is not there, with the names that come nearest."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: object, known: Iterable[str]) -> str:
    """The known names that come nearest, as a question that ends in a space; or nothing."""
    near = difflib.get_close_matches(str(name).lower(), list(known), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(map(repr, near))}? " if near else ""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """The error to raise: what was received, the nearest names, and all there are."""
    names = list(known)
    return ValueError(
        f"Unknown {kind}. {nearest(name, names)}Expected one of {names}. Received: {name!r}"
    )
