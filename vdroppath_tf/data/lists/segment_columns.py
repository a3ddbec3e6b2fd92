"""The columns of a list that hold the start and the end of segments, in any unit."""

from __future__ import annotations

import functools

from vdroppath_tf.data.lists.tables.words import MEANING, of_pairs, of_segments, plain_name


@functools.lru_cache(maxsize=1024)  # lists of objects repeat the same columns in every line
def segment_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the columns that belong to segments, by a known name or a similar one.

    Args:
        names: The names of all columns.
    """
    known = tuple(name for name in names if meaning_of(name).startswith(("start", "end")))
    if known:
        return known
    unknown = {plain_name(name): name for name in names if not meaning_of(name)}
    pairs = of_pairs(unknown)
    return tuple(unknown[name] for name in unknown if of_segments(name) or name in pairs)


def meaning_of(name: str) -> str:
    """Returns what a column of this name holds in any list, such as `start_second`, or ""."""
    return MEANING.get(plain_name(name), "")
