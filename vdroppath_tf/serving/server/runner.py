"""The thread that runs networks, on clips of several requests at a time."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Iterator
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

    A batch holds what waits when the thread is free. It waits a short time for clips of the same
    network that are being decoded; a clip that is decoded alone waits for nothing.

    Args:
        max_batch: int, the largest number of clips in a batch.
        batch_seconds: float, the longest time for which a batch waits for more clips. Defaults to
            0: batches do not wait.
        on_batch: Callable that receives the number of clips in each batch and its duration in
            seconds. Defaults to nothing.
    """

    def __init__(
        self,
        max_batch: int,
        batch_seconds: float = 0.0,
        on_batch: Callable[[int, float], object] = lambda clips, seconds: None,
    ) -> None:
        self._max_batch, self._batch_seconds = max_batch, batch_seconds
        self._on_batch = on_batch
        self._jobs: collections.deque[Job] = collections.deque()
        self._coming: collections.Counter[int] = collections.Counter()  # by id of the network
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

    @contextlib.contextmanager
    def coming(self, network: Network) -> Iterator[None]:
        """Announces clips that are being decoded, for which a batch of the network may wait."""
        with self._news:
            self._coming[id(network)] += 1
        try:
            yield
        finally:
            with self._news:
                self._coming[id(network)] -= 1
                self._coming += collections.Counter()  # forgets networks without any
                self._news.notify()

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
            until = min(time.monotonic() + self._batch_seconds, self._jobs[0].end)
            while self._may_grow() and (left := until - time.monotonic()) > 0:
                self._news.wait(left)
            batch = self._together()
            for job in batch:
                self._jobs.remove(job)
            return batch

    def _may_grow(self) -> bool:
        """Returns whether clips in decoding may join the next batch, and no other batch waits."""
        together = self._together()
        if self._closed or len(together) < len(self._jobs):
            return False
        coming = self._coming[id(self._jobs[0].network)]
        return coming > 0 and sum(len(job.clips) for job in together) < self._max_batch

    def _together(self) -> list[Job]:
        """Returns the first job and those that fit it, of the jobs that wait."""
        batch, clips = [self._jobs[0]], len(self._jobs[0].clips)
        for job in itertools.islice(self._jobs, 1, None):
            if job.goes_with(batch[0]) and clips + len(job.clips) <= self._max_batch:
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
