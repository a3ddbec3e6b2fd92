"""Formats shares, and differences of shares, for sentences."""

from __future__ import annotations


def percent(value: float, digits: int = 1) -> str:
    """Formats a share as percent, with a no-break space."""
    return f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def points(value: float) -> str:
    """Formats a difference of shares in percentage points, with its sign."""
    return f"{value * 100:+.1f}".replace("-", "\N{MINUS SIGN}")
