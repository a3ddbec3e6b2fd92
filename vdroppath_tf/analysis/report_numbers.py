"""How a report writes its numbers."""

from __future__ import annotations

from .records import Row


def percent(value: float, digits: int = 1) -> str:
    """A share as percent, held together by no-break spaces."""
    return f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def score(row: Row) -> str:
    """A row's accuracy with its standard error, held together by no-break spaces."""
    return f"{row.top1 * 100:.1f} ± {percent(row.standard_error)}".replace(
        " ", "\N{NO-BREAK SPACE}"
    )


def points(value: float) -> str:
    """A difference of shares in points of a percent, with its sign."""
    return f"{value * 100:+.1f}".replace("-", "\N{MINUS SIGN}")
