"""Small trainings side by side, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import tensorflow as tf
from tqdm import tqdm

Result = TypeVar("Result")


def in_processes(
    function: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    processes: int,
    say: Callable[[str], None],
) -> list[Result]:
    """What a function gives for each job, in their order.

    Args:
        function: of a module; called with a job, and with ``say`` and ``place``, the row of its
            progress bars.
        jobs: its other arguments; the first is what the job is called in its account.
        processes: jobs at a time, each in a process of its own where there are 2 or more.
        say: prints a line.
    """
    if processes < 2:
        return [function(*job, say=say, place=0) for job in jobs]
    with worker_pool(processes) as pool:
        futures = [
            pool.submit(_run_job, function, job, n % processes) for n, job in enumerate(jobs)
        ]
        return [future.result() for future in futures]


def worker_pool(processes: int) -> ProcessPoolExecutor:
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
    assert parent is not None
    parent.join()
    os._exit(1)


def _run_job(function: Callable[..., Result], job: tuple[Any, ...], place: int) -> Result:
    def say(line: str) -> None:
        tqdm.write(f"{job[0]}: {line.strip()}", file=sys.stderr)

    return function(*job, say=say, place=place)
