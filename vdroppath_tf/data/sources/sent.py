"""Videos that somebody else sends: bytes of a file, pictures or numbers, never the name of a file.

What is read is bounded before it is decoded, and nothing of it stays in the process.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from vdroppath_tf.data.sources.container import VideoError, open_video
from vdroppath_tf.data.sources.decode import read_frames
from vdroppath_tf.data.sources.demux import build_index
from vdroppath_tf.data.sources.frame_index import FrameIndex
from vdroppath_tf.data.sources.pictures import picture_size, read_pictures
from vdroppath_tf.data.sources.request import FrameInfo, FrameRequest, scaled_size
from vdroppath_tf.data.sources.resize import resize_frames
from vdroppath_tf.data.sources.source import Folder, FrameSource, cut
from vdroppath_tf.names import named


class TooLargeError(VideoError):
    """A video has more pixels or frames than are taken."""


@named
@dataclasses.dataclass(frozen=True)
class Bounds:
    """How large a video that was sent may be.

    Attributes:
        max_pixels: Pixels of a frame.
        max_frames: Frames of a video.
    """

    max_pixels: int
    max_frames: int

    def check_size(self, name: str, height: int, width: int) -> None:
        """Stops at frames that are too large.

        Raises:
            TooLargeError: They are.
        """
        if height * width > self.max_pixels:
            raise TooLargeError(
                f"{name}: frames of {width}x{height} are {height * width:,} pixels. Expected at "
                f"most {self.max_pixels:,}: scale the video down."
            )

    def check_count(self, name: str, count: int) -> None:
        """Stops at a video that is too long.

        Raises:
            TooLargeError: It is.
        """
        if count > self.max_frames:
            raise TooLargeError(
                f"{name}: has {count:,} frames. Expected at most {self.max_frames:,}: cut it."
            )


@named
@dataclasses.dataclass(frozen=True)
class SentVideo(FrameSource):
    """The bytes of a video file, which lie in a file of this process.

    Unlike `VideoFile`, what is known of the file is forgotten with this object.

    Attributes:
        file: Its absolute path.
        bounds: How large it may be.
        square_pixels: See `VideoFile`.
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
        """Finds the frames, once, if the video is not too large."""
        return self._index

    @functools.cached_property
    def _index(self) -> FrameIndex:
        with open_video(self.file) as (_, stream):  # before its first frame is decoded
            context = stream.codec_context
            self.bounds.check_size(self.file, context.height, context.width)
        index = build_index(self.file)
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
    """A video as one picture for each frame: JPEG, PNG or another format of `FrameFolder`.

    Attributes:
        pictures: The encoded pictures, in order.
        bounds: How large they may be.
    """

    pictures: tuple[bytes, ...]
    bounds: Bounds

    @property
    def path(self) -> str:
        """What errors call them."""
        return "frames"

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """How many there are, and the size of all of them."""
        if not self.pictures:
            raise VideoError("frames: there is none. Expected at least one picture.")
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
    """A video as numbers.

    Attributes:
        frames: uint8 ``(time, height, width, 3)``.
        bounds: How large it may be.

    Raises:
        VideoError: It is something else.
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
        """What errors call it."""
        return "frames"

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """The shape of the array."""
        return FrameInfo(*self.frames.shape[:3])

    def _frames(self, request: FrameRequest) -> np.ndarray:
        info = request.info
        height, width = scaled_size(info.height, info.width, request.short_edge)
        frames = resize_frames(self.frames[request.frames], height, width)
        return cut(frames, request.box)
