"""From the body of a request to an answer: decoding in processes, batches, and a deadline."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import functools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

import numpy as np

from vdroppath_tf.data.clips.video_clips import VideoClips
from vdroppath_tf.data.clips.windows import Window
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.container import LateVideoError, VideoError
from vdroppath_tf.data.sources.deadline import decode_until
from vdroppath_tf.data.sources.sent import SentVideo, TooLargeError
from vdroppath_tf.names import named
from vdroppath_tf.serving.answers import Answer, answer_of
from vdroppath_tf.serving.many_videos import run_errors
from vdroppath_tf.serving.server.asked import Asked
from vdroppath_tf.serving.server.bodies import Body, opened
from vdroppath_tf.serving.server.decoders import Decoders
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.metrics import Metrics
from vdroppath_tf.serving.server.parts import Begun, Part, begun, check_fit, decoded, part_of
from vdroppath_tf.serving.server.replies import answer_fields, plain_message, video_fields
from vdroppath_tf.serving.server.runner import Runner
from vdroppath_tf.serving.server.versions import Version
from vdroppath_tf.serving.server.within import within

_Result = TypeVar("_Result")
_Rows: TypeAlias = "Future[np.ndarray]"
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
        self._decoders = Decoders(workers)
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
        """Ends the threads and processes after answering the waiting requests."""
        self._pool.shutdown(cancel_futures=True)
        self._decoders.close()
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
        begin = functools.partial(self._begin, version, body, asked, end)
        begun, first = await self._in_pool(version, begin, end)
        found = self._run(version, begun, first, asked, end)
        fields = [answer_fields(*each, asked) async for each in found]
        about = {"model": version.model, "version": version.number}
        if begun.video is None:
            return {**about, **fields[0]}
        answers = fields[0] if asked.window is None else {"windows": fields}
        return {**about, **answers, "video": video_fields(begun.video)}

    async def _run(
        self, version: Version, begun: Begun, first: _Rows, asked: Asked, end: float
    ) -> AsyncIterator[tuple[Answer, Part]]:
        """Yields answers in order; some windows are decoded while others are in the network."""
        waiting = collections.deque([(begun.first, first)])
        for window in begun.others:
            decode = functools.partial(self._next, version, begun.video, window, asked, end)
            waiting.append(await self._in_pool(version, decode, end))
            if len(waiting) > _AHEAD:
                yield await _answered(version, *waiting.popleft())
        while waiting:
            yield await _answered(version, *waiting.popleft())

    def _begin(self, version: Version, body: Body, asked: Asked, end: float) -> tuple[Begun, _Rows]:
        """Opens a body, decodes its first part, and submits it to the network."""
        sent, sampling = opened(body, self.limits, asked.fps), version.network.sampling
        if isinstance(sent, np.ndarray):
            check_fit(sent, sampling)
            clips = VideoClips(sent, np.zeros((0, 0), np.int64), None)
            found = Begun(None, part_of(clips, None, asked))
        else:
            if sampling.square_pixels:
                sent = dataclasses.replace(sent, source=sent.source.with_square_pixels())
            found = self._decode(sent, end, begun, sent, sampling, asked, self.limits)
        return found, self._submit(version, found.first, end)

    def _next(
        self, version: Version, video: Any, window: Window, asked: Asked, end: float
    ) -> tuple[Part, _Rows]:
        """Decodes a window, and submits it to the network."""
        part = self._decode(video, end, decoded, window, version.network.sampling, asked)
        return part, self._submit(version, part, end)

    def _decode(
        self, video: VideoEntry, end: float, function: Callable[..., _Result], *arguments: Any
    ) -> _Result:
        """Calls a function that decodes: in another process, unless the video is frames."""
        start = time.monotonic()
        if isinstance(video.source, SentVideo):
            result = self._decoders.call(function, *arguments, end=end)
        else:  # pictures and arrays, which would have to be copied to another process
            with decode_until(end):
                result = function(*arguments)
        self.metrics.decoding.observe(time.monotonic() - start)
        return result

    def _submit(self, version: Version, part: Part, end: float) -> _Rows:
        return self._runner.submit(version.network, part.clips.clips, end)

    async def _in_pool(
        self, version: Version, function: Callable[[], _Result], end: float
    ) -> _Result:
        """Calls a function that decodes and submits, for which a batch may wait meanwhile."""

        def in_time() -> _Result:
            if time.monotonic() > end:
                raise LateVideoError("too late")
            return function()

        with self._runner.coming(version.network):
            return await asyncio.get_running_loop().run_in_executor(self._pool, in_time)


async def _answered(version: Version, part: Part, rows: _Rows) -> tuple[Answer, Part]:
    found = await asyncio.wrap_future(rows)
    return answer_of("video", version.network.labels, found, part.clips, part.span), part
