"""Times as lists write them: seconds, or hours, minutes and seconds."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{1,2}(?:\.[0-9]*)?)")


def is_clock(text: str) -> bool:
    """Whether a text is a time such as `00:01:02.34` or `1:02`."""
    return _CLOCK.fullmatch(text) is not None


def seconds_of(text: str) -> float:
    """The seconds of a time: `62.34`, `1:02.34` or `00:01:02.34`.

    Raises:
        ValueError: it is none.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        return float(text)
    hours, minutes, seconds = match.groups()
    return round(3600 * int(hours or 0) + 60 * int(minutes) + float(seconds), 6)
