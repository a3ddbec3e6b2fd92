"""The columns of a list that say where segments of videos start and end, whatever they are of."""

from __future__ import annotations

import functools

from vdroppath_tf.data.lists.tables.words import MEANING, of_pairs, of_segments, plain_name


@functools.lru_cache(maxsize=1024)  # a list of objects names its columns again and again
def segment_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of columns that are of segments: those that are known, or seem to be of them.

    Args:
        names: of all columns.
    """
    known = tuple(name for name in names if meaning_of(name).startswith(("start", "end")))
    if known:
        return known
    unknown = {plain_name(name): name for name in names if not meaning_of(name)}
    pairs = of_pairs(unknown)
    return tuple(unknown[name] for name in unknown if of_segments(name) or name in pairs)


def meaning_of(name: str) -> str:
    """What a column of this name holds in any list, such as `start_second`; "" if unknown."""
    return MEANING.get(plain_name(name), "")
