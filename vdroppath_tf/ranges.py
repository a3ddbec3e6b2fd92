"""The range of numbers of a field: declared once beside it, and checked before any work starts."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from typing import Any

SEEDS = 2**31 - 1
"""The largest seed, which every generator of random numbers takes."""
MAX_FPS = 1000.0
"""The highest frame rate (frames per second) at which videos are sampled or images are read."""


@dataclasses.dataclass(frozen=True)
class Range:
    """A range of numbers between two ends.

    Attributes:
        low: float, the lower end.
        high: float, the upper end.
        whole: bool, whether only whole numbers are in the range. Defaults to False.
        above: bool, whether the lower end is excluded. Defaults to False.
        below: bool, whether the upper end is excluded. Defaults to False.
        optional: bool, whether None is allowed too. Defaults to False.
    """

    low: float
    high: float
    whole: bool = False
    above: bool = False
    below: bool = False
    optional: bool = False

    def __contains__(self, value: Any) -> bool:
        if value is None:
            return self.optional
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            return False
        if self.whole and not isinstance(value, numbers.Integral):
            return False
        number: Any = value
        over_low = number > self.low if self.above else number >= self.low
        under_high = number < self.high if self.below else number <= self.high
        return math.isfinite(number) and over_low and under_high

    def __str__(self) -> str:
        low = f"above {self.low:,.15g}" if self.above else f"from {self.low:,.15g}"
        high = f"below {self.high:,.15g}" if self.below else f"to {self.high:,.15g}"
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} {low} {high}{' or None' if self.optional else ''}"


def whole(low: int, high: int, *, optional: bool = False) -> Range:
    """Returns the range of the whole numbers from `low` to `high`, both included."""
    return Range(low, high, whole=True, optional=optional)


def check_range(name: str, value: object, allowed: Range) -> None:
    """Raises an error if a value is out of range, is not a number, or is not finite.

    Raises:
        ValueError: If it is; the message names the field, the range and the value.
    """
    if value not in allowed:
        raise ValueError(f"{name} must be {allowed}. Received: {value!r}")


def check_ranges(fields: object, ranges: Mapping[str, Range]) -> None:
    """Checks the fields of a dataclass against their ranges; in a tuple, every element is checked.

    Raises:
        ValueError: See `check_range`.
    """
    for name, allowed in ranges.items():
        value: Any = getattr(fields, name)
        for element in value if isinstance(value, tuple) else (value,):
            check_range(name, element, allowed)
