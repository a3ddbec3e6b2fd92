"""Small trainings side by side, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

from tqdm import tqdm

from vdroppath_tf.names import named

Result = TypeVar("Result")

_SPAWN = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
_failed: Any = None  # in a worker: whether a job of any of them has failed


@named
def in_processes(
    function: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    processes: int,
    *,
    log: Callable[[str], object] = print,
    on_done: Callable[[], object] = lambda: None,
) -> list[Result]:
    """The results of a function for each job, in their order.

    After the first job that fails no other is begun.

    Args:
        function: A function of a module; called with a job, and with ``log`` and
            ``bar_position``, the row of its progress bars.
        jobs: Its other arguments; the first is the name of the job in its lines.
        processes: Jobs at a time, each in a process of its own where there are 2 or more.
        log: Called with each line where there is one process. Defaults to ``print``.
        on_done: Called after each job, for a progress bar.
    """
    if processes < 2:
        found = []
        for job in jobs:
            found.append(function(*job, log=log, bar_position=0))
            on_done()
        return found
    failed = _SPAWN.Event()  # the pool hands jobs over early, and cannot take these back
    with _worker_pool(processes, failed) as pool:
        futures = [
            pool.submit(_run_job, function, job, n % processes) for n, job in enumerate(jobs)
        ]
        try:
            for done in as_completed(futures):
                done.result()
                on_done()
        except BaseException:
            failed.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _worker_pool(processes: int, failed: Any) -> ProcessPoolExecutor:
    """So many processes, each for networks so small that they keep one core busy, not two."""
    return ProcessPoolExecutor(processes, _SPAWN, _begin, (_SPAWN.RLock(), failed))


def _begin(lock: Any, failed: Any) -> None:
    """Prepares one of several processes: a core's worth of threads, turns at the terminal."""
    global _failed
    _failed = failed
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tqdm.set_lock(lock)
    # TensorFlow reads it when it starts: a worker imports it with the first job that needs it
    os.environ["TF_NUM_INTRAOP_THREADS"] = "1"


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers: they would train on for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_job(function: Callable[..., Any], job: tuple[Any, ...], bar_position: int) -> Any:
    if _failed.is_set():
        return None  # nobody reads it: the failure is raised in place of all results

    def log(line: str) -> None:
        text, name = line.strip(), f"{job[0]}: "  # some lines begin with the name themselves
        tqdm.write(text if text.startswith(name) else name + text, file=sys.stderr)

    try:
        return function(*job, log=log, bar_position=bar_position)
    except BaseException:
        _failed.set()  # here, where the next job would begin at once
        raise
