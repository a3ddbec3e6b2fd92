"""What every kind of video offers: its size, and its frames by number.

A `Manifest` holds one `FrameSource` for each video. `video` has video files; whatever else
holds frames (folders of pictures, archives, records) is another class with the same methods,
and samplers, caches, checks and the training loop need not know which it is.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import ClassVar, TypeAlias

import numpy as np

from vdroppath_tf.data.sources.request import Box, FrameInfo, FrameRequest, Indices

__all__ = [
    "Box",
    "Folder",
    "FrameInfo",
    "FrameRequest",
    "FrameSource",
    "Indices",
    "cut",
    "mirrored",
]

Folder: TypeAlias = str | os.PathLike[str] | None


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

    @property
    def whole(self) -> FrameSource:
        """The video that this is, or that it is a segment of."""
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """What was chosen of a file that holds more than one video, for `Manifest.digest`."""
        return ()

    def with_square_pixels(self) -> FrameSource:
        """The same video in the size that players show it in; itself where pixels are square."""
        return self

    @abstractmethod
    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Number and size of the frames.

        Args:
            cache_dir: folder where what was found may be kept between runs.

        Raises:
            VideoError: missing, empty, damaged, or out of bounds; nothing there can be used.
        """

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
        info = self.info(cache_dir)
        request = FrameRequest(self.path, info, indices, short_edge=short_edge, box=box)
        return request.in_order(self._frames(request))

    @abstractmethod
    def _frames(self, request: FrameRequest) -> np.ndarray:
        """The frames of a request in its order, uint8 `(n, *request.size, channels)`."""

    def assumed(self) -> tuple[str, ...]:
        """What was found out of the source and is not usual, each a few words for the user.

        Raises:
            VideoError: as for `info`.
        """
        return ()

    def first_number(self) -> int:
        """The number in the name of the first frame; 1, as is usual, where frames have none.

        Raises:
            VideoError: nothing there can be used.
        """
        return 1

    def validate(self, cache_dir: Folder = None) -> None:
        """Checks that everything is in its place; decodes nothing.

        Args:
            cache_dir: as for `info`.

        Raises:
            VideoError: it is not.
        """
        self.info(cache_dir)

    def validate_quickly(self) -> None:
        """A cheaper check that keeps nothing, for a great many videos.

        Raises:
            VideoError: what can be seen so is not as it should be.
        """
        self.validate()


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
