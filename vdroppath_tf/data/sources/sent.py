"""Videos from untrusted senders: bytes of a file, pictures or arrays, but never a file name.

The size is checked before anything is decoded, and nothing stays cached in the process.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.decode import read_frames
from vdroppath_tf.data.sources.demux import build_index
from vdroppath_tf.data.sources.frame_index import FrameIndex
from vdroppath_tf.data.sources.pictures import picture_size, read_pictures
from vdroppath_tf.data.sources.request import FrameInfo, FrameRequest, scaled_size
from vdroppath_tf.data.sources.resize import resize_frames
from vdroppath_tf.data.sources.source import Folder, FrameSource, cut
from vdroppath_tf.names import named


class TooLargeError(VideoError):
    """A video has more pixels or frames than allowed."""


@named
@dataclasses.dataclass(frozen=True)
class Bounds:
    """Limits on the size of a video that was sent.

    Attributes:
        max_pixels: The largest number of pixels in a frame.
        max_frames: The largest number of frames in a video.

    Example:
        ```python
        Bounds(max_pixels=1920 * 1080, max_frames=3000).check_count("upload", 120)
        ```
    """

    max_pixels: int
    max_frames: int

    def check_size(self, name: str, height: int, width: int) -> None:
        """Checks the size of the frames.

        Raises:
            TooLargeError: If they have too many pixels.
        """
        if height * width > self.max_pixels:
            raise TooLargeError(
                f"{name}: frames of {width}x{height} are {height * width:,} pixels. Expected at "
                f"most {self.max_pixels:,}: scale the video down."
            )

    def check_count(self, name: str, count: int) -> None:
        """Checks the number of frames.

        Raises:
            TooLargeError: If there are too many.
        """
        if count > self.max_frames:
            raise TooLargeError(
                f"{name}: has {count:,} frames. Expected at most {self.max_frames:,}: cut it."
            )


@named
@dataclasses.dataclass(frozen=True)
class SentVideo(FrameSource):
    """A video that was sent as the bytes of a video file, stored in a temporary file.

    Unlike for `VideoFile`, nothing that is found out about the file outlives this object.

    Attributes:
        file: The absolute path of the temporary file.
        bounds: The limits on its size.
        square_pixels: See `VideoFile`. Defaults to False.
    """

    file: str
    bounds: Bounds
    square_pixels: bool = False

    @property
    def path(self) -> str:
        """The file."""
        return self.file

    def with_square_pixels(self) -> SentVideo:
        """See `FrameSource.with_square_pixels`."""
        return self if self.square_pixels else dataclasses.replace(self, square_pixels=True)

    def info(self, cache_dir: Folder = None) -> FrameIndex:
        """Indexes the frames once, after checking the size of the video."""
        return self._index

    @functools.cached_property
    def _index(self) -> FrameIndex:
        check_size = functools.partial(self.bounds.check_size, self.file)
        index = build_index(self.file, check_size=check_size)
        if self.square_pixels:
            index = index.with_square_pixels()
        self.bounds.check_size(self.file, index.height, index.width)
        self.bounds.check_count(self.file, index.num_frames)
        return index

    def _frames(self, request: FrameRequest) -> np.ndarray:
        edge = request.short_edge
        frames = read_frames(self.file, request.frames, index=self._index, short_edge=edge)
        return cut(frames, request.box)


@named
@dataclasses.dataclass(frozen=True, eq=False)
class SentPictures(FrameSource):
    """A video that was sent as one picture for each frame, in any format of `FrameFolder`.

    Attributes:
        pictures: The encoded pictures, in order.
        bounds: The limits on their size.
    """

    pictures: tuple[bytes, ...]
    bounds: Bounds

    @property
    def path(self) -> str:
        """The name of the pictures in errors."""
        return "frames"

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Returns the number of pictures and their size, which all must share."""
        if not self.pictures:
            raise VideoError("frames: the list is empty. Expected at least one picture.")
        self.bounds.check_count(self.path, len(self.pictures))
        return self._info

    @functools.cached_property
    def _info(self) -> FrameInfo:
        sizes = [picture_size(each, f"frame {k}") for k, each in enumerate(self.pictures)]
        self.bounds.check_size(self.path, *sizes[0])
        for number, size in enumerate(sizes):
            if size != sizes[0]:
                raise VideoError(
                    f"frame {number}: is {size[1]}x{size[0]} pixels, but frame 0 is "
                    f"{sizes[0][1]}x{sizes[0][0]}. Expected frames of one size."
                )
        return FrameInfo(len(self.pictures), *sizes[0])

    def _frames(self, request: FrameRequest) -> np.ndarray:
        return read_pictures(request, lambda frame: (self.pictures[frame], f"frame {frame}"))


@named
@dataclasses.dataclass(frozen=True, eq=False)
class SentArray(FrameSource):
    """A video that was sent as an array.

    Attributes:
        frames: uint8 ``(time, height, width, 3)``.
        bounds: The limits on its size.

    Raises:
        VideoError: If the array has another shape or dtype.
    """

    frames: np.ndarray
    bounds: Bounds

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if len(shape) != 4 or shape[3] != 3 or 0 in shape or self.frames.dtype != np.uint8:
            raise VideoError(
                "frames must be uint8 (time, height, width, 3) with at least one frame. Received: "
                f"{self.frames.dtype} {shape}."
            )
        self.bounds.check_count(self.path, shape[0])
        self.bounds.check_size(self.path, shape[1], shape[2])

    @property
    def path(self) -> str:
        """The name of the array in errors."""
        return "frames"

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Returns the number of frames and their size, from the shape of the array."""
        return FrameInfo(*self.frames.shape[:3])

    def _frames(self, request: FrameRequest) -> np.ndarray:
        info = request.info
        height, width = scaled_size(info.height, info.width, request.short_edge)
        frames = resize_frames(self.frames[request.frames], height, width)
        return cut(frames, request.box)
