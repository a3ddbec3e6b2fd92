"""A part of a video, between two frames or seconds, as a `FrameSource`."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameRequest, FrameSource
from vdroppath_tf.names import named

Unit: TypeAlias = Literal["frames", "seconds"]
UNITS: tuple[Unit, ...] = ("frames", "seconds")
MAX_SECONDS = 1e6
"""Segments that end later than this are refused (about 11 days)."""

_SAME_TIME = 1e-3
"""Seconds: containers round times to milliseconds, and list files to hundredths."""
_PAST_END = 0.25
"""Seconds that a segment may end after its video: lists round, and audio may last longer."""


@named
class Span(NamedTuple):
    """The start and the end of a segment.

    Attributes:
        start: The first frame, counted from 0, or the second at which the segment begins.
        end: The frame or the second before which it ends.
        unit: The unit of both, `"frames"` or `"seconds"`.

    Example:
        ```python
        str(Span(2.0, 4.5, "seconds"))  # "2 s to 4.5 s"
        ```
    """

    start: float
    end: float
    unit: Unit

    def problem(self) -> str | None:
        """Returns what is wrong with the span, as the end of a sentence; None if it is valid."""
        if self.unit not in UNITS:
            return f"is in {self.unit!r}. Expected {' or '.join(UNITS)}"
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            return "has an end that is not a finite number"
        if self.unit == "frames" and (self.start % 1 or self.end % 1):
            return "counts fractions of frames. Expected whole numbers, or seconds"
        if self.start < 0:
            return f"starts at {self.start:g}, before the video. Expected 0 or more"
        if self.end <= self.start:
            return f"ends at {self.end:g}, not after its start {self.start:g}"
        if self.end > (MAX_FRAMES if self.unit == "frames" else MAX_SECONDS):
            return f"ends at {self.end:g} {self.unit}, beyond the longest video that can be read"
        return None

    def __str__(self) -> str:
        if self.unit == "frames":
            return f"frames {self.start:.0f} to {self.end:.0f}"
        return f"{self.start:.10g} s to {self.end:.10g} s"


@named
@dataclasses.dataclass(frozen=True, eq=False)
class SegmentInfo(FrameInfo):
    """The frames of a segment.

    Attributes:
        num_frames, height, width: see `FrameInfo`.
        first: The number of the segment's first frame in the video.
        whole: The `FrameInfo` of the whole video.
    """

    first: int
    whole: FrameInfo

    def times(self) -> np.ndarray | None:
        """Returns the time of each frame in seconds since the video starts; see `FrameInfo`."""
        times = self.whole.times()
        return None if times is None else times[self.first : self.first + self.num_frames]


@named
@dataclasses.dataclass(frozen=True)
class Segment(FrameSource):
    """A part of a video, whose frames are counted from 0.

    A segment in seconds holds the frames that appear from `span.start` on and before `span.end`, by
    the times in the file rounded to milliseconds, as FFmpeg's `-ss` and `-to` cut it. If it is so
    short that no frame appears in it, it holds the frame on display. An end that lies one frame, or
    less than a quarter of a second, after the end of the video is taken as the end of the video:
    lists round, and some count the last frame.

    Attributes:
        source: The video.
        span: The start and the end.
        fps: The frame rate of a video without times, such as a folder of pictures, if the user
            passed it. Defaults to None.

    Raises:
        ValueError: If the span ends before it starts, or starts before the video.

    Example:
        ```python
        part = Segment(VideoFile("dance.mp4"), Span(0.5, 1.5, "seconds"))
        part.info().num_frames
        ```
    """

    source: FrameSource
    span: Span
    fps: float | None = None

    def __post_init__(self) -> None:
        if (problem := self.span.problem()) is not None:
            raise ValueError(f"{self.source.path}: the segment {problem}.")
        start, end, unit = self.span
        kind = int if unit == "frames" else float
        object.__setattr__(self, "span", Span(kind(start), kind(end), unit))

    @property
    def channels(self) -> int:  # type: ignore[override]
        """The channels of the video."""
        return self.source.channels

    @property
    def path(self) -> str:
        """The path of the video with the start and the end."""
        return f"{self.source.path}: {self.span}"

    @property
    def whole(self) -> FrameSource:
        """The whole video."""
        return self.source.whole

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the video, see `FrameSource.parts`."""
        return self.source.parts

    def assumed(self) -> tuple[str, ...]:
        """See `FrameSource.assumed`."""
        return self.source.assumed()

    def with_square_pixels(self) -> Segment:
        """See `FrameSource.with_square_pixels`."""
        return dataclasses.replace(self, source=self.source.with_square_pixels())

    def info(self, cache_dir: Folder = None) -> SegmentInfo:
        """Finds the frames of the segment; reads the index of the video once."""
        whole = self.source.info(cache_dir)
        first, end = self._frames_of(whole)
        return SegmentInfo(end - first, whole.height, whole.width, first, whole)

    def _frames(self, request: FrameRequest) -> np.ndarray:
        info = request.info if isinstance(request.info, SegmentInfo) else self.info()
        frames = request.frames + info.first
        inner = FrameRequest(
            self.source.path, info.whole, frames, short_edge=request.short_edge, box=request.box
        )
        return self.source._frames(inner)

    def validate_quickly(self) -> None:
        """Validates the video quickly; does not check the end of the segment."""
        self.source.validate_quickly()

    def _frames_of(self, whole: FrameInfo) -> tuple[int, int]:
        """Returns the first frame and the frame after the last one."""
        if self.span.unit == "frames":
            return self._by_number(whole)
        times = whole.times()
        if times is None and self.fps is not None:
            times = np.arange(whole.num_frames) / self.fps
        if times is None:
            raise VideoError(
                f"{self.path}: the segment is in seconds, but its video has no times. Expected a "
                "video file, or a segment in frames; or set the frame rate of the videos with "
                "Manifest.at_rate(...) (--source_fps)."
            )
        step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else _PAST_END
        length = times[-1] + step
        if self.span.start >= length - _SAME_TIME or self.span.end - length >= max(step, _PAST_END):
            raise self._outside(f"{length:.10g} seconds")
        first, end = np.searchsorted(times, np.array(self.span[:2]) - _SAME_TIME).tolist()
        if first == end:  # shorter than a frame
            first = max(0, end - 1)
        return first, max(end, first + 1)

    def _by_number(self, whole: FrameInfo) -> tuple[int, int]:
        first, end = int(self.span.start), int(self.span.end)
        if whole.step != 1:
            raise VideoError(
                f"{self.path}: the segment is in frames, but some frames of its video were not "
                "kept, so it is unknown whether the segment counts pictures or original frames. "
                "Extract every frame, or list the pictures of each segment as a folder."
            )
        if first >= whole.num_frames or end > whole.num_frames + 1:
            raise self._outside(f"{whole.num_frames} frames (0 to {whole.num_frames - 1})")
        return first, min(end, whole.num_frames)

    def _outside(self, length: str) -> VideoError:
        return VideoError(
            f"{self.path}: the segment ends after its video, which has {length}. Correct the list, "
            "or copy the file again if it was cut short."
        )


@named
def fitting_units(video: FrameSource, start: float, end: float) -> tuple[Unit, ...]:
    """Returns the units in which a segment of a video would lie inside it.

    For example, 12 to 20 are frames of a video of two seconds, not seconds.

    Args:
        video: The video, whose index is read.
        start, end: The start and the end of the segment.

    Returns:
        The possible units; all of them if the video cannot be read.
    """
    try:
        whole = video.info()
    except VideoError:
        return UNITS
    if whole.times() is None:
        return ("frames",)
    spans = [Span(start, end, unit) for unit in UNITS]
    return tuple(span.unit for span in spans if span.problem() is None and _fits(video, span))


def _fits(video: FrameSource, span: Span) -> bool:
    try:
        Segment(video, span).info()
    except VideoError:
        return False
    return True
