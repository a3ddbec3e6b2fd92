"""A time by which reading a video must be done, for videos that strangers send.

A file of a few kilobytes can hold minutes of decoding. Nothing but the clock bounds that.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

from vdroppath_tf.names import named

_END: ContextVar[float | None] = ContextVar("end", default=None)


@named
@contextlib.contextmanager
def decode_until(end: float) -> Iterator[None]:
    """Videos that are read in the body of the ``with``, in this thread, are given up at a time.

    Args:
        end: float, of the clock ``time.monotonic``. Reading then raises ``LateVideoError`` at the
            next packet.
    """
    token = _END.set(end)
    try:
        yield
    finally:
        _END.reset(token)


def is_late() -> bool:
    """Whether the time is up."""
    end = _END.get()
    return end is not None and time.monotonic() > end
