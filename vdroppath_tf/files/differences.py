"""Differences between the descriptions of two jobs, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vdroppath_tf.names import named

_MOST = 3  # differences that are listed
_LONGEST = 60  # characters of a value
_DIGEST = re.compile(r"[0-9a-f]{32,}")


@named
def what_differs(
    found: Any, wanted: Mapping[str, Any], *, sides: tuple[str, str] | None = None
) -> str:
    """Describes the fields that differ between two jobs, such as ``"size.edge 90, not 50"``.

    Args:
        found: The existing description, as plain JSON values.
        wanted: The description that was expected.
        sides: The names of the two descriptions, for ``"size.edge is 90 in the folder's run and 50
            in this call"``. Defaults to None.

    Returns:
        The first three differences, separated by commas, and the number of the others.
    """
    if not isinstance(found, dict):
        return "the file is damaged"
    old, new = _flat(found), _flat(wanted)
    names = [n for n in dict.fromkeys([*new, *old]) if old.get(n) != new.get(n)]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return (
        ", ".join(_told(name, old.get(name), new.get(name), sides) for name in names[:_MOST]) + more
    )


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Flattens nested fields to dotted names; the elements of a list of groups get numbers."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            value = {str(n): one for n, one in enumerate(value)}
        inner = _flat(value) if isinstance(value, dict) else None
        flat |= {name: value} if inner is None else {f"{name}.{k}": v for k, v in inner.items()}
    return flat


def _told(name: str, old: Any, new: Any, sides: tuple[str, str] | None) -> str:
    if all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in (old, new)):
        return name  # a digest tells a reader nothing
    if sides is not None:
        return f"{name} is {_short(old)} in {sides[0]} and {_short(new)} in {sides[1]}"
    return f"{name} {_short(old)}, not {_short(new)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
