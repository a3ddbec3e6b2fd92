"""Video files as a `FrameSource`: mp4, avi, webm and whatever else `decode` reads."""

from __future__ import annotations

import dataclasses

import numpy as np

from vdroppath_tf.data.sources.container import MAX_SIDE, VideoError, missing_end, open_video
from vdroppath_tf.data.sources.decode import FrameIndex, index_video, read_frames
from vdroppath_tf.data.sources.source import Folder, FrameRequest, FrameSource, cut
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class VideoFile(FrameSource):
    """One video file. Frames are upright, as players show them.

    Attributes:
        file: The absolute path of the file.
        stream: The number of the video stream from 0, without attached pictures. Defaults to None,
            the stream that a player shows.
        open_end: Whether a recording that ends inside a frame is read up to its last whole frame,
            see `index_video`. Defaults to False.
        square_pixels: Whether frames are stretched to the size that players show if pixels are not
            square. Defaults to False, the stored size.

    Example:
        ```python
        frames = VideoFile("dance.mp4").read([0, 8, 16], short_edge=128)
        ```
    """

    file: str
    stream: int | None = None
    open_end: bool = False
    square_pixels: bool = False

    @property
    def path(self) -> str:
        """The file."""
        return self.file

    @property
    def parts(self) -> tuple[str, ...]:
        """The stream, if the user chose one."""
        return () if self.stream is None else (f"video stream {self.stream}",)

    def with_square_pixels(self) -> VideoFile:
        """See `FrameSource.with_square_pixels`."""
        return dataclasses.replace(self, square_pixels=True)

    def info(self, cache_dir: Folder = None) -> FrameIndex:
        """See `index_video`."""
        index = index_video(
            self.file, video_stream=self.stream, open_end=self.open_end, cache_dir=cache_dir
        )
        if not self.square_pixels or index.pixel_aspect[0] == index.pixel_aspect[1]:
            return index
        return self._checked(index.with_square_pixels())

    def _checked(self, index: FrameIndex) -> FrameIndex:
        if max(index.height, index.width) > MAX_SIDE:
            wide, high = index.pixel_aspect
            raise VideoError(
                f"{self.file}: frames of square pixels would be {index.width}x{index.height}, as "
                f"its pixels are {wide}:{high}; expected 1 to {MAX_SIDE} a side. Leave out "
                "square_pixels (--square_pixels), or mend the file."
            )
        return index

    def _frames(self, request: FrameRequest) -> np.ndarray:
        index = request.info if isinstance(request.info, FrameIndex) else None
        frames = read_frames(
            self.file,
            request.frames,
            index=index,
            video_stream=self.stream,
            short_edge=request.short_edge,
        )
        return cut(frames, request.box)

    def validate_quickly(self) -> None:
        """Opens the file and reads its headers; reads all of it if it is shorter than they say."""
        if missing_end(self.file) is not None:
            self.info()
        with open_video(self.file, self.stream):
            pass
