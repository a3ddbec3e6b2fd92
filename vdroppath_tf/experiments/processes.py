"""Runs independent trainings in parallel: on this machine or on a cluster.

Both use one ``joblib.Parallel``, each of whose threads sends one job at a time to a persistent
process, joblib's (loky) or Ray's. So a killed process costs only its current job, which joblib's
own backends for these do not guarantee. Arguments and results are pickled between the processes of
one program; nothing that was read from a file is unpickled.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from joblib import Parallel, delayed
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.backend import get_context
from joblib.externals.loky.process_executor import BrokenProcessPool
from tqdm import tqdm

from vdroppath_tf.experiments.cluster import on_cluster
from vdroppath_tf.experiments.one_job import Place, run_job
from vdroppath_tf.names import named

Result = TypeVar("Result")

TRIES = 3
"""How often a job is tried if its process is killed each time."""


@named
def in_processes(
    function: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    processes: int,
    *,
    cluster: str | None = None,
    log: Callable[[str], object] = print,
    on_done: Callable[[], object] = lambda: None,
) -> list[Result]:
    """Calls a function for each job, and returns the results in order.

    After a job fails no other is started; running ones end before the error is raised. A job whose
    process is killed is started again.

    Args:
        function: A module-level function; it is called with the arguments of a job, ``log`` and
            ``bar_position``, the row of its progress bars.
        jobs: The other arguments, for each job; the first one is the job's name in its lines.
        processes: The number of parallel jobs; with 2 or more each has a separate process, and they
            share the cores. On a cluster, 0 means one job on each of its CPUs.
        cluster: The address of a Ray cluster, such as ``"auto"`` or ``"ray://head:10001"``, or
            ``"local"`` for a Ray on this machine. Defaults to None, this machine without Ray.
        log: Called with each line if there is one process, and when a job is started again.
            Defaults to ``print``.
        on_done: Called after each job, for a progress bar.

    Raises:
        RuntimeError: If the process of one job was killed three times.
        ValueError: If a cluster is given but Ray is not installed.
    """
    if not jobs:
        return []
    if cluster is None and processes < 2:
        found = []
        for job in jobs:
            found.append(function(*job, log=log, bar_position=0))
            on_done()
        return found
    where = on_cluster(cluster, processes) if cluster else _on_this_machine(processes)
    with where as place:
        return _all(function, jobs, place, log, on_done)


def _all(
    function: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    place: Place,
    log: Callable[[str], object],
    on_done: Callable[[], object],
) -> list[Any]:
    failed = threading.Event()

    def calls() -> Iterator[Any]:
        """Yields jobs one by one as threads become free, so that a failure can stop the rest."""
        for number, job in enumerate(jobs):
            if failed.is_set():
                return
            yield delayed(call)(number, job)

    def call(number: int, job: tuple[Any, ...]) -> tuple[int, Any, Exception | None]:
        try:
            return number, _tried(function, job, place, log), None
        except Exception as error:
            failed.set()
            return number, None, error

    outcomes = Parallel(
        place.workers,
        backend="threading",
        return_as="generator_unordered",
        pre_dispatch=place.workers,
        batch_size=1,
    )(calls())
    results: dict[int, Any] = {}
    errors: list[Exception] = []
    for number, result, error in outcomes:
        if error is not None:
            errors.append(error)
        else:
            results[number] = result
            on_done()
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(jobs))]


def _tried(
    function: Callable[..., Any], job: tuple[Any, ...], place: Place, log: Callable[[str], object]
) -> Any:
    """Returns the result of a job, which is started again if its process is killed."""
    for _ in range(TRIES):
        try:
            return place.run(function, job)
        except place.lost:
            log(f"{job[0]}: its process was killed; the job is started again.")
    raise RuntimeError(
        f"{job[0]}: its process was killed {TRIES} times, perhaps for lack of memory. Run fewer "
        "jobs at a time (processes=, or --processes)."
    )


class _Slot:
    """A persistent process that runs one job at a time; a new one replaces a killed one."""

    def __init__(self, position: int, lock: Any, threads: int) -> None:
        self.position, self.lock, self.threads = position, lock, threads
        self._executor: ProcessPoolExecutor | None = None

    def run(self, function: Callable[..., Any], job: tuple[Any, ...]) -> Any:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                1,
                context=get_context("loky"),  # TensorFlow does not work after a fork
                initializer=_begin,
                initargs=(self.lock, os.getpid()),
                # read by TensorFlow when the first job imports it
                env={"TF_NUM_INTRAOP_THREADS": str(self.threads)},
            )
        try:
            return self._executor.submit(run_job, function, job, self.position).result()
        except BrokenProcessPool:
            self.end(kill=True)
            raise

    def end(self, *, kill: bool = False) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=kill)
            self._executor = None


@contextmanager
def _on_this_machine(processes: int) -> Iterator[Place]:
    """Yields this machine as a place: processes that share the cores, fed by joblib's threads."""
    threads = max(1, len(os.sched_getaffinity(0)) // processes)
    lock = get_context("loky").RLock()
    slots = [_Slot(position, lock, threads) for position in range(processes)]
    free: SimpleQueue[_Slot] = SimpleQueue()
    for slot in slots:
        free.put(slot)

    def run(function: Callable[..., Any], job: tuple[Any, ...]) -> Any:
        slot = free.get()
        try:
            return slot.run(function, job)
        finally:
            free.put(slot)

    try:
        yield Place(processes, run, (BrokenProcessPool,))
    except BaseException as error:
        for slot in slots:  # after an interrupt, running jobs end at once
            slot.end(kill=not isinstance(error, Exception))
        raise
    for slot in slots:
        slot.end()


def _begin(lock: Any, parent: int) -> None:
    """Prepares one of several processes: it shares the terminal, and ends with its parent."""
    tqdm.set_lock(lock)
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """Ends this process when its parent ends: a killed parent cannot end its workers."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
