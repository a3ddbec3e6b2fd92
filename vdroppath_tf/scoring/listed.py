"""A scored strategy as a row of a table or a point of a figure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import Interval, standard_error, wilson
from vdroppath_tf.scoring.scores import StrategyScore

STAND_ALONE = "stand-alone (trained from scratch)"
DRAWN = "drawn from the template"
SCORED = "the template's weights, not trained for it"


@named
@dataclass(frozen=True)
class Row:
    """One strategy of a table.

    Args:
        name: The name of the row, such as `"S everywhere"` or `"chosen strategy"`.
        strategy: The strategy's text.
        top1: Share of held-out clips whose most probable class is right, in [0, 1].
        standard_error: The standard error of `top1`.
        parameters: The parameters of the derived network, gates excluded; None if unknown.
        macs: The multiply-adds of convolutions and dense layers for one clip; None if unknown.
        top5: Share of clips with the right class among the five most probable.
        note: How it was trained: `STAND_ALONE`, `DRAWN`, `SCORED`, or other words.
        interval: The interval of `top1`, if a better one is known than the standard error gives.
        difference: `top1` minus that of the chosen strategy, paired, with its interval.

    Raises:
        ValueError: If a share is not in [0, 1] or a count is negative.

    Example:
    ```python
    row = Row("S everywhere", "S S S", top1=0.61, standard_error=0.02)
    low, high = row.ends(clips=500)
    ```
    """

    name: str
    strategy: str
    top1: float
    standard_error: float
    parameters: int | None = None
    macs: int | None = None
    top5: float | None = None
    note: str = STAND_ALONE
    interval: Interval | None = None
    difference: Interval | None = None

    def __post_init__(self) -> None:
        where = f"of row {self.name!r}"
        check_share(f"top-1 {where}", self.top1)
        check_share(f"standard error {where}", self.standard_error)
        check_share(f"top-5 {where}", 0.0 if self.top5 is None else self.top5)
        if min(self.parameters or 0, self.macs or 0) < 0:
            raise ValueError(
                f"Expected parameters and MACs {where} of at least 0. "
                f"Received: {self.parameters}, {self.macs}"
            )

    @classmethod
    def measured(
        cls, name: str, strategy: str, top1: Interval, difference: Interval, clips: int
    ) -> Row:
        """Creates a row from intervals measured on clips that were not used for a choice."""
        error = standard_error(top1.value, clips)
        return cls(
            name, strategy, top1.value, error, note=SCORED, interval=top1, difference=difference
        )

    def ends(self, clips: int | None) -> tuple[float, float]:
        """Returns the 95 % interval of `top1` to draw."""
        if self.interval is not None:
            return self.interval.low, self.interval.high
        return wilson(self.top1, clips, self.standard_error)


@named
@dataclass(frozen=True)
class Draw:
    """One strategy drawn from the space and scored.

    Args:
        strategy: The strategy's text.
        top1: The top-1 accuracy, in [0, 1].
        macs: The multiply-adds for one clip; None if unknown.
        standard_error: The standard error of `top1`; 0 if unknown.
        clips: The number of clips on which it was scored; None if unknown.
        in_confidence_set: Whether it is in the 95 % confidence set of the best.
        top5: Share of clips with the right class among the five most probable.

    Example:
    ```python
    draw = Draw("S ST S+ST", top1=0.61, macs=1_200_000, standard_error=0.02, clips=500)
    low, high = draw.ends
    ```
    """

    strategy: str
    top1: float
    macs: int | None = None
    standard_error: float = 0.0
    clips: int | None = None
    in_confidence_set: bool = True
    top5: float | None = None

    def __post_init__(self) -> None:
        check_share(f"top-1 of draw {self.strategy!r}", self.top1)
        check_share(f"standard error of draw {self.strategy!r}", self.standard_error)

    @classmethod
    def of(cls, score: StrategyScore, macs: int | None, in_confidence_set: bool) -> Draw:
        """Creates the draw from a score."""
        numbers = (macs, score.standard_error, score.clips)
        return cls(str(score.strategy), score.top1, *numbers, in_confidence_set, score.top5)

    @property
    def ends(self) -> tuple[float, float]:
        """Returns the 95 % interval of `top1`, for this strategy alone."""
        return wilson(self.top1, self.clips, self.standard_error)


def without_number(name: str) -> str:
    """Returns a row's name without a number at its end: such rows are repetitions of one kind."""
    return name.rstrip("0123456789").rstrip() or name


def check_share(name: str, value: float) -> None:
    """Raises a ValueError if a value is not in [0, 1]."""
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise ValueError(f"Expected {name} from 0 to 1. Received: {value}")
