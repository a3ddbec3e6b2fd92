"""What every kind of video offers: its size, and its frames by number.

A `Manifest` holds one `FrameSource` for each video. `video_file` has video files; whatever else
holds frames (folders of pictures, archives, records) is another class with the same three methods,
and samplers, caches, checks and the training loop need not know which it is.
"""

from __future__ import annotations

import dataclasses
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, TypeAlias

import numpy as np

Indices: TypeAlias = Sequence[int] | np.ndarray
Folder: TypeAlias = str | os.PathLike[str] | None


class Box(NamedTuple):
    """A part of a frame, in pixels of the scaled frame."""

    top: int
    left: int
    height: int
    width: int


@dataclasses.dataclass(frozen=True, eq=False)
class FrameInfo:
    """How many frames there are, and their size.

    Attributes:
        num_frames: frames that can be read.
        height: rows of a frame, in pixels.
        width: columns of a frame, in pixels.
    """

    num_frames: int
    height: int
    width: int


class FrameSource(ABC):
    """The frames of one video, wherever they are.

    Subclasses are frozen dataclasses: immutable, hashable (they key caches) and thread safe.

    Attributes:
        channels: of its frames: 3 for RGB, 2 for optical flow (x and y).
    """

    channels: ClassVar[int] = 3

    @property
    @abstractmethod
    def path(self) -> str:
        """What errors call it: the absolute path of its file or folder, and the part of it."""

    @abstractmethod
    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Number and size of the frames.

        Args:
            cache_dir: folder where what was found may be kept between runs.

        Raises:
            VideoError: missing, empty, damaged, or out of bounds; nothing there can be used.
        """

    @abstractmethod
    def read(
        self,
        indices: Indices,
        *,
        short_edge: int | None = None,
        box: Box | None = None,
        cache_dir: Folder = None,
    ) -> np.ndarray:
        """Exactly the frames with these numbers, or an error.

        Args:
            indices: frame numbers from 0, `(n,)` with n >= 1, in any order, repeats allowed.
            short_edge: scales frames (bilinear, aspect kept) to this many pixels on the shorter
                side; None keeps the size.
            box: the part wanted of the scaled frames; None takes all.
            cache_dir: as for `info`.

        Returns:
            Frames in the order of `indices`, uint8 `(n, height, width, channels)`.

        Raises:
            VideoError: a frame is not there or cannot be decoded; names the file and the frame.
        """

    def look(self) -> None:
        """A cheap look that everything is in its place; decodes nothing.

        Raises:
            VideoError: it is not.
        """
        self.info()


def cut(frames: np.ndarray, box: Box | None) -> np.ndarray:
    """The box out of frames `(time, height, width, channels)`; a view."""
    if box is None:
        return frames
    return frames[:, box.top : box.top + box.height, box.left : box.left + box.width]


def mirrored(frames: np.ndarray) -> np.ndarray:
    """Frames `(..., height, width, channels)` seen in a mirror, left to right.

    What moves right then moves left: of optical flow (2 channels) x is negated too. Levels 0..255
    stand for -bound..bound, so that is 255 - x, and no motion is 127.5, between two levels.
    """
    frames = frames[..., ::-1, :]
    if frames.shape[-1] != 2:
        return frames
    return np.stack([255 - frames[..., 0], frames[..., 1]], -1)
