"""Requests for frames of a video: their numbers, their scale and the part of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.names import named

Indices: TypeAlias = Sequence[int] | np.ndarray

MAX_BYTES = 1 << 31
"""Reads that would return more than this many bytes are refused."""


@named
class Box(NamedTuple):
    """A part of a frame, in pixels of the scaled frame.

    Attributes:
        top, left: The first row and the first column.
        height, width: The size.

    Example:
        ```python
        VideoFile("dance.mp4").read([0], short_edge=256, box=Box(0, 0, 224, 224))
        ```
    """

    top: int
    left: int
    height: int
    width: int


@named
@dataclasses.dataclass(frozen=True, eq=False)
class FrameInfo:
    """The number of frames and their size.

    Attributes:
        num_frames: The number of frames that can be read.
        height: The height of a frame, in pixels.
        width: The width of a frame, in pixels.
        step: The step between the numbers in the names of pictures, more than 1 if only every n-th
            frame was kept; 0 if the names have no such numbers. Defaults to 1.

    Example:
        ```python
        info = VideoFile("dance.mp4").info()
        info.num_frames, info.height, info.width
        ```
    """

    num_frames: int
    height: int
    width: int
    step: int = dataclasses.field(default=1, kw_only=True)

    def times(self) -> np.ndarray | None:
        """Returns the time of each frame, in seconds since the video starts, `(num_frames,)`.

        None if frames have no times, such as pictures in a folder.
        """
        return None


def scaled_size(height: int, width: int, short_edge: int | None) -> tuple[int, int]:
    """Returns `(height, width)` after scaling the shorter side to `short_edge` (None: as it is)."""
    if short_edge is None:
        return height, width
    if height <= width:
        return short_edge, max(short_edge, round(width * short_edge / height))
    return max(short_edge, round(height * short_edge / width)), short_edge


@named
class FrameRequest:
    """Frames by number, each once and in ascending order.

    Attributes:
        path: The name of the video in errors.
        info: Its number of frames and their size.
        frames: The numbers of the frames to read, int64, ascending.
        short_edge: The length of the shorter side after scaling, in pixels; None keeps the size.
        box: The part of the scaled frames; None takes all.
        size: The height and width of the frames returned.

    Raises:
        VideoError: If no frame is requested, one does not exist, or they are too many for memory.

    Example:
        ```python
        request = FrameRequest("dance.mp4", FrameInfo(100, 240, 320), [8, 0, 8])
        request.frames  # [0, 8]
        ```
    """

    def __init__(
        self,
        path: str,
        info: FrameInfo,
        indices: Indices,
        *,
        short_edge: int | None = None,
        box: Box | None = None,
    ) -> None:
        self.path, self.info, self.short_edge, self.box = path, info, short_edge, box
        asked = np.asarray(indices, np.int64).reshape(-1)
        self.frames, self._places = np.unique(asked, return_inverse=True)
        size = scaled_size(info.height, info.width, short_edge)
        self.size = size if box is None else (box.height, box.width)
        self._check(len(asked))

    def in_order(self, frames: np.ndarray) -> np.ndarray:
        """Returns frames read for `frames` in the order of the request, with its repetitions."""
        same = np.array_equal(self._places, np.arange(len(self.frames)))
        return frames if same else frames[self._places]

    def _check(self, count: int) -> None:
        path, num_frames, (height, width) = self.path, self.info.num_frames, self.size
        if not count:
            raise VideoError(f"{path}: no frame was requested. Expected at least one frame number.")
        for bad in self.frames[[0, -1]].tolist():
            if not 0 <= bad < num_frames:
                raise VideoError(
                    f"{path}: frame {bad} was requested, but it holds {num_frames} frames "
                    f"(0 to {num_frames - 1}). Correct the frame count, or copy the file again if "
                    "it was cut short."
                )
        if (size := count * height * width * 3) > MAX_BYTES:
            raise VideoError(
                f"{path}: {count} frames of {width}x{height} take {size} bytes; at most "
                f"{MAX_BYTES} are read at once. Request fewer frames or set short_edge."
            )
