"""What differs between two descriptions of jobs, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vdroppath_tf.names import named

_MOST = 3  # differences that are told
_LONGEST = 60  # letters of a value
_DIGEST = re.compile(r"[0-9a-f]{32,}")


@named
def what_differs(found: Any, wanted: Mapping[str, Any]) -> str:
    """What one job has and the other has not, such as ``"size.edge 90, not 50"``.

    Args:
        found: The description that is there, plain JSON values.
        wanted: The one that was expected there.
    """
    if not isinstance(found, dict):
        return "the file is damaged"
    old, new = _flat(found), _flat(wanted)
    names = [n for n in dict.fromkeys([*new, *old]) if old.get(n) != new.get(n)]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(_told(name, old.get(name), new.get(name)) for name in names[:_MOST]) + more


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Groups of fields as one, by dotted names; of groups in a list the names are numbers."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            value = {str(n): one for n, one in enumerate(value)}
        inner = _flat(value) if isinstance(value, dict) else None
        flat |= {name: value} if inner is None else {f"{name}.{k}": v for k, v in inner.items()}
    return flat


def _told(name: str, old: Any, new: Any) -> str:
    if all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in (old, new)):
        return name  # nobody reads digests
    return f"{name} {_short(old)}, not {_short(new)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
