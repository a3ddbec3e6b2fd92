"""A deadline for reading a video, for videos from untrusted senders.

A file of a few kilobytes can take minutes to decode, and only the clock bounds that.
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
    """Limits the time for reading videos in the body of the ``with`` statement, in this thread.

    Args:
        end: float, the deadline on the clock ``time.monotonic``, in seconds. After it, reading
            raises ``LateVideoError`` at the next packet.

    Example:
        ```python
        with decode_until(time.monotonic() + 10):
            frames = read_frames("upload.mp4", range(16))
        ```
    """
    token = _END.set(end)
    try:
        yield
    finally:
        _END.reset(token)


def is_late() -> bool:
    """Returns whether the deadline of this thread has passed."""
    end = _END.get()
    return end is not None and time.monotonic() > end
