"""What is asked of a video: frames by number, their scale and the part of them."""

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
    """A part of a frame, in pixels of the scaled frame."""

    top: int
    left: int
    height: int
    width: int


@named
@dataclasses.dataclass(frozen=True, eq=False)
class FrameInfo:
    """How many frames there are, and their size.

    Attributes:
        num_frames: frames that can be read.
        height: rows of a frame, in pixels.
        width: columns of a frame, in pixels.
        step: of the numbers in the names of pictures, more than 1 where every n-th frame was kept;
            0 where the names have no such numbers.
    """

    num_frames: int
    height: int
    width: int
    step: int = dataclasses.field(default=1, kw_only=True)

    def times(self) -> np.ndarray | None:
        """When each frame is shown, in seconds since the video starts, `(num_frames,)`.

        None where frames have no times, as pictures in a folder.
        """
        return None


def scaled_size(height: int, width: int, short_edge: int | None) -> tuple[int, int]:
    """`(height, width)` once the shorter side has `short_edge` pixels (None: unchanged)."""
    if short_edge is None:
        return height, width
    if height <= width:
        return short_edge, max(short_edge, round(width * short_edge / height))
    return max(short_edge, round(height * short_edge / width)), short_edge


@named
class FrameRequest:
    """Frames by number, each once and in ascending order.

    Attributes:
        path: of the video, for errors.
        info: its number of frames and their size.
        frames: the numbers of the frames to read, int64, ascending.
        short_edge: pixels of the shorter side after scaling; None keeps the size.
        box: the part wanted of the scaled frames; None takes all.
        size: height and width of what is returned.

    Raises:
        VideoError: none was asked for, one that is not there, or more than can be held.
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
        """What was read of `frames`, in the order that was asked for, repeats included."""
        same = np.array_equal(self._places, np.arange(len(self.frames)))
        return frames if same else frames[self._places]

    def _check(self, count: int) -> None:
        path, num_frames, (height, width) = self.path, self.info.num_frames, self.size
        if not count:
            raise VideoError(f"{path}: no frame was asked for. Expected at least one frame number.")
        for bad in self.frames[[0, -1]].tolist():
            if not 0 <= bad < num_frames:
                raise VideoError(
                    f"{path}: frame {bad} was asked for, but it holds {num_frames} frames "
                    f"(0 to {num_frames - 1}). Correct the frame count, or copy the file again if "
                    "it was cut short."
                )
        if (size := count * height * width * 3) > MAX_BYTES:
            raise VideoError(
                f"{path}: {count} frames of {width}x{height} take {size} bytes; at most "
                f"{MAX_BYTES} are read at once. Ask for fewer frames or set short_edge."
            )
