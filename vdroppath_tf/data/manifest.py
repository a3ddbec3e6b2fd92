"""Labelled videos: what every list, folder and archive becomes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from vdroppath_tf.data.frame_source import FrameSource


class ManifestError(ValueError):
    """A list or folder of videos cannot be used; the message names the file, line and value."""


@dataclasses.dataclass(frozen=True)
class VideoEntry:
    """One labelled video.

    Attributes:
        source: where its frames are.
        label: class number from 0.
        num_frames: frames the list says it has; None where nothing says.
        origin: where this was read, `file:line` or the class folder.
    """

    source: FrameSource
    label: int
    num_frames: int | None
    origin: str

    @property
    def path(self) -> str:
        """What errors call it, see `FrameSource.path`."""
        return self.source.path


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Labelled videos in a fixed order.

    Attributes:
        entries: the videos.
        labels: the names of the classes, by number.
        source: the list file or folder.
        directional: whether left and right are part of the labels, as in "pulling left".
    """

    entries: tuple[VideoEntry, ...]
    labels: tuple[str, ...]
    source: str
    directional: bool = False

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
