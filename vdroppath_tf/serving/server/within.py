"""A deadline for a task of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def within(end: float) -> AsyncIterator[None]:
    """Cancels waiting at a deadline; ``asyncio.timeout_at`` needs Python 3.11."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    up = False

    def stop() -> None:
        nonlocal up
        up = True
        if task is not None:
            task.cancel()

    handle = loop.call_later(max(0.0, end - time.monotonic()), stop)
    try:
        yield
    except asyncio.CancelledError:
        if up:
            raise TimeoutError from None
        raise
    finally:
        handle.cancel()
