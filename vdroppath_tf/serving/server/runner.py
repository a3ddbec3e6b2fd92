"""The thread that runs networks, on clips of several requests at a time."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.serving.many_videos import Network, answers_together
from vdroppath_tf.serving.server.limits import RefusedError


@dataclasses.dataclass(eq=False)
class Job:
    """Clips that wait for a network.

    Attributes:
        network: The network; after it is replaced, it still answers what was sent to it.
        clips: uint8 ``(views, time, height, width, channels)``.
        end: The deadline on the clock ``time.monotonic``.
        done: The future of ``(views, classes)``.
    """

    network: Network
    clips: np.ndarray
    end: float
    done: Future[np.ndarray] = dataclasses.field(default_factory=Future)

    def goes_with(self, other: Job) -> bool:
        """Returns whether both can be in one batch."""
        same = self.network is other.network
        return same and self.clips.shape[1:] == other.clips.shape[1:]


@named
class Runner:
    """Runs networks in one thread, since the operations of one batch already use all cores.

    A batch holds what waits when the thread is free; no clip waits for a batch to fill.

    Args:
        max_batch: int, the largest number of clips in a batch.
        on_batch: Callable that receives the number of clips in each batch and its duration in
            seconds. Defaults to nothing.
    """

    def __init__(
        self, max_batch: int, on_batch: Callable[[int, float], object] = lambda clips, seconds: None
    ) -> None:
        self._max_batch, self._on_batch = max_batch, on_batch
        self._jobs: collections.deque[Job] = collections.deque()
        self._news = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="runner", daemon=True)
        self._thread.start()

    def submit(self, network: Network, clips: np.ndarray, end: float) -> Future[np.ndarray]:
        """Queues clips; the future receives their probabilities ``(views, classes)``.

        Args:
            network: The network.
            clips: uint8 ``(views, time, height, width, channels)``.
            end: The deadline on the clock ``time.monotonic``, after which the future receives a
                ``RefusedError``.
        """
        job = Job(network, clips, end)
        with self._news:
            if self._closed:
                raise RefusedError(503, "closing", "The server is shutting down.")
            self._jobs.append(job)
            self._news.notify()
        return job.done

    def close(self) -> None:
        """Answers the waiting clips, then ends the thread."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join()

    def _work(self) -> None:
        while batch := self._next():
            live = [job for job in batch if self._is_wanted(job)]
            if live:
                self._run(live)

    def _next(self) -> list[Job]:
        """Returns the first job and those that fit it; an empty list after closing."""
        with self._news:
            while not self._jobs:
                if self._closed:
                    return []
                self._news.wait()
            batch = [self._jobs.popleft()]
            clips = len(batch[0].clips)
            for job in list(self._jobs):
                if job.goes_with(batch[0]) and clips + len(job.clips) <= self._max_batch:
                    self._jobs.remove(job)
                    batch.append(job)
                    clips += len(job.clips)
            return batch

    def _is_wanted(self, job: Job) -> bool:
        if not job.done.set_running_or_notify_cancel():
            return False
        if time.monotonic() > job.end:
            job.done.set_exception(RefusedError(504, "too_late", "The deadline has passed."))
            return False
        return True

    def _run(self, jobs: list[Job]) -> None:
        clips = [job.clips for job in jobs]
        begun = time.monotonic()
        try:
            found = answers_together(jobs[0].network, clips, self._max_batch)
        except Exception as error:  # raised for one of the jobs: the others are run again
            if len(jobs) == 1:
                jobs[0].done.set_exception(error)
                return
            for job in jobs:
                self._run([job])
            return
        self._on_batch(sum(map(len, clips)), time.monotonic() - begun)
        for job, rows in zip(jobs, found, strict=True):
            job.done.set_result(rows)
