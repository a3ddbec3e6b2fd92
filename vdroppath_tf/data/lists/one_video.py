"""One video that is named by itself, as a manifest: what a command is given in place of a list."""

from __future__ import annotations

import os
from collections.abc import Sequence

from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.flow import FlowFolder
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.names import named


@named
def one_video(
    path: str | os.PathLike[str],
    labels: Sequence[str],
    *,
    flow: bool = False,
    video_stream: int | None = None,
    source_fps: float | None = None,
    allow_open_end: bool = False,
) -> Manifest:
    """A manifest of one video, whose class is not known: its label is 0.

    Args:
        path: A video file or a folder of frames; of optical flow where `flow` says so.
        labels: Names of the classes.
        flow: Whether it is a folder of optical flow.
        video_stream: Number of the stream of a file with several. Defaults to None, for the one
            that a player shows.
        source_fps: Frames a second of a folder of frames. Defaults to None, for unknown.
        allow_open_end: Whether a recording that ends inside a frame is read up to the last whole
            one, see `Lookup`.

    Raises:
        ValueError: If `source_fps` is out of range.
    """
    file, name = os.path.abspath(path), str(path)
    source: FrameSource
    if flow:
        source = FlowFolder(file)
    elif os.path.isdir(file):
        source = FrameFolder(file)
    else:
        source = VideoFile(file, video_stream, allow_open_end)
    manifest = Manifest((VideoEntry(source, 0, None, name),), tuple(labels), name)
    return manifest if source_fps is None else manifest.at_rate(source_fps)
