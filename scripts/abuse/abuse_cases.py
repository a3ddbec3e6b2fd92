"""The abuses of all groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

import abuse_disk
import abuse_files
import abuse_forged
import abuse_values
from abuse_case import Case

MODULES = (abuse_files, abuse_values, abuse_forged, abuse_disk)


def cases(every: int = 1, group: str = "", only: str = "") -> Iterator[Case]:
    """Yields the cases of all groups, or a selection of them.

    Args:
        every: int, yields one case in this many. Defaults to 1.
        group: str, a part of the group's name. Defaults to any.
        only: str, a regular expression that the case's name contains. Defaults to any.
    """
    found = [case for module in MODULES for case in module.CASES]
    yield from [case for case in found if group in case.group and re.search(only, case.name)][
        ::every
    ]
