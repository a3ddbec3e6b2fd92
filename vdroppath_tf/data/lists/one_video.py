"""A manifest of one video, for commands that receive a video in place of a list."""

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
    """Makes a manifest of one video of unknown class; its label is 0.

    Args:
        path: A video file, a folder of frames, or with `flow` a folder of optical flow.
        labels: The names of the classes.
        flow: Whether `path` is a folder of optical flow. Defaults to False.
        video_stream: The number of the video stream, for a file with several. Defaults to None, the
            stream that a player shows.
        source_fps: The frame rate of a folder of frames. Defaults to None, unknown.
        allow_open_end: Whether a recording that ends inside a frame is read up to its last whole
            frame, see `Lookup`. Defaults to False.

    Returns:
        The manifest.

    Raises:
        ValueError: If `source_fps` is out of range.

    Example:
        ```python
        manifest = one_video("dance.mp4", ["jump", "turn"])
        ```
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
