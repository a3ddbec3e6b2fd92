"""Times in lists: seconds, or hours, minutes and seconds."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{1,2}(?:\.[0-9]*)?)")


def is_clock(text: str) -> bool:
    """Returns whether a text is a time such as `00:01:02.34` or `1:02`."""
    return _CLOCK.fullmatch(text) is not None


def seconds_of(text: str) -> float:
    """Converts a time to seconds: `62.34`, `1:02.34` or `00:01:02.34`.

    Raises:
        ValueError: If it is not a time.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        return float(text)
    hours, minutes, seconds = match.groups()
    return round(3600 * int(hours or 0) + 60 * int(minutes) + float(seconds), 6)
