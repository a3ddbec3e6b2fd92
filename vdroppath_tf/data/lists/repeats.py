"""Checks for videos and segments that are listed more than once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vdroppath_tf.data.manifest import NO_CLASS, ManifestError
from vdroppath_tf.data.sources.segment import Segment
from vdroppath_tf.data.sources.source import FrameSource


def two_labels_error(origin: str, which: str, label: str, place: str, other: str) -> ManifestError:
    """Returns the error for a video that is listed at two places with different labels."""
    return ManifestError(
        f"{origin}: {which} with the label {label!r} is listed already at {place}, with the label "
        f"{other!r}. Remove one, or pass Lookup(allow_two_labels=True) (--allow_two_labels) to "
        "keep both."
    )


class Repeats:
    """Remembers the videos of a list, and raises an error for one that is repeated.

    Args:
        labels: The names of the classes, for errors.
        two_labels: Whether a video may be repeated with another label.
    """

    def __init__(self, labels: Sequence[str] | None, two_labels: bool) -> None:
        self.two_labels = two_labels
        self._labels = labels
        self._first: dict[FrameSource, tuple[str, int]] = {}
        self._again: dict[tuple[FrameSource, int], str] = {}  # under a further label

    def add(self, source: FrameSource, name: str, label: int, origin: str) -> None:
        """Records a video.

        Raises:
            ManifestError: If it was recorded with this label, or with another that is not allowed.
        """
        here = (origin, label)
        before = self._first.setdefault(source, here)
        if before is here:
            return
        which = f"{name!r}, {source.span}," if isinstance(source, Segment) else repr(name)
        place = before[0]
        if label != before[1]:
            if not self.two_labels:
                raise two_labels_error(
                    origin, which, self._name(label), place, self._name(before[1])
                )
            if (source, label) not in self._again:
                self._again[source, label] = origin
                return
            place = self._again[source, label]
        raise ManifestError(f"{origin}: {which} is listed already at {place}. Remove one.")

    def notes(self) -> Iterator[str]:
        """Yields a note with the number of videos that have several labels."""
        if self._again:
            yield f"{len(self._again):,} videos are listed with a further label, and kept twice"

    def _name(self, number: int) -> str:
        """Returns the name of a class in errors."""
        if number == NO_CLASS:
            return "none"
        return self._labels[number] if self._labels else str(number)
