"""The frames of a video file by number, and the times that decoders find them by."""

from __future__ import annotations

import dataclasses

import numpy as np

from vdroppath_tf.data.sources.request import FrameInfo
from vdroppath_tf.names import named

MAX_FRAMES = 1 << 20
"""Files with more frames than this are refused (about 10 hours at 30 frames a second)."""


@named
@dataclasses.dataclass(frozen=True, eq=False)
class FrameIndex(FrameInfo):
    """The frames of one video stream in the order they are shown.

    Attributes:
        num_frames, height, width: see `FrameInfo`; the frames a decoder shows.
        pts: sorted presentation times in the stream's time base, int64 `(num_frames,)`; empty if
            not `exact`.
        keyframes: sorted indices of frames decoding can start at, int64; empty if not `exact`.
        exact: True where a frame is known by its pts. False where pts are missing, repeated or
            wrong: frames are then counted from the start of the file.
    """

    pts: np.ndarray
    keyframes: np.ndarray
    exact: bool

    def keyframe_before(self, frame: int) -> int:
        """The last frame at or before `frame` that decoding can start at (0 is always one)."""
        place = int(np.searchsorted(self.keyframes, frame, side="right")) - 1
        return int(self.keyframes[place]) if place >= 0 else 0

    def first_keyframe_from(self, frame: int) -> int:
        """The first frame at or after `frame` that decoding can start at, else `frame` itself."""
        place = int(np.searchsorted(self.keyframes, frame))
        return int(self.keyframes[place]) if place < len(self.keyframes) else frame
