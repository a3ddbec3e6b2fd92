"""Maps a function over many items in threads, a limited number of them at a time."""

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

_AHEAD = 4  # items for each thread; Executor.map would queue all of them


@named
def map_ahead(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    workers: int | None = None,
    ahead: int = _AHEAD,
) -> Iterator[_Result]:
    """Maps a function over items in threads; results in order, with memory for a few items only.

    Args:
        function: The function; an exception is raised at the turn of its item.
        items: The items.
        workers: The number of threads. Defaults to one for each core.
        ahead: The largest number of results for each thread that wait for their turn. Defaults to
            4.

    Yields:
        The results, in the order of the items.

    Example:
        ```python
        sizes = list(map_ahead(os.path.getsize, paths))
        ```
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
