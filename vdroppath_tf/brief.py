"""A ``repr`` of one line for objects that hold arrays, lists of videos or of scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

_LONG = 60  # characters of a field, or elements of a sequence are counted instead


def brief(fields_of: Any) -> str:
    """A dataclass with what its fields hold counted where that is long; ``__repr__ = brief``.

    Args:
        fields_of: An object of a dataclass.

    Returns:
        Such as ``"Manifest(entries=240,000 of VideoEntry, labels=174 of str, source='a.txt')"``.
    """
    fields = dataclasses.fields(fields_of)
    shown = [f"{each.name}={_shown(getattr(fields_of, each.name))}" for each in fields if each.repr]
    return f"{type(fields_of).__qualname__}({', '.join(shown)})"


def _shown(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape") and value.shape:
        return f"{value.dtype} {tuple(value.shape)}"
    if isinstance(value, Mapping) and value:
        return _counted(value, value.values(), repr(value)) if len(value) > 2 else repr(value)
    if isinstance(value, (list, tuple)) and value:
        if len(value) > 8 or hasattr(value[0], "dtype") or dataclasses.is_dataclass(value[0]):
            return _counted(value, value, "")
        return _counted(value, value, repr(value))
    text = repr(value)
    return (
        text if len(text) <= 3 * _LONG or dataclasses.is_dataclass(value) else f"{text[:_LONG]}..."
    )


def _counted(value: Any, elements: Any, text: str) -> str:
    """The text, or where it is long or there is none, the number of elements and their kind."""
    if 0 < len(text) <= _LONG:
        return text
    kinds = sorted({type(each).__name__ for each in list(elements)[:100]})
    return f"{len(value):,} of {' or '.join(kinds)}"
