"""A long video over time: windows of a fixed length in seconds, each as a separate video."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.source import Folder
from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_range

SECONDS = Range(0.0, 1e6, above=True)
"""The allowed lengths of a window, and of the hop to the next one, in seconds."""
_ROUNDING = 1e-6


@named
@dataclasses.dataclass(frozen=True)
class Window:
    """A part of a video.

    Attributes:
        start: float, the second at which it begins.
        end: float, the second before which it ends.
        entry: VideoEntry, the part as a video.

    Example:
        ```python
        for window in windows_of(entry, seconds=0.1):
            print(window.start, window.end)
        ```
    """

    start: float
    end: float
    entry: VideoEntry


@named
def windows_of(
    entry: VideoEntry, seconds: float, hop: float | None = None, *, cache_dir: Folder = None
) -> Iterator[Window]:
    """Cuts a video into windows of one length, from its first frame to its last.

    The last window ends where the video ends; it overlaps the previous window if the length of the
    video is not a multiple of the hop. A video shorter than a window is one window.

    Args:
        entry: VideoEntry, the video; its frames need times.
        seconds: float, the length of a window.
        hop: float, the seconds from the start of a window to that of the next. Defaults to
            ``seconds``: windows that touch each other.
        cache_dir: The folder where the index of a file may be kept. Defaults to None.

    Yields:
        ``Window``, in order of time.

    Raises:
        ValueError: If ``seconds`` or ``hop`` is out of range, or ``hop`` is longer than a window,
            so that frames between two windows would be skipped.
        VideoError: If the video cannot be read, or its frames have no times.

    Example:
        ```python
        for window in windows_of(entry, seconds=0.1, hop=0.05):
            clips = clips_of(window.entry, sampling)
        ```
    """
    check_range("window", seconds, SECONDS)
    hop = seconds if hop is None else hop
    check_range("hop", hop, SECONDS)
    if hop > seconds:
        raise ValueError(
            f"hop={hop:g} is longer than window={seconds:g}: frames between two windows would be "
            "skipped. Expected at most the window."
        )
    begin, end = _reach(entry, cache_dir)
    if end - begin <= seconds + _ROUNDING:
        yield Window(begin, end, entry)
        return
    number, start = 0, begin
    while start + seconds < end - _ROUNDING:
        yield _window(entry, start, start + seconds)
        number += 1
        start = begin + number * hop
    yield _window(entry, end - seconds, end)


def _window(entry: VideoEntry, start: float, end: float) -> Window:
    part = Segment(entry.source, Span(start, end, "seconds"), entry.fps)
    return Window(start, end, dataclasses.replace(entry, source=part, num_frames=None))


def _reach(entry: VideoEntry, cache_dir: Folder) -> tuple[float, float]:
    """Returns the second of the first frame, and the second at which the last frame ends."""
    times = entry.times(cache_dir)
    if times is None:
        raise VideoError(
            f"{entry.path}: the times of its frames are unknown, so it has no windows of "
            "seconds. Set its frame rate with source_fps= (--source_fps)."
        )
    first, last = float(times[0]), float(times[-1])
    frame = (last - first) / (len(times) - 1) if len(times) > 1 else 0.0
    return first, last + frame
