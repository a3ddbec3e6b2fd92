"""Manifests of optical flow, for folders that hold flow instead of RGB frames."""

from __future__ import annotations

import dataclasses
import os

from vdroppath_tf.data.manifest import Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.sources.flow import FlowFolder
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.names import named


@named
def flow_manifest(manifest: Manifest) -> Manifest:
    """Returns a manifest of the same videos, with the optical flow in their folders.

    Args:
        manifest: The manifest of RGB frames, or of folders.

    Returns:
        The manifest of `FlowFolder` sources.

    Raises:
        ManifestError: If a video is not a folder.

    Example:
        ```python
        flow = flow_manifest(read_list("frames.txt", "frames"))
        ```
    """
    return dataclasses.replace(manifest, entries=tuple(map(_flow_entry, manifest)))


def _flow_entry(entry: VideoEntry) -> VideoEntry:
    source = entry.source
    if isinstance(source, FlowFolder):
        return entry
    if isinstance(source, Segment):
        return dataclasses.replace(entry, source=_flow_segment(entry, source))
    if not isinstance(source, FrameFolder | VideoFile) or not os.path.isdir(source.path):
        raise ManifestError(
            f"{entry.origin}: {entry.path} is not a folder. Expected a folder with the optical "
            "flow of each video, such as flow_x_00001.jpg and flow_y_00001.jpg."
        )
    first, links = (source.first, source.links) if isinstance(source, FrameFolder) else (None, None)
    return dataclasses.replace(entry, source=FlowFolder(source.path, first=first, links=links))


def _flow_segment(entry: VideoEntry, segment: Segment) -> Segment:
    """Returns the flow between the frames of a segment, one step less than it has frames."""
    start, end, unit = segment.span
    if unit != "frames" or end - start < 2:
        raise ManifestError(
            f"{entry.origin}: {entry.path} is not a segment of two frames or more, so its optical "
            "flow is unknown. Expected a segment in frames, not in seconds."
        )
    flow = _flow_entry(dataclasses.replace(entry, source=segment.source)).source
    return Segment(flow, Span(start, end - 1, "frames"))
