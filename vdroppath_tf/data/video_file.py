"""Video files as a `FrameSource`: mp4, avi, webm and whatever else `decode` reads."""

from __future__ import annotations

import dataclasses

import numpy as np

from vdroppath_tf.data.container import open_video
from vdroppath_tf.data.decode import FrameIndex, index_video, read_frames
from vdroppath_tf.data.frame_source import Box, Folder, FrameSource, Indices, cut


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

    def read(
        self,
        indices: Indices,
        *,
        short_edge: int | None = None,
        box: Box | None = None,
        cache_dir: Folder = None,
    ) -> np.ndarray:
        """See `read_frames`."""
        index = self.info(cache_dir)
        return cut(read_frames(self.file, indices, index=index, short_edge=short_edge), box)

    def look(self) -> None:
        """Opens the file and reads its headers."""
        with open_video(self.file):
            pass
