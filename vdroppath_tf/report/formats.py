"""Formats numbers and strategies in a report: the filters of its templates."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.figures.style import magnitude
from vdroppath_tf.figures.units import unit_color, unit_ink, unit_label
from vdroppath_tf.names import named
from vdroppath_tf.scoring.listed import Row

SAME_COST = 0.005
"""The relative difference in multiply-adds below which two networks cost the same."""


@named
class Run(NamedTuple):
    """Consecutive layers with the same unit.

    Attributes:
        label: The shortened unit.
        masks: The whole unit if it differs between inputs, else "".
        length: The number of layers.
        color: The colour of the unit.
        ink: The colour of text on `color`.
    """

    label: str
    masks: str
    length: int
    color: str
    ink: str


@named
def unit_runs(strategy: str) -> list[Run]:
    """Splits a strategy's text into runs."""
    return [
        Run(
            unit_label(unit),
            unit if "@" in unit else "",
            len(list(same)),
            unit_color(unit),
            unit_ink(unit),
        )
        for unit, same in itertools.groupby(strategy.split())
    ]


@named
def compared_cost(ratio: float) -> str:
    """Describes the multiply-adds of a network that are `ratio` times those of another."""
    if abs(ratio - 1) < SAME_COST:
        return "the same multiply-adds"
    more = "more" if ratio > 1 else "fewer"
    return f"{percent(abs(ratio - 1), 0)} {more} multiply-adds"


@named
def score(row: Row, clips: int | None = None) -> str:
    """Formats a row's accuracy and standard error; a line may break only before an interval.

    At 0 % and 100 % the standard error is 0, which does not mean certainty, so the 95 % interval
    replaces it.

    Args:
        row: The row.
        clips: The number of clips on which it was scored. Defaults to None: unknown.
    """
    if row.top1 in (0.0, 1.0) and clips is not None:
        low, high = row.ends(clips)
        parts = [percent(row.top1), f"[{low * 100:.1f}, {high * 100:.1f}]"]
    else:
        parts = [f"{row.top1 * 100:.1f} ± {percent(row.standard_error)}"]
    return " ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


@named
def short(value: int) -> str:
    """Formats a count with three digits and a prefix; below 1,000 in full."""
    scale, unit = magnitude(value)
    return f"{value / scale:#.3g} {unit}".replace(". ", " ") if unit else str(value)


@named
def whole(value: int) -> str:
    """Formats a count with all its digits."""
    return f"{value:,}"


@named
def duration(seconds: float) -> str:
    """Formats seconds: `"1 min 23 s"`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
