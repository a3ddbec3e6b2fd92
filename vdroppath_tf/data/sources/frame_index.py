"""The frames of a video file by number, and the times by which a decoder finds them."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from vdroppath_tf.data.sources.orientation import UPRIGHT, is_swapped
from vdroppath_tf.data.sources.request import FrameInfo
from vdroppath_tf.names import named

MAX_FRAMES = 1 << 20
"""Files with more frames than this are refused (about 10 hours at 30 frames a second)."""


@named
@dataclasses.dataclass(frozen=True, eq=False)
class FrameIndex(FrameInfo):
    """The frames of one video stream in the order in which they are shown.

    Attributes:
        num_frames, height, width: See `FrameInfo`; the frames that a decoder shows, and their size
            as shown.
        pts: Sorted presentation times in the stream's time base, int64 `(num_frames,)`; empty if
            not `exact`.
        keyframes: Sorted numbers of the frames at which decoding can start, int64; empty if not
            `exact`.
        exact: Whether the pts identifies each frame. If not, pts are missing, repeated or wrong,
            and frames are counted from the start of the file.
        tick: The duration in seconds of one unit of the pts or, if not `exact`, of one frame; 0 if
            it is unknown.
        origin: The pts at which the file starts, which players show as 0 seconds.
        orientation: How stored frames are turned to be shown, see `orientation`.
        pixel_aspect: The width and height of a stored pixel, as a ratio; (1, 1) if it is square.
        dropped: The number of frames at the beginning that cannot be shown, because the file was
            cut from a longer one and lacks their references. `num_frames` does not count them.
        skipped: How many of these a decoder shows nevertheless, partly made up.
        joined: Whether recordings were joined, so that intact packets are marked as damaged.
        unfinished: Whether the file ends inside a frame, which is not counted.
    """

    pts: np.ndarray
    keyframes: np.ndarray
    exact: bool
    tick: float = 0.0
    origin: int = 0
    orientation: int = UPRIGHT
    pixel_aspect: tuple[int, int] = (1, 1)
    dropped: int = 0
    skipped: int = 0
    joined: bool = False
    unfinished: bool = False

    @functools.cached_property
    def _times(self) -> np.ndarray | None:
        if not self.tick:
            return None
        numbers = self.pts - self.origin if self.exact else np.arange(self.num_frames)
        return numbers * self.tick

    def times(self) -> np.ndarray | None:
        """Returns the time of each frame, in seconds since the file starts, `(num_frames,)`.

        None if the file has no times.
        """
        return self._times

    def holds(self, pts: int | None) -> bool:
        """Returns whether a frame has this pts."""
        if pts is None:
            return False
        place = int(np.searchsorted(self.pts, pts))
        return place < len(self.pts) and int(self.pts[place]) == pts

    def with_square_pixels(self) -> FrameIndex:
        """Returns the same frames in the size that players show: stored frames are stretched."""
        wide, high = self.pixel_aspect
        if is_swapped(self.orientation):
            return dataclasses.replace(self, height=max(1, round(self.height * wide / high)))
        return dataclasses.replace(self, width=max(1, round(self.width * wide / high)))

    def keyframe_before(self, frame: int) -> int:
        """Returns the last frame at or before `frame` where decoding can start, at least 0."""
        place = int(np.searchsorted(self.keyframes, frame, side="right")) - 1
        return int(self.keyframes[place]) if place >= 0 else 0

    def first_keyframe_from(self, frame: int) -> int:
        """Returns the first frame at or after `frame` where decoding can start, or `frame`."""
        place = int(np.searchsorted(self.keyframes, frame))
        return int(self.keyframes[place]) if place < len(self.keyframes) else frame
