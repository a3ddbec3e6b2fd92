"""The order of classes that are known by name only, which determines their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_DIGITS = 18  # longer ones are taken for names, such as hashes


def in_order(names: Iterable[str]) -> list[str]:
    """Sorts names of classes; if all are numbers, by value: 0, 1, 2, ..., 10."""
    found = sorted(names)
    return sorted(found, key=int) if are_numbers(found) else found


def are_numbers(names: Sequence[str]) -> bool:
    """Returns whether all names are whole numbers."""
    return all(name.isascii() and name.isdigit() and len(name) <= _DIGITS for name in names)


def order_note(names: Sequence[str]) -> str | None:
    """Returns a note about the order of classes, unless it is alphabetical.

    Args:
        names: The classes in order.
    """
    if list(names) == sorted(names):
        return None
    few = ", ".join(names if len(names) < 5 else [*names[:3], "...", names[-1]])
    return (
        f"classes are numbers, and in numeric order: {few} (not the order of "
        "text, 0, 1, 10, 2). Models and manifest files keep the order of their own labels"
    )
