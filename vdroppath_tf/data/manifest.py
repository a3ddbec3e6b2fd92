"""Labelled videos: what every list, folder and archive becomes."""

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


# Names go into labels.txt, one a line, and to terminals, which obey them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ManifestError(ValueError):
    """A list or folder of videos cannot be used; the message names the file, line and value."""


@named
@dataclasses.dataclass(frozen=True)
class VideoEntry:
    """One labelled video.

    Attributes:
        source: where its frames are.
        label: class number from 0; of several, the first; -1 for a video of no class.
        num_frames: frames that are listed; None where they are not.
        origin: where this was read, `file:line` or the class folder.
        name: its path below the root of its list or folder, so the same on every machine; default
            the last part of its path.
        more_labels: further classes, where a video has several; see `labels`.
        fps: frames a second of a source that has no times of its own, such as a folder of
            pictures, if the user said so.
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
        """The numbers of all its classes, none or several in a manifest of `multi_label`."""
        return () if self.label == NO_CLASS else (self.label, *self.more_labels)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", posixpath.basename(self.source.path))

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """`FrameSource.info`, compared to the list: a video has as many as are listed, or more.

        Raises:
            VideoError: see `FrameSource.info`; or there are fewer.
        """
        found = self.source.info(cache_dir)
        if self.num_frames is not None and found.num_frames < self.num_frames:
            raise VideoError(
                f"{self.path}: holds {found.num_frames} frames, but {self.origin} lists "
                f"{self.num_frames}. Correct the list, or copy the file again if it was cut short."
            )
        return found

    def times(self, cache_dir: Folder = None) -> np.ndarray | None:
        """When each frame is shown, in seconds, `(num_frames,)`; None where nothing says so.

        Raises:
            VideoError: see `FrameSource.info`.
        """
        found = self.source.info(cache_dir)
        times = found.times()
        if times is None and self.fps is not None:
            return np.arange(found.num_frames) / self.fps
        return times

    @property
    def path(self) -> str:
        """What errors call it, see `FrameSource.path`."""
        return self.source.path


@named
@dataclasses.dataclass(frozen=True)
class Manifest(ShowsTable):
    """Labelled videos in a fixed order.

    Attributes:
        entries: the videos.
        labels: the names of the classes, by number.
        source: the list file or folder.
        directional: whether labels have a direction ("from left to right"), so that mirroring a
            video makes its label wrong.
        missing: names that were listed and are not there, where that is no error.
        notes: what was assumed or passed over in reading the source, a sentence each, such as
            ``"labels are names: 174 classes, sorted"``. They are not compared: two manifests of
            the same videos are equal however they were read.
        multi_label: whether a video has any number of classes, independent of one another, rather
            than one.
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
        """A line a video: its name, the names of its classes, frames where they are listed."""
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
        """The same videos in the size that players show them in, see `VideoFile`."""
        entries = tuple(
            dataclasses.replace(entry, source=entry.source.with_square_pixels())
            for entry in self.entries
        )
        return dataclasses.replace(self, entries=entries)

    @property
    def num_classes(self) -> int:
        """Number of classes, those without a video included."""
        return len(self.labels)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[VideoEntry]:
        return iter(self.entries)

    def select(self, indices: Iterable[int]) -> Manifest:
        """The videos with these numbers, in the order given, with the same classes."""
        return dataclasses.replace(self, entries=tuple(self.entries[int(i)] for i in indices))

    def check_kind(self, *, multi_label: bool) -> None:
        """Compares the videos to a network.

        Args:
            multi_label: whether the network is one of several classes a clip.

        Raises:
            ManifestError: the videos have several classes and the network is of one, or the
                reverse.
        """
        if self.multi_label == multi_label:
            return
        own, its = ("several classes", "one") if self.multi_label else ("one class", "several")
        raise ManifestError(
            f"{self.source}: its videos have {own} each, and the network is of {its} a clip. "
            "Expected a network that was built for such videos (multi_label of the template), or a "
            "list of the other kind."
        )

    def at_rate(self, fps: float) -> Manifest:
        """The same videos; those without times of their own have so many frames a second."""
        if not 0 < fps <= MAX_FPS:
            raise ValueError(f"fps must be above 0, at most {MAX_FPS:g}. Received: {fps}.")
        return dataclasses.replace(
            self, entries=tuple(_at_rate(entry, fps) for entry in self.entries)
        )

    def digest(self) -> str:
        """Which data this is, for results and reports: a SHA-256, 64 hexadecimal digits.

        It covers the classes and each video's name, segment, label, listed number of frames and, if
        it was chosen, stream, in order; not where on this machine they are, and not what the files
        hold.
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
