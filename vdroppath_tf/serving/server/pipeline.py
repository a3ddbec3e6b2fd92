"""From the body of a request to an answer: decoded in a pool, run in batches, within a time."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import VideoClips, clips_of
from vdroppath_tf.data.clips.windows import Window, windows_of
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.container import LateVideoError, VideoError
from vdroppath_tf.data.sources.deadline import decode_until
from vdroppath_tf.data.sources.sent import TooLargeError
from vdroppath_tf.names import named
from vdroppath_tf.serving.answers import Answer, answer_of
from vdroppath_tf.serving.many_videos import run_errors
from vdroppath_tf.serving.server.bodies import Body, opened
from vdroppath_tf.serving.server.limits import Limits, RefusedError
from vdroppath_tf.serving.server.metrics import Metrics
from vdroppath_tf.serving.server.pictures import pictures_of
from vdroppath_tf.serving.server.runner import Runner
from vdroppath_tf.serving.server.versions import Version

_Result = TypeVar("_Result")
_AHEAD = 4  # windows of one video that are decoded and not yet answered


@dataclasses.dataclass(frozen=True)
class Asked:
    """The options of a request.

    Attributes:
        top: Classes of an answer.
        window: Seconds of each part of the video that has an answer of its own; None for the whole.
        hop: Seconds from one part to the next.
        fps: Frames a second of pictures and numbers.
        pictures: Whether a few of the frames are wanted with the answer.
    """

    top: int = 5
    window: float | None = None
    hop: float | None = None
    fps: float | None = None
    pictures: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class _Part:
    """A video or a window of it, decoded, and what it is called."""

    clips: VideoClips
    span: tuple[float, float] | None


@named
class Pipeline:
    """Answers requests, a bounded number of them at a time.

    Args:
        limits: Limits, what is taken.
        metrics: Metrics, where it is counted.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics
        workers = limits.workers or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._runner = Runner(limits.max_batch, metrics.batch)
        self._waiting = 0

    @contextlib.contextmanager
    def admitted(self) -> Iterator[float]:
        """Takes a request in; gives the time by which it is to be answered.

        Raises:
            RefusedError: As many are being answered as may be.
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
        """Ends the threads, once what waits is answered."""
        self._pool.shutdown(cancel_futures=True)
        self._runner.close()

    async def answer(self, version: Version, body: Body, asked: Asked, end: float) -> Any:
        """The answer to a request, as JSON-able data.

        Raises:
            RefusedError: There is none; it says why.
        """
        try:
            async with _within(end):
                return await self._answer(version, body, asked, end)
        except (TimeoutError, asyncio.TimeoutError, LateVideoError):
            seconds = self.limits.max_seconds
            raise RefusedError(
                504, "too_late", f"There is no answer within {seconds:g} s."
            ) from None
        except TooLargeError as error:
            raise RefusedError(413, "too_large", _plain(error, body)) from None
        except VideoError as error:
            raise RefusedError(422, "bad_video", _plain(error, body)) from None
        except run_errors() as error:
            raise RefusedError(422, "not_taken", _plain(error, body)) from None

    async def _answer(self, version: Version, body: Body, asked: Asked, end: float) -> Any:
        limits, sampling = self.limits, version.network.sampling
        sent = await self._in_pool(lambda: opened(body, limits, asked.fps), end)
        about = {"model": version.model, "version": version.number}
        if isinstance(sent, np.ndarray):
            _check_fit(sent, sampling)
            frames = np.zeros((0, 0), np.int64)
            part = _Part(VideoClips(sent, frames, None), None)
            ((answer, part),) = [each async for each in self._run(version, iter([part]), end)]
            return {**about, **_fields(answer, part, asked)}
        if asked.window is None:
            part = await self._in_pool(lambda: self._decode(sent, sampling, None), end)
            ((answer, part),) = [each async for each in self._run(version, iter([part]), end)]
            return {**about, **_fields(answer, part, asked), "video": _video(sent)}
        windows = await self._in_pool(lambda: _windows(sent, asked, limits), end)
        decoded = (lambda w=w: self._decode(w.entry, sampling, (w.start, w.end)) for w in windows)
        found = [each async for each in self._run(version, decoded, end)]
        fields = [_fields(answer, part, asked) for answer, part in found]
        return {**about, "windows": fields, "video": _video(sent)}

    async def _run(
        self, version: Version, parts: Iterator[Any], end: float
    ) -> AsyncIterator[tuple[Answer, _Part]]:
        """Answers in order; of windows a few are decoded while others are in the network."""
        waiting: collections.deque[tuple[_Part, Any]] = collections.deque()
        for each in itertools.chain(parts, [None]):
            if each is not None:
                part = each if isinstance(each, _Part) else await self._in_pool(each, end)
                future = self._runner.submit(version.network, part.clips.clips, end)
                waiting.append((part, asyncio.wrap_future(future)))
            while waiting and (each is None or len(waiting) > _AHEAD):
                part, future = waiting.popleft()
                rows = await future
                labels = version.network.labels
                yield answer_of("video", labels, rows, part.clips, part.span), part

    def _decode(
        self, entry: VideoEntry, sampling: ClipSampling, span: tuple[float, float] | None
    ) -> _Part:
        begun = time.monotonic()
        part = _Part(clips_of(entry, sampling), span)
        self.metrics.decoding.observe(time.monotonic() - begun)
        return part

    async def _in_pool(self, function: Callable[[], _Result], end: float) -> _Result:
        def within() -> _Result:
            if time.monotonic() > end:
                raise LateVideoError("too late")
            with decode_until(end):
                return function()

        return await asyncio.get_running_loop().run_in_executor(self._pool, within)


@contextlib.asynccontextmanager
async def _within(end: float) -> Any:
    """Stops waiting at a time; ``asyncio.timeout_at`` is of Python 3.11."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    up = False

    def stop() -> None:
        nonlocal up
        up = True
        if task is not None:
            task.cancel()

    handle = loop.call_later(max(0.0, end - time.monotonic()), stop)
    try:
        yield
    except asyncio.CancelledError:
        if up:
            raise TimeoutError from None
        raise
    finally:
        handle.cancel()


def _windows(entry: VideoEntry, asked: Asked, limits: Limits) -> list[Window]:
    if asked.window is None:
        return []
    most = limits.max_windows
    found = list(itertools.islice(windows_of(entry, asked.window, asked.hop), most + 1))
    if len(found) > most:
        raise RefusedError(
            413, "too_many_windows", f"More than {most} windows. Ask for longer ones, or fewer."
        )
    return found


def _check_fit(clips: np.ndarray, sampling: ClipSampling) -> None:
    """Stops at clips that the network was not trained for."""
    wanted = (sampling.frames, *(sampling.crop_size if sampling.crop is not None else ()))
    if clips.shape[1 : 1 + len(wanted)] != wanted:
        names = ("time", "height", "width")[: len(wanted)]
        shown = ", ".join(f"{name} {n}" for name, n in zip(names, wanted, strict=True))
        raise RefusedError(
            422, "clips", f"Clips must have {shown}. Received: {clips.shape} (views first)."
        )


def _fields(answer: Answer, part: _Part, asked: Asked) -> dict[str, Any]:
    """An answer for a program and, with pictures, for a page."""
    found: dict[str, Any] = {}
    if answer.start is not None:
        found |= {"start": answer.start, "end": answer.end}
    found |= {
        "label": answer.label,
        "top": [{"label": name, "score": score} for name, score in answer.best(asked.top)],
        "frames": [list(clip) for clip in answer.frames],
    }
    if part.clips.seconds is not None:
        found["seconds"] = [[round(s, 6) for s in clip] for clip in part.clips.seconds.tolist()]
    if asked.pictures:
        most = 1 if answer.start is not None else 8
        found["pictures"] = pictures_of(part.clips.clips[0], most)
    return found


def _video(entry: VideoEntry) -> dict[str, Any]:
    info, times = entry.info(), entry.times()
    found = {"frames": info.num_frames, "height": info.height, "width": info.width}
    return found if times is None else {**found, "seconds": round(float(times[-1]), 6)}


def _plain(error: Exception, body: Body) -> str:
    """What an error says, without the name of a file of this machine."""
    text = str(error).split("\n")[0]
    text = text.replace(str(body.file), "video").replace(str(body.file.parent), "")
    return text.replace(", or take it off the list", "")
