"""Answers for many videos: decoded ahead in threads, and run through the network in batches."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import VideoClips, clips_of
from vdroppath_tf.data.clips.windows import SECONDS, windows_of
from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.parallel import map_ahead
from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges, whole
from vdroppath_tf.serving.answers import Answer, answer_of

OnError = Callable[[str, Exception], object]
_WAITING_BYTES = 1 << 28  # bytes of decoded clips that wait for the network


class Network(Protocol):
    """The interface of a loaded network: a SavedModel or any other artefact."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes."""

    @property
    def sampling(self) -> ClipSampling:
        """How its clips are made of videos."""

    def answer(self, clips: Any) -> np.ndarray:
        """Returns ``(batch, classes)`` for uint8 ``(batch, time, height, width, channels)``."""


@named
@dataclasses.dataclass(frozen=True)
class PredictOptions:
    """Options for answering many videos.

    Attributes:
        batch_size: int, the largest number of clips in a batch. Defaults to 8.
        workers: int, the number of decoding threads. Defaults to None, one for each core.
        window: float, the length in seconds of each part of a video with a separate answer.
            Defaults to None, one answer for the whole video.
        hop: float, the seconds from the start of a part to that of the next. Defaults to None,
            ``window``.

    Raises:
        ValueError: If a number is out of range, or there is a ``hop`` without a ``window``.

    Example:
        ```python
        options = PredictOptions(batch_size=16, window=2.0, hop=1.0)
        ```
    """

    batch_size: int = 8
    workers: int | None = None
    window: float | None = None
    hop: float | None = None

    RANGES: ClassVar[dict[str, Range]] = {
        "batch_size": whole(1, 4096),
        "workers": whole(1, 1024, optional=True),
        "window": dataclasses.replace(SECONDS, optional=True),
        "hop": dataclasses.replace(SECONDS, optional=True),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        if self.hop is not None and self.window is None:
            raise ValueError("hop is the step from one window to the next: pass window too.")


class _Item(NamedTuple):
    name: str
    entry: VideoEntry | Exception  # an exception if it could not be divided into windows
    span: tuple[float, float] | None = None


class _Decoded(NamedTuple):
    item: _Item
    clips: VideoClips


@named
def predict_videos(
    network: Network,
    videos: Iterable[VideoEntry],
    options: PredictOptions | None = None,
    *,
    on_error: OnError | None = None,
) -> Iterator[Answer]:
    """Yields one answer for each video, or for each window of it, in order.

    Videos are decoded in threads while the network runs. The memory for waiting clips is limited,
    however many videos there are.

    Args:
        network: The loaded network, such as the result of ``load_artefact``.
        videos: Iterable of VideoEntry, such as a ``Manifest`` or the result of ``named_videos``.
        options: PredictOptions. Defaults to ``PredictOptions()``.
        on_error: Callable that receives a video without an answer and its error; the others are
            answered nevertheless. Defaults to None, which raises the error.

    Yields:
        ``Answer``; its ``file`` is the ``name`` of the video.

    Raises:
        VideoError: If a video cannot be read, and there is no ``on_error``.

    Example:
        ```python
        network = load_artefact("served/1")
        for answer in predict_videos(network, vdroppath_tf.data.lists.named_videos("dance.mp4")):
            print(answer.file, answer.label)
        ```
    """
    options = PredictOptions() if options is None else options
    waiting: list[_Decoded] = []
    for item, result in _decoded(network.sampling, videos, options):
        if isinstance(result, VideoClips) and _goes_with(waiting, result, options.batch_size):
            waiting.append(_Decoded(item, result))
            continue
        yield from _answers(network, waiting, options.batch_size, on_error)
        waiting = []
        if isinstance(result, VideoClips):
            waiting.append(_Decoded(item, result))
        elif on_error is None:
            raise result
        else:
            on_error(item.name, result)
    yield from _answers(network, waiting, options.batch_size, on_error)


def _decoded(
    sampling: ClipSampling, videos: Iterable[VideoEntry], options: PredictOptions
) -> Iterator[tuple[_Item, VideoClips | Exception]]:
    def decode(item: _Item) -> tuple[_Item, VideoClips | Exception]:
        if isinstance(item.entry, Exception):
            return item, item.entry
        try:
            return item, clips_of(item.entry, sampling)
        except (ValueError, OSError) as error:
            return item, error

    workers = options.workers or len(os.sched_getaffinity(0))
    height, width = sampling.crop_size if sampling.crop is not None else (256, 456)
    each = sampling.views("test") * sampling.frames * height * width * 3
    ahead = max(1, min(4, _WAITING_BYTES // (each * workers)))
    return map_ahead(decode, _items(videos, options), workers=workers, ahead=ahead)


def _items(videos: Iterable[VideoEntry], options: PredictOptions) -> Iterator[_Item]:
    for entry in videos:
        if options.window is None:
            yield _Item(entry.name, entry)
            continue
        try:
            for window in windows_of(entry, options.window, options.hop):
                yield _Item(entry.name, window.entry, (window.start, window.end))
        except (ValueError, OSError) as error:
            yield _Item(entry.name, error)


def _goes_with(waiting: Sequence[_Decoded], clips: VideoClips, batch_size: int) -> bool:
    """Returns whether clips fit the waiting ones in size, and the batch in number."""
    if not waiting:
        return True
    room = batch_size - sum(len(each.clips.clips) for each in waiting)
    return len(clips.clips) <= room and waiting[0].clips.clips.shape[1:] == clips.clips.shape[1:]


def _answers(
    network: Network, waiting: Sequence[_Decoded], batch_size: int, on_error: OnError | None
) -> Iterator[Answer]:
    """Yields the answers for waiting videos; after an error, each video is run separately."""
    if not waiting:
        return
    try:
        found = answers_together(network, [each.clips.clips for each in waiting], batch_size)
    except run_errors() as error:
        if len(waiting) > 1:
            for each in waiting:
                yield from _answers(network, [each], batch_size, on_error)
            return
        if on_error is None:
            raise
        on_error(waiting[0].item.name, error)
        return
    for (item, clips), rows in zip(waiting, found, strict=True):
        try:
            answer = answer_of(item.name, network.labels, rows, clips, item.span)
        except ValueError as error:
            if on_error is None:
                raise
            on_error(item.name, error)
        else:
            yield answer


def answers_together(
    network: Network, clips: Sequence[np.ndarray], batch_size: int
) -> list[np.ndarray]:
    """Returns the probabilities of several videos' clips, which are run in batches.

    Args:
        network: The network.
        clips: For each video, uint8 ``(views, time, height, width, channels)``, all of one size.
        batch_size: The largest number of clips in a batch.

    Returns:
        For each video, ``(views, classes)``.
    """
    together = clips[0] if len(clips) == 1 else np.concatenate(clips)
    steps = range(0, len(together), batch_size)
    rows = [network.answer(together[k : k + batch_size]) for k in steps]
    ends = np.cumsum([len(each) for each in clips])[:-1]
    return np.split(np.concatenate(rows), ends)


def run_errors() -> tuple[type[Exception], ...]:
    """Returns the exceptions that a network may raise for clips, in any runtime."""
    errors = sys.modules.get("tensorflow.python.framework.errors_impl")
    of_tensorflow = () if errors is None else (errors.OpError,)
    return (ValueError, OSError, RuntimeError, *of_tensorflow)
