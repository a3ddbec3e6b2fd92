"""Gathers the videos that a list names: each once, inside the root, and there."""

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

_LOOKED = 8  # videos, for what is to be said of the names of their frames
FRAMES_NOTE = "segments are in frames, counted from 0, without the end"


@named
class Collector:
    """Videos of one list in their order; all formats fill one.

    Args:
        source: the list file or folder.
        root: folder the names start from; None is the folder that the source lies in.
        lookup: how names become videos; None is `Lookup()`.
        labels: names of the classes, where they are known.

    Raises:
        ManifestError: the root is no folder, or `labels` are no good.
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
        """The name of what is listed by a name that leads to nothing, if there is one."""
        self.spans_in: Callable[[FrameSource, Sequence[Span]], Sequence[Span]] = lambda _, s: s
        """The segment of a video by what is listed, where that depends on the video."""
        self._largest = 0
        self._allow_missing = bool(lookup.allow_missing)
        self._repeats = Repeats(self.labels, lookup.allow_two_labels)

    def note(self, text: str) -> None:
        """Adds one of `Manifest.notes`, once."""
        if text not in self.notes:
            self.notes.append(text)

    def keep_two_labels(self) -> None:
        """Keeps videos and segments that are listed with several labels, with each."""
        self._repeats.two_labels = True

    def number(self, label: str, origin: str) -> int:
        """The number of a class.

        Raises:
            ManifestError: `labels` lack it, see `ClassNumbers.number`.
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
            name: of the video.
            label: number of its class; or a sequence of the numbers of all its classes, none or
                several, which makes the manifest one of `multi_label`.
            num_frames: that are listed of it, or of the segment.
            origin: where it is listed.
            spans: the segment of it that is meant, in one unit or in both: of a video file the
                seconds are taken, of pictures the frames. None takes the whole video.

        Raises:
            ManifestError: it leads out of the root, to nothing, or to a video (or a segment) that
                is there already; or the label has no name, or the segment is none.
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
                f"{len(self.labels)} class names are given."
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
        """Adds a video that is known to be there and below the root, by its name there.

        Raises:
            ManifestError: it is there already.
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
        """Adds the video that is called `stem` in one of the folders, whatever its suffix.

        Args:
            folders: where to look.
            stem: its name, without the suffix.
            label, origin, spans: see `add`.

        Raises:
            ManifestError: there is none, there are several, or see `add`.
        """
        tried = list(dict.fromkeys(folders))
        found = [name for folder in tried for name in self.tree.named(folder, stem, origin)]
        if len(found) > 1:
            raise ManifestError(
                f"{origin}: {stem!r} may be {' or '.join(map(repr, found[:3]))}. Expected one of "
                "them: pass as root= the folder of those that are meant."
            )
        if found:
            self.add(found[0], label, None, origin, spans)
        else:
            self.add_missing(stem, origin, tried)

    def stem_there(self, folders: Sequence[str], stems: Sequence[str], origin: str) -> str:
        """The first of several names of a video that is there in one of the folders, or the first.

        Args:
            folders: where to look.
            stems: what it may be called, without the suffix.
            origin: where it is listed.
        """
        there = (s for s in stems if any(self.tree.named(f, s, origin) for f in folders))
        return next(there, stems[0])

    def _miss(self, name: str) -> None:
        """Notes a video that is not there, once, however many of its segments are listed."""
        if name not in self._missed:
            self._missed.add(name)
            self.missing.append(name)

    def add_missing(self, stem: str, origin: str, folders: Sequence[str] = ("",)) -> None:
        """Notes a video that is not there.

        Args:
            stem: its name, without the suffix.
            origin: where it is listed.
            folders: where it was looked for, for the error.

        Raises:
            ManifestError: videos may not be missing.
        """
        if self._allow_missing:
            self._miss(stem)
            return
        places = ", ".join(repr(folder or ".") for folder in folders)
        raise ManifestError(
            f"{origin}: there is no video {stem!r} in {places} of {self.tree.root}. Check "
            "root= (--data_root), or pass Lookup(allow_missing=True) (--allow_missing) to "
            "leave out what is not there."
        )

    def manifest(self, expected: str, *, directional: bool = False) -> Manifest:
        """What was gathered.

        Args:
            expected: what the list should hold, for errors.
            directional: see `Manifest`.

        Raises:
            ManifestError: nothing was, or all of it is missing.
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
        """Notes what was found out of the names of frames, of a few videos all over the list."""
        said = set()
        for entry in self.entries[:: max(1, len(self.entries) // _LOOKED)][:_LOOKED]:
            with contextlib.suppress(VideoError):  # is for those to tell who read it
                for text in entry.source.assumed():
                    if (alike := re.sub("[0-9]+", "0", text)) not in said:
                        said.add(alike)
                        self.note(f"{entry.name}: {text}")


def segment_of(video: FrameSource, spans: Sequence[Span], origin: str) -> Segment:
    """The segment of a video that a list means, see `Collector.add`.

    Raises:
        ManifestError: it ends before it starts, or starts before the video.
    """
    wanted = "seconds" if isinstance(video, VideoFile) else "frames"
    span = next((span for span in spans if span.unit == wanted), spans[0])
    if (problem := span.problem()) is not None:
        raise ManifestError(f"{origin}: the segment {problem}.")
    return Segment(video, span)
