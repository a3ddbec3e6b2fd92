"""The bytes that calls leave allocated for ever, in Python and in the libraries below it."""

from __future__ import annotations

import ctypes
import gc
import itertools
from collections.abc import Callable

import pytest


class _Info(ctypes.Structure):
    """The result of glibc's ``mallinfo2``."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def held_after(call: Callable[[], object], *, rounds: int = 3, calls: int = 400) -> float:
    """Returns the bytes that a call leaves allocated, on average over the best of some rounds.

    What a cache or a table takes once is in one round, and what is never freed in all of them.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        pytest.skip("only glibc (2.33 and later) counts the bytes that are allocated")
    library.mallinfo2.restype = _Info

    def held() -> int:
        gc.collect()
        info = library.mallinfo2()
        return int(info.uordblks + info.hblkhd)

    readings = []
    for _ in range(rounds + 1):  # the first one warms up
        for _ in range(calls):
            call()
        readings.append(held())
    return min(after - before for before, after in itertools.pairwise(readings)) / calls
