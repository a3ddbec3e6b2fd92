"""How numbers are written in sentences: shares, and differences of shares."""

from __future__ import annotations


def percent(value: float, digits: int = 1) -> str:
    """A share as percent, held together by no-break spaces."""
    return f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def points(value: float) -> str:
    """A difference of shares in points of a percent, with its sign."""
    return f"{value * 100:+.1f}".replace("-", "\N{MINUS SIGN}")
