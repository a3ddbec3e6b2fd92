"""Collects the videos that a list names, and checks each: it exists, inside the root, once."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from absl import logging

from vdroppath_tf.data.lists.class_spelling import ClassNumbers
from vdroppath_tf.data.lists.repeats import Repeats
from vdroppath_tf.data.lists.text_files import PathLike, check_names
from vdroppath_tf.data.lists.video_tree import Lookup, MissingVideoError, VideoTree
from vdroppath_tf.data.manifest import NO_CLASS, Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.segment import Segment, Span
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.names import named

_LOOKED = 8  # videos whose frame names are inspected for notes
FRAMES_NOTE = "segments are in frames, counted from 0, without the end"


@named
class Collector:
    """Collects the videos of one list, in order, for all formats.

    Args:
        source: The list file or folder.
        root: The folder from which names start; None means the folder of the source.
        lookup: How names become videos; None means `Lookup()`.
        labels: The names of the classes, if they are known.

    Raises:
        ManifestError: If the root is not a folder, or `labels` are invalid.
    """

    def __init__(
        self,
        source: PathLike,
        root: PathLike | None,
        lookup: Lookup | None,
        labels: Sequence[str] | None,
    ) -> None:
        self.source = os.fspath(source)
        lookup = lookup or Lookup()
        root = Path(source).parent if root is None else root
        self.labels = None if labels is None else check_names(labels, f"{source}: labels=")
        self._classes = ClassNumbers(self.labels)
        self.numbers = self._classes.by_name
        self.tree = VideoTree(root, lookup, self.source)
        self.entries: list[VideoEntry] = []
        self.missing: list[str] = []
        self.notes: list[str] = []
        self._missed: set[str] = set()
        self.multi_label = False
        self.elsewhere: Callable[[str], str] = lambda name: name
        """Returns the name to try next if a listed name leads to nothing."""
        self.spans_in: Callable[[FrameSource, Sequence[Span]], Sequence[Span]] = lambda _, s: s
        """Converts the listed segments of a video, if the conversion depends on the video."""
        self._largest = 0
        self._allow_missing = bool(lookup.allow_missing)
        self._repeats = Repeats(self.labels, lookup.allow_two_labels)

    def note(self, text: str) -> None:
        """Adds one of `Manifest.notes`, once."""
        if text not in self.notes:
            self.notes.append(text)

    def keep_two_labels(self) -> None:
        """Allows videos and segments to be listed with several labels, once for each."""
        self._repeats.two_labels = True

    def number(self, label: str, origin: str) -> int:
        """Returns the number of a class.

        Raises:
            ManifestError: If `labels` lack it, see `ClassNumbers.number`.
        """
        return self._classes.number(label, origin)

    def add(
        self,
        name: str,
        label: int | Sequence[int],
        num_frames: int | None,
        origin: str,
        spans: Sequence[Span] = (),
    ) -> None:
        """Adds the video of this name below the root; `file.h5/key` is a member of an HDF5 file.

        Args:
            name: The name of the video.
            label: The number of its class; or a sequence of the numbers of all its classes, which
                makes the manifest `multi_label`.
            num_frames: The listed number of frames of the video or the segment, or None.
            origin: The place in the list, for errors.
            spans: The segment to read, in one unit or in both: video files use the seconds,
                pictures use the frames. Defaults to (), the whole video.

        Raises:
            ManifestError: If it leads out of the root or to nothing, or was added already; or the
                label has no name, or the segment is invalid.
        """
        if not isinstance(label, int):
            self.multi_label = True
            label, *others = sorted(set(label)) or [NO_CLASS]
            more: tuple[int, ...] = tuple(others)
        else:
            more = ()
        largest = more[-1] if more else label
        if self.labels is not None and largest >= len(self.labels):
            raise ManifestError(
                f"{origin}: label {largest} has no name: expected 0 to {len(self.labels) - 1}, as "
                f"{len(self.labels)} class names were passed."
            )
        if largest > self._largest:
            self._largest = largest  # missing videos have a class too
        name = self.tree.clean(name, origin)
        try:
            source = self.tree.entry(name, origin)
        except MissingVideoError:
            if (other := self.elsewhere(name)) != name:
                self.add(other, label if not more else (label, *more), num_frames, origin, spans)
                return
            if not self._allow_missing:
                raise
            self._miss(name)
            return
        if spans:
            source = segment_of(source, self.spans_in(source, spans), origin)
        self._take(source, label, num_frames, origin, name, more)

    def add_source(self, source: FrameSource, name: str, label: int, origin: str) -> None:
        """Adds a video that is known to exist below the root, with its name there.

        Raises:
            ManifestError: If it was added already.
        """
        self._largest = max(self._largest, label)
        self._take(source, label, None, origin, name)

    def _take(
        self,
        source: FrameSource,
        label: int,
        num_frames: int | None,
        origin: str,
        name: str,
        more: tuple[int, ...] = (),
    ) -> None:
        self._repeats.add(source, name, label, origin)
        self.entries.append(VideoEntry(source, label, num_frames, origin, name, more))

    def add_named(
        self,
        folders: Iterable[str],
        stem: str,
        label: int | Sequence[int],
        origin: str,
        spans: Sequence[Span] = (),
    ) -> None:
        """Adds the video named `stem` in one of the folders, with any suffix.

        Args:
            folders: The folders to search.
            stem: The name without the suffix.
            label, origin, spans: See `add`.

        Raises:
            ManifestError: If there are none or several; or see `add`.
        """
        tried = list(dict.fromkeys(folders))
        found = [name for folder in tried for name in self.tree.named(folder, stem, origin)]
        if len(found) > 1:
            raise ManifestError(
                f"{origin}: {stem!r} may be {' or '.join(map(repr, found[:3]))}. Expected one of "
                "them: pass the folder of the ones that you mean as root= (--data_root)."
            )
        if found:
            self.add(found[0], label, None, origin, spans)
        else:
            self.add_missing(stem, origin, tried)

    def stem_there(self, folders: Sequence[str], stems: Sequence[str], origin: str) -> str:
        """Returns the first of several names whose video exists in a folder, else the first.

        Args:
            folders: The folders to search.
            stems: The possible names, without the suffix.
            origin: The place in the list, for errors.
        """
        there = (s for s in stems if any(self.tree.named(f, s, origin) for f in folders))
        return next(there, stems[0])

    def _miss(self, name: str) -> None:
        """Records a missing video once, even if several of its segments are listed."""
        if name not in self._missed:
            self._missed.add(name)
            self.missing.append(name)

    def add_missing(self, stem: str, origin: str, folders: Sequence[str] = ("",)) -> None:
        """Records a missing video, or raises an error if none may be missing.

        Args:
            stem: The name without the suffix.
            origin: The place in the list, for errors.
            folders: The folders that were searched, for the error.

        Raises:
            ManifestError: If videos may not be missing.
        """
        if self._allow_missing:
            self._miss(stem)
            return
        places = ", ".join(repr(folder or ".") for folder in folders)
        raise ManifestError(
            f"{origin}: there is no video {stem!r} in {places} of {self.tree.root}. Check "
            "root= (--data_root), or pass Lookup(allow_missing=True) (--allow_missing) to "
            "leave out the missing ones."
        )

    def manifest(self, expected: str, *, directional: bool = False) -> Manifest:
        """Returns the manifest of the videos collected.

        Args:
            expected: What the list should hold, for errors.
            directional: See `Manifest`. Defaults to False.

        Raises:
            ManifestError: If there is no video, or all are missing.
        """
        if not self.entries and self.missing:
            raise ManifestError(
                f"{self.source}: none of its {len(self.missing)} videos is in {self.tree.root} "
                f"(the first: {self.missing[0]!r}). Check root= (--data_root)."
            )
        if not self.entries:
            raise ManifestError(f"{self.source}: lists no video. Expected {expected}.")
        if self.missing:
            logging.warning(
                "%s: %d of %d videos are not in %s and are left out, the first: %r.",
                self.source,
                len(self.missing),
                len(self.missing) + len(self.entries),
                self.tree.root,
                self.missing[0],
            )
        self._note_assumed()
        for note in (*self._repeats.notes(), *self._classes.notes()):
            self.note(note)
        names = self.labels or tuple(map(str, range(1 + self._largest)))
        return Manifest(
            tuple(self.entries),
            names,
            os.path.abspath(self.source),
            directional,
            tuple(self.missing),
            tuple(self.notes),
            self.multi_label,
        )

    def _note_assumed(self) -> None:
        """Adds notes about inferred frame names, from a few videos spread over the list."""
        said = set()
        for entry in self.entries[:: max(1, len(self.entries) // _LOOKED)][:_LOOKED]:
            with contextlib.suppress(VideoError):  # reported when the video is read
                for text in entry.source.assumed():
                    if (alike := re.sub("[0-9]+", "0", text)) not in said:
                        said.add(alike)
                        self.note(f"{entry.name}: {text}")


def segment_of(video: FrameSource, spans: Sequence[Span], origin: str) -> Segment:
    """Returns the segment of a video that a list names, see `Collector.add`.

    Raises:
        ManifestError: If it ends before it starts, or starts before the video.
    """
    wanted = "seconds" if isinstance(video, VideoFile) else "frames"
    span = next((span for span in spans if span.unit == wanted), spans[0])
    if (problem := span.problem()) is not None:
        raise ManifestError(f"{origin}: the segment {problem}.")
    return Segment(video, span)
