"""Checks the numbers of one video's frames: the first one, the step, and that none is missing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.frame_names import FrameNames
from vdroppath_tf.data.sources.frame_times import LONGEST, in_time_order


def as_times(
    ordered: Sequence[int], numbers: Mapping[int, str], path: str
) -> tuple[str, ...] | None:
    """Returns the names in order if their numbers are times, else None.

    Numbers are times if they have a constant rate (in whole milliseconds, for example), contain a
    date, or are larger than any frame count.
    """
    gaps = {b - a for a, b in itertools.pairwise(ordered)}
    even = len(ordered) > 3 and min(gaps) > 1 and max(gaps) - min(gaps) == 1
    if even and ordered[0] <= max(gaps):
        return tuple(numbers[number] for number in ordered)
    if gaps != {1} and (ordered[0] >= LONGEST or _has_date(numbers[ordered[0]])):
        return in_time_order([*numbers.values()], path)
    return None


def _has_date(name: str) -> bool:
    return re.search("(19|20)[0-9]{2}", name) is not None


def step_of(ordered: Sequence[int]) -> int:
    """Returns the step between the numbers; 1 if it is not constant, or there are only two."""
    gaps = {b - a for a, b in itertools.pairwise(ordered)}
    return gaps.pop() if len(gaps) == 1 and len(ordered) > 2 else 1


def start_of(ordered: Sequence[int], first: int | None, late: bool, step: int) -> int:
    """Returns the number that the first frame should have."""
    if first is not None:
        return first
    in_first_step = ordered[0] <= step if step > 1 else ordered[0] <= 1
    return ordered[0] if late or in_first_step else 1


def check_numbers(
    ordered: Sequence[int], start: int, step: int, kind: FrameNames, path: str
) -> None:
    """Raises `VideoError` unless the numbers run from `start` in steps of `step`."""
    lowest = ordered[0]
    if lowest < start:
        raise VideoError(
            f"{path}: holds {kind.called(lowest)!r}, but frames are counted from first={start}. "
            f"Set first={lowest} if that is the first frame."
        )
    there = set(ordered)
    gap = next(n for n in itertools.count(start, step) if n not in there)
    if gap < ordered[-1]:
        raise VideoError(
            f"{path}: {kind.called(gap)!r} is missing: {len(ordered)} frames are there, numbered "
            f"{lowest} to {ordered[-1]}, and counted from first={start}. Extract them again"
            + (f", or set first={lowest}" if gap == start else "")
            + (
                ""
                if _consecutive(ordered)
                else f", or set template (--frame_template) to {_times_of(kind)!r} if the numbers "
                "are times or frames were left out on purpose"
            )
            + "."
        )


def _consecutive(ordered: Sequence[int]) -> bool:
    return ordered[-1] - ordered[0] == len(ordered) - 1


def _times_of(kind: FrameNames) -> str:
    return re.sub(r"\{:0[0-9]+d\}", "{:f}", kind.template)
