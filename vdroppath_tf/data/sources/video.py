"""Video files as a `FrameSource`: mp4, avi, webm and whatever else `decode` reads."""

from __future__ import annotations

import dataclasses

import numpy as np

from vdroppath_tf.data.sources.container import open_video
from vdroppath_tf.data.sources.decode import FrameIndex, index_video, read_frames
from vdroppath_tf.data.sources.source import Folder, FrameRequest, FrameSource, cut
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class VideoFile(FrameSource):
    """One video file.

    Attributes:
        file: its absolute path.
    """

    file: str

    @property
    def path(self) -> str:
        """The file."""
        return self.file

    def info(self, cache_dir: Folder = None) -> FrameIndex:
        """See `index_video`."""
        return index_video(self.file, cache_dir=cache_dir)

    def _frames(self, request: FrameRequest) -> np.ndarray:
        index = request.info if isinstance(request.info, FrameIndex) else None
        edge = request.short_edge
        frames = read_frames(self.file, request.frames, index=index, short_edge=edge)
        return cut(frames, request.box)

    def validate_quickly(self) -> None:
        """Opens the file and reads its headers."""
        with open_video(self.file):
            pass
