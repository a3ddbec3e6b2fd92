"""Statistics of manifests: videos for each class, and videos that two parts share."""

from __future__ import annotations

import filecmp
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named

_Video: TypeAlias = tuple[FrameSource, Span | None]
_START = 1 << 16  # bytes that distinguish most files of the same size


@named
def count_classes(manifest: Manifest) -> list[int]:
    """Counts the videos of each class, by class number; a multi-label video counts in each.

    Args:
        manifest: The manifest.

    Returns:
        One count for each class.

    Example:
        ```python
        counts = count_classes(vdroppath_tf.data.open_manifest("train.txt", root="videos"))
        ```
    """
    counts = [0] * manifest.num_classes
    for entry in manifest:
        for label in entry.labels:
            counts[label] += 1
    return counts


@named
def shared_videos(
    one: Manifest, other: Manifest, *, contents: bool = False, segments: bool = False
) -> list[tuple[VideoEntry, VideoEntry]]:
    """Finds videos that are in both manifests, for example in training and in validation.

    Segments count as the video that contains them: two segments of one video look alike, even if
    they do not overlap. Each video is listed once.

    Args:
        one: The videos of one part.
        other: The videos of the other part.
        contents: Whether to find copies too, i.e. files with other names and the same bytes.
            Defaults to False.
        segments: Whether only the same segment of a video counts, and each entry of `other` that
            `one` has too is listed, for example to count them. Defaults to False.

    Returns:
        Pairs of entries of the same video, in the order of `other`.

    Example:
        ```python
        for entry, copy in shared_videos(train_videos, val_videos, contents=True):
            print(entry.path, copy.path)
        ```
    """
    ones = _by_video(one, segments=segments)
    others = list(other) if segments else list(_by_video(other, segments=False).values())
    found = ((ones.get(_video(entry, segments=segments)), entry) for entry in others)
    pairs = [(known, entry) for known, entry in found if known is not None]
    return pairs + list(_copies(ones.values(), others)) if contents else pairs


def _by_video(manifest: Manifest, *, segments: bool) -> dict[_Video, VideoEntry]:
    """Returns the first entry of each video, or of each segment."""
    videos: dict[_Video, VideoEntry] = {}
    for entry in manifest:
        videos.setdefault(_video(entry, segments=segments), entry)
    return videos


def _video(entry: VideoEntry, *, segments: bool) -> _Video:
    """Returns the video of an entry, and the segment of it if segments are compared."""
    source = entry.source
    return source.whole, source.span if segments and isinstance(source, Segment) else None


def _copies(
    one: Iterable[VideoEntry], other: Iterable[VideoEntry]
) -> Iterator[tuple[VideoEntry, VideoEntry]]:
    sizes = {_size(entry) for entry in one} & {_size(entry) for entry in other} - {0}
    starts: dict[tuple[int, bytes], list[VideoEntry]] = {}
    for entry in one:
        if (size := _size(entry)) in sizes:
            starts.setdefault((size, _start(entry.source.whole.path)), []).append(entry)
    for entry in other:
        size = _size(entry)
        video = entry.source.whole
        alike = starts.get((size, _start(video.path)), []) if size in sizes else []
        for found in alike:
            copied = found.source.whole
            if copied != video and filecmp.cmp(copied.path, video.path, shallow=False):
                yield found, entry
                break


def _size(entry: VideoEntry) -> int:
    """Returns the bytes of a video that is one file; 0 for other videos."""
    path = entry.source.whole.path
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _start(path: str) -> bytes:
    with open_regular(path) as file:
        return hashlib.sha256(file.read(_START)).digest()
