"""Which numbers a field may hold, declared once beside the field, and checked before any work."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from typing import Any

SEEDS = 2**31 - 1
"""The largest seed, which every generator of random numbers takes."""
MAX_FPS = 1000.0
"""The most frames a second that videos are taken at, or that pictures are said to have."""


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers from one end to the other.

    Attributes:
        low: The lower end.
        high: The upper end.
        whole: Whether only whole numbers are in it.
        above: Whether the lower end itself is out.
        below: Whether the upper end itself is out.
        optional: Whether None is allowed too.
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
    """The whole numbers from one to another, both in."""
    return Range(low, high, whole=True, optional=optional)


def check_range(name: str, value: object, allowed: Range) -> None:
    """Stops at a value that is out of range, is no number, or is not finite.

    Raises:
        ValueError: Naming the field, what was expected and what was received.
    """
    if value not in allowed:
        raise ValueError(f"{name} must be {allowed}. Received: {value!r}")


def check_ranges(fields: object, ranges: Mapping[str, Range]) -> None:
    """Checks the fields of a dataclass against their ranges; of a tuple, each of its elements.

    Raises:
        ValueError: See `check_range`.
    """
    for name, allowed in ranges.items():
        value: Any = getattr(fields, name)
        for element in value if isinstance(value, tuple) else (value,):
            check_range(name, element, allowed)
