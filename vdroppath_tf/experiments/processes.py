"""Small trainings side by side, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

import tensorflow as tf
from tqdm import tqdm

from vdroppath_tf.names import named

Result = TypeVar("Result")


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

    The first job that fails ends them all: those that wait are not begun.

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
    with _worker_pool(processes) as pool:
        futures = [
            pool.submit(_run_job, function, job, n % processes) for n, job in enumerate(jobs)
        ]
        try:
            for done in as_completed(futures):
                done.result()
                on_done()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _worker_pool(processes: int) -> ProcessPoolExecutor:
    """So many processes, each for networks so small that they keep one core busy, not two."""
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    return ProcessPoolExecutor(processes, context, _begin, (context.RLock(),))


def _begin(lock: Any) -> None:
    """Prepares one of several processes: a core's worth of threads, turns at the terminal."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tqdm.set_lock(lock)
    tf.config.threading.set_intra_op_parallelism_threads(1)


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers: they would train on for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_job(function: Callable[..., Result], job: tuple[Any, ...], bar_position: int) -> Result:
    def log(line: str) -> None:
        tqdm.write(f"{job[0]}: {line.strip()}", file=sys.stderr)

    return function(*job, log=log, bar_position=bar_position)
