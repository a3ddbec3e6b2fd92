"""Trainings that need not know of each other, side by side: on this machine or on a cluster.

Both are one ``joblib.Parallel``, each of whose threads hands one job at a time to a process that
lasts: joblib's own (loky) or Ray's. So a process that is killed costs the job that it had and no
other, which neither's own backend of joblib could promise. Arguments and results are pickled
between the processes of one program: nothing that was read from a file is unpickled.
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
"""How often a job is begun whose process is killed each time."""


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
    """The results of a function for each job, in their order.

    After the first job that fails no other is begun; those that run end before its error is
    raised. A job whose process is killed is begun again.

    Args:
        function: A function of a module; called with a job, and with ``log`` and
            ``bar_position``, the row of its progress bars.
        jobs: Its other arguments; the first is the name of the job in its lines.
        processes: Jobs at a time, each in a process of its own where there are 2 or more; these
            share the cores. On a cluster 0 stands for one on each of its CPUs.
        cluster: The address of a Ray cluster, such as ``"auto"`` or ``"ray://head:10001"``, or
            ``"local"`` for a Ray of this machine. Defaults to None, this machine without Ray.
        log: Called with each line where there is one process, and when a job begins again.
            Defaults to ``print``.
        on_done: Called after each job, for a progress bar.

    Raises:
        RuntimeError: If the process of one job was killed three times.
        ValueError: If there is a cluster and no Ray.
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
        """One by one, as threads become free: none waits where a failure could not stop it."""
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
    """The result of a job, begun again where its process is killed."""
    for _ in range(TRIES):
        try:
            return place.run(function, job)
        except place.lost:
            log(f"{job[0]}: its process was killed, and the job begins again.")
    raise RuntimeError(
        f"{job[0]}: its process was killed {TRIES} times, perhaps for want of memory. Run fewer "
        "jobs at a time (processes=, or --processes)."
    )


class _Slot:
    """A process that lasts, for one job at a time; another takes its place where it is killed."""

    def __init__(self, position: int, lock: Any, threads: int) -> None:
        self.position, self.lock, self.threads = position, lock, threads
        self._executor: ProcessPoolExecutor | None = None

    def run(self, function: Callable[..., Any], job: tuple[Any, ...]) -> Any:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                1,
                context=get_context("loky"),  # TensorFlow does not survive a fork
                initializer=_begin,
                initargs=(self.lock, os.getpid()),
                # TensorFlow reads it when the first job that needs it imports it
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
    """Processes of this machine, each with its share of the cores; joblib's threads feed them."""
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
        for slot in slots:  # what was stopped by hand ends at once
            slot.end(kill=not isinstance(error, Exception))
        raise
    for slot in slots:
        slot.end()


def _begin(lock: Any, parent: int) -> None:
    """Prepares one of several processes: turns at the terminal, an end with its parent."""
    tqdm.set_lock(lock)
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """A parent that is killed cannot end its workers: they would train on for nobody."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
