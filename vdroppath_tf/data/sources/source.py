"""The interface of all kinds of videos: their size, and their frames by number.

A `Manifest` holds one `FrameSource` for each video. The class in `video` reads video files; other
storage (folders of pictures, archives, records) has other classes with the same methods, so that
samplers, caches, checks and the training loop treat all alike.
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
    """The frames of one video, in any kind of storage.

    Subclasses are frozen dataclasses: immutable, hashable (they key caches) and thread safe.

    Attributes:
        channels: The number of channels: 3 for RGB, 2 for optical flow (x and y).

    Example:
        ```python
        source = VideoFile("dance.mp4")  # a subclass
        source.info().num_frames, source.read([0, 8, 16]).shape
        ```
    """

    channels: ClassVar[int] = 3

    @property
    @abstractmethod
    def path(self) -> str:
        """The name in errors: the absolute path of the file or folder, and the part of it."""

    @property
    def whole(self) -> FrameSource:
        """The video itself, or for a segment, the video that it is a part of."""
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The chosen part of a file that holds several videos, for `Manifest.digest`."""
        return ()

    def with_square_pixels(self) -> FrameSource:
        """Returns the video at the size that players show; itself if its pixels are square."""
        return self

    @abstractmethod
    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Returns the number and the size of the frames.

        Args:
            cache_dir: The folder where results may be kept between runs. Defaults to None.

        Raises:
            VideoError: If the video is missing, empty, damaged, or out of bounds.
        """

    def read(
        self,
        indices: Indices,
        *,
        short_edge: int | None = None,
        box: Box | None = None,
        cache_dir: Folder = None,
    ) -> np.ndarray:
        """Reads exactly the frames with these numbers, or raises an error.

        Args:
            indices: The frame numbers from 0, `(n,)` with n >= 1, in any order, with or without
                repetitions.
            short_edge: The length of the shorter side in pixels, to which frames are scaled
                (bilinear, the aspect ratio is kept). Defaults to None, the stored size.
            box: The part of the scaled frames. Defaults to None, all.
            cache_dir: See `info`.

        Returns:
            Frames in the order of `indices`, uint8 `(n, height, width, channels)`.

        Raises:
            VideoError: If a frame is missing or cannot be decoded; the message names the file and
                the frame.

        Example:
            ```python
            VideoFile("dance.mp4").read([0, 8, 16], short_edge=128)
            ```
        """
        info = self.info(cache_dir)
        request = FrameRequest(self.path, info, indices, short_edge=short_edge, box=box)
        return request.in_order(self._frames(request))

    @abstractmethod
    def _frames(self, request: FrameRequest) -> np.ndarray:
        """Returns the frames of a request in its order, uint8 `(n, *request.size, channels)`."""

    def assumed(self) -> tuple[str, ...]:
        """Returns what was inferred about the source and is unusual, for the user.

        Raises:
            VideoError: See `info`.
        """
        return ()

    def first_number(self) -> int:
        """Returns the number in the name of the first frame; 1, the usual one, without numbers.

        Raises:
            VideoError: If nothing in the source can be used.
        """
        return 1

    def validate(self, cache_dir: Folder = None) -> None:
        """Checks that all frames are listed, without decoding them.

        Args:
            cache_dir: See `info`.

        Raises:
            VideoError: If the video cannot be used.
        """
        self.info(cache_dir)

    def validate_quickly(self) -> None:
        """Checks the video more cheaply and caches nothing, for very many videos.

        Raises:
            VideoError: If the check fails.
        """
        self.validate()


def cut(frames: np.ndarray, box: Box | None) -> np.ndarray:
    """Cuts a box out of frames `(time, height, width, channels)`; returns a view."""
    if box is None:
        return frames
    return frames[:, box.top : box.top + box.height, box.left : box.left + box.width]


def mirrored(frames: np.ndarray) -> np.ndarray:
    """Mirrors frames `(..., height, width, channels)` left to right.

    Motion to the right becomes motion to the left, so x of optical flow (2 channels) is negated
    too. Values 0..255 stand for -bound..bound: the negative is 255 - x, and 127.5 is no motion.
    """
    found = np.empty(frames.shape, frames.dtype)
    for channel in range(frames.shape[-1]):  # four times as fast as copying pixel after pixel
        found[..., channel] = frames[..., ::-1, channel]
    if frames.shape[-1] == 2:
        np.subtract(255, found[..., 0], out=found[..., 0])
    return found
