"""A function over many items in threads, a bounded number of them at a time."""

from __future__ import annotations

import collections
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from vdroppath_tf.names import named

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AHEAD = 4  # items a thread; Executor.map would queue all of them, hundreds of thousands say


@named
def map_ahead(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    workers: int | None = None,
    ahead: int = _AHEAD,
) -> Iterator[_Result]:
    """`map` in threads: results in order, memory for a few items only.

    Args:
        function: what to do; an exception of it is raised at its item's turn.
        items: what to do it to.
        workers: threads; default one for each core.
        ahead: results a thread that may wait for their turn, at most.
    """
    count = workers or len(os.sched_getaffinity(0))
    source = iter(items)
    waiting: collections.deque[Future[_Result]] = collections.deque()
    pool = ThreadPoolExecutor(count)
    try:
        waiting.extend(pool.submit(function, item) for item in itertools.islice(source, ahead))
        while waiting:
            result = waiting.popleft().result()
            wanted = ahead * count - len(waiting)
            waiting.extend(pool.submit(function, item) for item in itertools.islice(source, wanted))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
