"""Gives free memory back to the system while a server runs.

Bodies, frames and batches of many sizes are allocated and freed in several threads. The C library
keeps what is freed between blocks that are in use, so that the memory of a server grows slowly.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

_SECONDS = 10.0


def free_memory_function() -> Callable[[int], object] | None:
    """Returns glibc's ``malloc_trim``, and None with another C library."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back(
    stop: threading.Event, trim: Callable[[int], object] | None, seconds: float = _SECONDS
) -> None:
    """Calls ``trim(0)`` at regular intervals until ``stop`` is set; it blocks.

    Args:
        stop: The event that ends it.
        trim: The result of ``free_memory_function``; None ends it at once.
        seconds: The interval. Defaults to 10.
    """
    while trim is not None and not stop.wait(seconds):
        trim(0)
