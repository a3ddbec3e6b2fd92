"""The columns of a list that say where segments of videos start and end, whatever they are of."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from vdroppath_tf.data.lists.tables.words import MEANING, plain_name

_ENDS = {
    "start": (("start", "begin", "onset"), {"from", "t0"}),
    "end": (("end", "stop", "finish", "offset"), {"to", "until", "t1"}),
}
"""How words of either end begin, and other words for it."""


def segment_columns(names: Sequence[str]) -> list[str]:
    """The names of columns that are of segments: those that are known, or seem to be a pair.

    Args:
        names: of all columns.
    """
    known = [name for name in names if meaning_of(name).startswith(("start", "end"))]
    pair = [[name for name in names if _is_of(name, end)] for end in _ENDS]
    return known or (pair[0] + pair[1] if all(pair) else [])


@functools.lru_cache(maxsize=1024)  # a list of objects names its columns again and again
def meaning_of(name: str) -> str:
    """What a column of this name holds in any list, such as `start_second`; "" if unknown."""
    return MEANING.get(plain_name(name), "")


@functools.lru_cache(maxsize=1024)
def _is_of(name: str, end: str) -> bool:
    beginnings, others = _ENDS[end]
    words = plain_name(name).split("_")
    return any(word.startswith(beginnings) or word in others for word in words)
