"""Labelled videos: the common result of all lists, folders and archives."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.segment import Segment
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameSource
from vdroppath_tf.files.shown import ShortTable, ShowsTable
from vdroppath_tf.names import named
from vdroppath_tf.ranges import MAX_FPS

NO_CLASS = -1


# Names are written to labels.txt, one a line, and to terminals, which interpret control characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ManifestError(ValueError):
    """A list or folder of videos cannot be used; the message names the file, line and value."""


@named
@dataclasses.dataclass(frozen=True)
class VideoEntry:
    """One labelled video.

    Attributes:
        source: The source of its frames.
        label: The class number from 0; for several classes the first; -1 for no class.
        num_frames: The listed number of frames, or None.
        origin: The place in the list, `file:line`, or the class folder.
        name: The path below the root of its list or folder, which is the same on every machine.
            Defaults to the last part of its path.
        more_labels: Further classes of a multi-label video; see `labels`. Defaults to ().
        fps: The frame rate of a source without times, such as a folder of pictures, if the user
            passed it. Defaults to None.

    Example:
        ```python
        source = vdroppath_tf.data.sources.VideoFile("dance.mp4")
        entry = VideoEntry(source, 3, None, "train.txt:1")
        entry.info().num_frames
        ```
    """

    source: FrameSource
    label: int
    num_frames: int | None
    origin: str
    name: str = ""
    more_labels: tuple[int, ...] = ()
    fps: float | None = None

    @property
    def labels(self) -> tuple[int, ...]:
        """The numbers of all its classes; none or several in a `multi_label` manifest."""
        return () if self.label == NO_CLASS else (self.label, *self.more_labels)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", posixpath.basename(self.source.path))

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Returns `FrameSource.info`, after checking that the listed frames exist.

        Raises:
            VideoError: See `FrameSource.info`; or if there are fewer frames than listed.
        """
        found = self.source.info(cache_dir)
        if self.num_frames is not None and found.num_frames < self.num_frames:
            raise VideoError(
                f"{self.path}: holds {found.num_frames} frames, but {self.origin} lists "
                f"{self.num_frames}. Correct the list, or copy the file again if it was cut short."
            )
        return found

    def times(self, cache_dir: Folder = None) -> np.ndarray | None:
        """Returns the time of each frame in seconds, `(num_frames,)`; None if it is unknown.

        Raises:
            VideoError: See `FrameSource.info`.
        """
        found = self.source.info(cache_dir)
        times = found.times()
        if times is None and self.fps is not None:
            return np.arange(found.num_frames) / self.fps
        return times

    @property
    def path(self) -> str:
        """The name in errors, see `FrameSource.path`."""
        return self.source.path


@named
@dataclasses.dataclass(frozen=True)
class Manifest(ShowsTable):
    """Labelled videos in a fixed order.

    Attributes:
        entries: The videos.
        labels: The names of the classes, in order.
        source: The list file or folder.
        directional: Whether labels have a direction ("from left to right"), so that mirroring a
            video makes its label wrong. Defaults to False.
        missing: Listed names that do not exist, if that is allowed. Defaults to ().
        notes: Sentences on what was assumed or ignored in reading the source, such as
            ``"labels are names: 174 classes, sorted"``. They are not compared: manifests of the
            same videos are equal however they were read. Defaults to ().
        multi_label: Whether a video may have any number of classes, instead of exactly one.
            Defaults to False.

    Example:
        ```python
        manifest = open_manifest("train.txt", root="videos")
        len(manifest), manifest.num_classes, manifest.notes
        few = manifest.select([0, 2]).at_rate(25.0)  # two videos, with a frame rate
        ```
    """

    entries: tuple[VideoEntry, ...]
    labels: tuple[str, ...]
    source: str
    directional: bool = False
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = dataclasses.field(default=(), compare=False)
    multi_label: bool = False

    __repr__ = brief

    def short_table(self) -> ShortTable:
        """Returns a line for each video: name, classes, and the listed number of frames."""
        lines = [
            [one.name, ", ".join(self.labels[k] for k in one.labels), one.num_frames]
            for one in self.entries
        ]
        title = f"{len(self):,} videos of {self.num_classes:,} classes, {self.source}"
        return ShortTable(title, ["video", "class", "frames"], lines)

    def __post_init__(self) -> None:
        for number, name in enumerate(self.labels):
            if _CONTROL.search(name):
                raise ManifestError(
                    f"{self.source}: the name of class {number}, {name!r}, holds a control "
                    "character, such as the end of a line. Rename the class."
                )

    def with_square_pixels(self) -> Manifest:
        """Returns the same videos in the size that players show, see `VideoFile`."""
        entries = tuple(
            dataclasses.replace(entry, source=entry.source.with_square_pixels())
            for entry in self.entries
        )
        return dataclasses.replace(self, entries=entries)

    @property
    def num_classes(self) -> int:
        """The number of classes, including those without a video."""
        return len(self.labels)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[VideoEntry]:
        return iter(self.entries)

    def select(self, indices: Iterable[int]) -> Manifest:
        """Returns the videos with these numbers, in the given order, with the same classes."""
        return dataclasses.replace(self, entries=tuple(self.entries[int(i)] for i in indices))

    def check_kind(self, *, multi_label: bool) -> None:
        """Checks that the videos and a network are both single-label or both multi-label.

        Args:
            multi_label: Whether the network is multi-label.

        Raises:
            ManifestError: If one is multi-label and the other is not.
        """
        if self.multi_label == multi_label:
            return
        own, its = ("several classes", "one") if self.multi_label else ("one class", "several")
        raise ManifestError(
            f"{self.source}: its videos have {own} each, but the network predicts {its} a clip. "
            "Expected a network that was built for such videos (multi_label of the template), or a "
            "list of the other kind."
        )

    def at_rate(self, fps: float) -> Manifest:
        """Returns the same videos with a frame rate for those without times."""
        if not 0 < fps <= MAX_FPS:
            raise ValueError(f"fps must be above 0, at most {MAX_FPS:g}. Received: {fps}.")
        return dataclasses.replace(
            self, entries=tuple(_at_rate(entry, fps) for entry in self.entries)
        )

    def digest(self) -> str:
        """Returns an identifier of this data for results and reports: a SHA-256, 64 hex digits.

        It covers the classes and, in order, each video's name, segment, label, listed number of
        frames and chosen stream; not the place on this machine or the contents of the files.
        """
        total = hashlib.sha256(json.dumps(self.labels).encode())
        for entry in self.entries:
            label = list(entry.labels) if self.multi_label else entry.label
            fields: list[Any] = [entry.name, label, entry.num_frames]
            if isinstance(entry.source, Segment):
                fields.append(entry.source.span)
            fields += entry.source.parts
            total.update(b"\n" + json.dumps(fields).encode())
        return total.hexdigest()


def _at_rate(entry: VideoEntry, fps: float) -> VideoEntry:
    source = entry.source
    if isinstance(source, Segment):  # it may be in seconds
        source = dataclasses.replace(source, fps=fps)
    return dataclasses.replace(entry, fps=fps, source=source)
