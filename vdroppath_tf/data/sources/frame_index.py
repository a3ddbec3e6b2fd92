"""The frames of a video file by number, and the times that decoders find them by."""

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
    """The frames of one video stream in the order they are shown.

    Attributes:
        num_frames, height, width: see `FrameInfo`; the frames a decoder shows, and their size as
            they are shown.
        pts: sorted presentation times in the stream's time base, int64 `(num_frames,)`; empty if
            not `exact`.
        keyframes: sorted indices of frames decoding can start at, int64; empty if not `exact`.
        exact: True where a frame is known by its pts. False where pts are missing, repeated or
            wrong: frames are then counted from the start of the file.
        tick: seconds that one unit of the pts takes, or, if not `exact`, one frame; 0 if that is
            unknown.
        origin: the pts at which the file starts, which is 0 seconds in every player.
        orientation: how stored frames are turned to be shown, see `orientation`.
        pixel_aspect: width and height of a stored pixel, as a ratio; (1, 1) if it is square.
        dropped: frames at the beginning that cannot be shown, since the file was cut from a longer
            one: they build on what is not there. They are not among `num_frames`.
        skipped: how many of these a decoder shows nevertheless, made up in part.
        joined: whether recordings were joined, so that whole packets are marked as damaged.
        unfinished: whether the file ends inside a frame, which is not among them.
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
        """When each frame is shown, in seconds since the file starts, `(num_frames,)`.

        None where the file does not give any time.
        """
        return self._times

    def holds(self, pts: int | None) -> bool:
        """Whether there is a frame of this pts."""
        if pts is None:
            return False
        place = int(np.searchsorted(self.pts, pts))
        return place < len(self.pts) and int(self.pts[place]) == pts

    def with_square_pixels(self) -> FrameIndex:
        """The same frames in the size that players show them: stored frames are made wider."""
        wide, high = self.pixel_aspect
        if is_swapped(self.orientation):
            return dataclasses.replace(self, height=max(1, round(self.height * wide / high)))
        return dataclasses.replace(self, width=max(1, round(self.width * wide / high)))

    def keyframe_before(self, frame: int) -> int:
        """The last frame at or before `frame` that decoding can start at (0 is always one)."""
        place = int(np.searchsorted(self.keyframes, frame, side="right")) - 1
        return int(self.keyframes[place]) if place >= 0 else 0

    def first_keyframe_from(self, frame: int) -> int:
        """The first frame at or after `frame` that decoding can start at, else `frame` itself."""
        place = int(np.searchsorted(self.keyframes, frame))
        return int(self.keyframes[place]) if place < len(self.keyframes) else frame
