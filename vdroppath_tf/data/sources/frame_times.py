"""Frame names that hold times instead of numbers: sorted by time, with gaps of any length."""

from __future__ import annotations

import re
from decimal import Decimal

from vdroppath_tf.data.sources.container import VideoError

LONGEST = 100_000_000
"""Numbers of this size and above are times: no video has so many frames."""

_RUN = re.compile("[0-9]+")
_DECIMAL = re.compile(r"(.*?)([0-9]+)\.([0-9]+)([^0-9]*)", re.DOTALL)
_BREAK = "[-_:. ]"
_DATE = rf"(?:19|20)[0-9]{{2}}{_BREAK}?[01][0-9]{_BREAK}?[0-3][0-9]"
_CLOCK = rf"[0-9]{{1,2}}(?:h|{_BREAK})[0-5][0-9](?:m|{_BREAK})[0-5][0-9]s?"
_COMPACT = "[0-2][0-9][0-5][0-9][0-5][0-9]"
_REST = rf"(?:{_BREAK}?[0-9]{{1,9}})?[^0-9]*"
_DATED = re.compile(rf"[^0-9]*{_DATE}[-_:. T]?(?:{_CLOCK}|{_COMPACT}){_REST}", re.DOTALL)
_CLOCKED = re.compile(rf"[^0-9]*{_CLOCK}{_REST}", re.DOTALL)


def in_time_order(names: list[str], path: str) -> tuple[str, ...] | None:
    """Sorts names by the times in them; returns None if they may be something else.

    Times are recognised as seconds since 1970, other numbers larger than any frame count, dates,
    times of day with hours, minutes and seconds, and seconds with a fraction. If the last number
    repeatedly counts from 0 or 1, the names may belong to several videos.

    Args:
        names: The names, of one video.
        path: What holds them, for errors.

    Raises:
        VideoError: If two names have the same time.
    """
    if len({_RUN.sub("0", name.lower()) for name in names}) != 1:
        return None
    numbers = {name: tuple(map(int, _RUN.findall(name))) for name in names}
    decimals = [_DECIMAL.fullmatch(name) for name in names]
    if all(decimals) and len({match[1] for match in decimals if match}) == 1:
        parts = {match[0]: (match[2], match[3]) for match in decimals if match}
        return _by_decimal(parts, path)
    if min(map(max, numbers.values())) >= LONGEST and not _counts_again(numbers):
        return _ordered(numbers, path)
    for pattern in (_DATED, _CLOCKED):
        if all(map(pattern.fullmatch, names)) and not _counts_again(numbers):
            return _ordered(numbers, path)
    return None


def by_decimals(numbers: dict[str, str], path: str) -> tuple[str, ...]:
    """Sorts names by the decimal numbers given for them, such as `"12.5"`.

    Raises:
        VideoError: If two names have the same number.
    """
    return _ordered({name: (Decimal(number),) for name, number in numbers.items()}, path)


def _by_decimal(parts: dict[str, tuple[str, str]], path: str) -> tuple[str, ...] | None:
    """Sorts by the value of `seconds.fraction`; returns None if it may be `section.frame`."""
    times = by_decimals({name: f"{a}.{b}" for name, (a, b) in parts.items()}, path)
    if min(int(a) for a, _ in parts.values()) >= LONGEST:
        return times
    counted: dict[str, tuple[int, ...]] = {n: (int(a), int(b)) for n, (a, b) in parts.items()}
    same = len({len(fraction) for _, fraction in parts.values()}) == 1
    if _counts_again(counted) or (not same and times != _ordered(counted, path)):
        return None
    return times


def _counts_again(numbers: dict[str, tuple[int, ...]]) -> bool:
    """Returns whether the last numbers count frames, restarting for each of the numbers before."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for *before, last in numbers.values():
        groups.setdefault(tuple(before), []).append(last)
    found = [sorted(groups[key]) for key in sorted(groups)]
    counted = all(
        group[0] in (0, 1) and group == [*range(group[0], group[0] + len(group))] for group in found
    )
    # Seconds run to 59 and tenths to 9 before they restart.
    full = all(group[-1] in (9, 59, 99, 999) for group in found[:-1])
    return len(found) > 1 and counted and not full and max(map(len, found)) > 1


def _ordered(
    keys: dict[str, tuple[int, ...]] | dict[str, tuple[Decimal]], path: str
) -> tuple[str, ...]:
    places: dict[tuple[int, ...] | tuple[Decimal], str] = {}
    for name, key in keys.items():
        if key in places:
            raise VideoError(
                f"{path}: {places[key]!r} and {name!r} have the same number. Remove one of them."
            )
        places[key] = name
    return tuple(places[key] for key in sorted(places))
