"""How a report writes numbers and strategies: the filters of its templates."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.figures.style import magnitude
from vdroppath_tf.figures.units import unit_color, unit_ink, unit_label
from vdroppath_tf.names import named
from vdroppath_tf.scoring.listed import Row

SAME_COST = 0.005
"""Two networks whose multiply-adds differ by less, as a share, cost the same."""


@named
class Run(NamedTuple):
    """Layers in a row that have the same unit.

    Attributes:
        label: The unit, shortened.
        masks: The whole unit where it differs from input to input, else "".
        length: How many layers there are.
        color: Of the unit.
        ink: Of text on `color`.
    """

    label: str
    masks: str
    length: int
    color: str
    ink: str


@named
def unit_runs(strategy: str) -> list[Run]:
    """The runs of a strategy's text."""
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
    """How the multiply-adds of a network compare with another's, whose `ratio` times they are."""
    if abs(ratio - 1) < SAME_COST:
        return "the same multiply-adds"
    more = "more" if ratio > 1 else "fewer"
    return f"{percent(abs(ratio - 1), 0)} {more} multiply-adds"


@named
def score(row: Row, clips: int | None = None) -> str:
    """A row's accuracy with its standard error, held together by no-break spaces.

    At 0 % and 100 % the standard error is 0, which is no certainty: there the 95 % interval stands
    in its place.

    Args:
        row: What was scored.
        clips: How many clips it was scored on, where that is known. Defaults to None.
    """
    if row.top1 in (0.0, 1.0) and clips is not None:
        low, high = row.ends(clips)
        shown = f"{percent(row.top1)} [{low * 100:.1f}, {high * 100:.1f}]"
    else:
        shown = f"{row.top1 * 100:.1f} ± {percent(row.standard_error)}"
    return shown.replace(" ", "\N{NO-BREAK SPACE}")


@named
def short(value: int) -> str:
    """A count with three digits and a prefix; those below 1,000 whole."""
    scale, unit = magnitude(value)
    return f"{value / scale:#.3g} {unit}".replace(". ", " ") if unit else str(value)


@named
def whole(value: int) -> str:
    """A count with all its digits."""
    return f"{value:,}"


@named
def duration(seconds: float) -> str:
    """Seconds in words: `"1 min 23 s"`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
