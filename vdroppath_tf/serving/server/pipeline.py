"""From the body of a request to an answer: decoding in a pool, batches, and a deadline."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import functools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import VideoClips, clips_of
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.container import LateVideoError, VideoError
from vdroppath_tf.data.sources.deadline import decode_until
from vdroppath_tf.data.sources.sent import TooLargeError
from vdroppath_tf.names import named
from vdroppath_tf.serving.answers import Answer, answer_of
from vdroppath_tf.serving.many_videos import run_errors
from vdroppath_tf.serving.server.asked import Asked
from vdroppath_tf.serving.server.bodies import Body, opened
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.metrics import Metrics
from vdroppath_tf.serving.server.parts import Part, check_fit, part_of, windows_asked
from vdroppath_tf.serving.server.replies import answer_fields, plain_message, video_fields
from vdroppath_tf.serving.server.runner import Runner
from vdroppath_tf.serving.server.versions import Version
from vdroppath_tf.serving.server.within import within

_Result = TypeVar("_Result")
_AHEAD = 4  # windows of one video that are decoded but not yet answered


@named
class Pipeline:
    """Answers requests, a limited number of them at a time.

    Args:
        limits: Limits of requests.
        metrics: Metrics to update.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        workers = limits.workers or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._runner = Runner(limits.max_batch, limits.batch_seconds, metrics.batch)
        self._waiting = 0

    @contextlib.contextmanager
    def admitted(self) -> Iterator[float]:
        """Admits a request; yields its deadline.

        Raises:
            RefusedError: If too many requests are in progress.
        """
        if self._waiting >= self.limits.max_waiting:
            raise RefusedError(
                429, "busy", f"{self._waiting} requests are waiting. Try again later."
            )
        self._waiting += 1
        self.metrics.waiting.set(self._waiting)
        begun = time.monotonic()
        try:
            yield begun + self.limits.max_seconds
        finally:
            self._waiting -= 1
            self.metrics.waiting.set(self._waiting)
            self.metrics.seconds.observe(time.monotonic() - begun)

    def close(self) -> None:
        """Ends the threads after answering the waiting requests."""
        self._pool.shutdown(cancel_futures=True)
        self._runner.close()

    async def answer(self, version: Version, body: Body, asked: Asked, end: float) -> Any:
        """Returns the answer to a request, as JSON-able data.

        Raises:
            RefusedError: If there is none; the message gives the reason.
        """
        try:
            async with within(end):
                return await self._answer(version, body, asked, end)
        except (TimeoutError, asyncio.TimeoutError, LateVideoError):
            seconds = self.limits.max_seconds
            raise RefusedError(
                504, "too_late", f"There was no answer within {seconds:g} s."
            ) from None
        except TooLargeError as error:
            raise RefusedError(413, "too_large", plain_message(error, body)) from None
        except VideoError as error:
            raise RefusedError(422, "bad_video", plain_message(error, body)) from None
        except run_errors() as error:
            raise RefusedError(422, "not_taken", plain_message(error, body)) from None

    async def _answer(self, version: Version, body: Body, asked: Asked, end: float) -> Any:
        sampling = version.network.sampling
        sent, parts = await self._in_pool(lambda: self._parts(body, sampling, asked), end)
        found = self._run(version, parts, end)
        fields = [answer_fields(*each, asked) async for each in found]
        about = {"model": version.model, "version": version.number}
        if isinstance(sent, np.ndarray):
            return {**about, **fields[0]}
        answers = fields[0] if asked.window is None else {"windows": fields}
        return {**about, **answers, "video": video_fields(sent)}

    def _parts(
        self, body: Body, sampling: ClipSampling, asked: Asked
    ) -> tuple[VideoEntry | np.ndarray, list[Callable[[], Part]]]:
        """Returns the opened body, and a function for each part that decodes it."""
        sent = self._opened(body, sampling, asked)
        if isinstance(sent, np.ndarray):
            clips = VideoClips(sent, np.zeros((0, 0), np.int64), None)
            return sent, [lambda: part_of(clips, None, asked)]
        if asked.window is None:
            return sent, [lambda: self._decode(sent, sampling, None, asked)]
        windows = windows_asked(sent, asked.window, asked.hop, self.limits)
        return sent, [
            functools.partial(self._decode, w.entry, sampling, (w.start, w.end), asked)
            for w in windows
        ]

    def _opened(self, body: Body, sampling: ClipSampling, asked: Asked) -> VideoEntry | np.ndarray:
        sent = opened(body, self.limits, asked.fps)
        if isinstance(sent, np.ndarray):
            check_fit(sent, sampling)
        elif sampling.square_pixels:
            sent = dataclasses.replace(sent, source=sent.source.with_square_pixels())
        return sent

    async def _run(
        self, version: Version, parts: Sequence[Callable[[], Part]], end: float
    ) -> AsyncIterator[tuple[Answer, Part]]:
        """Yields answers in order; some windows are decoded while others are in the network."""
        waiting: collections.deque[tuple[Part, asyncio.Future[np.ndarray]]] = collections.deque()
        for number, decode in enumerate(parts, 1):
            with self._runner.coming(version.network):
                part = await self._in_pool(decode, end)
                future = self._runner.submit(version.network, part.clips.clips, end)
            waiting.append((part, asyncio.wrap_future(future)))
            while len(waiting) > (_AHEAD if number < len(parts) else 0):
                part, rows = waiting.popleft()
                labels = version.network.labels
                yield answer_of("video", labels, await rows, part.clips, part.span), part

    def _decode(
        self,
        entry: VideoEntry,
        sampling: ClipSampling,
        span: tuple[float, float] | None,
        asked: Asked,
    ) -> Part:
        begun = time.monotonic()
        part = part_of(clips_of(entry, sampling), span, asked)
        self.metrics.decoding.observe(time.monotonic() - begun)
        return part

    async def _in_pool(self, function: Callable[[], _Result], end: float) -> _Result:
        def in_time() -> _Result:
            if time.monotonic() > end:
                raise LateVideoError("too late")
            with decode_until(end):
                return function()

        return await asyncio.get_running_loop().run_in_executor(self._pool, in_time)
