"""Finds clips of YouTube videos by id and times, under the file names of all downloaders."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias, TypeVar

from vdroppath_tf.data.lists.class_spelling import plain
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.parts import PART_WORDS, name_words, part_names
from vdroppath_tf.data.lists.video_tree import VideoTree
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.segment import Span
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.names import named

_TIMES = re.compile(r"(.+)_(\d{1,9})(?:\.\d+)?_(\d{1,9})(?:\.\d+)?", re.DOTALL)
_REPLACEMENT = "replacement"
_SLACK = 1.0  # seconds by which a clip may be longer than its row states
_ORDER = (".mp4", ".mkv", ".webm", ".avi", ".mov")

LOOK_AT = 64
"""Files named by id only that are inspected, to learn whether all are clips or whole videos."""
Times: TypeAlias = tuple[float, float] | None
_Item = TypeVar("_Item")


@named
class ClipNames:
    """The videos below a root by (id, start, end) or by id only.

    They lie in the root, in folders of the part (`val`, `validate`, `val_256`), in folders of
    replacements for broken files, and in class folders in each of these, whose names are compared
    by letters and digits only.

    Args:
        videos: The collector of the videos found.
        part: The part of the data set, such as "val"; "" if it is unknown.
        expected: The name of the list in errors.
    """

    def __init__(self, videos: Collector, part: str, expected: str) -> None:
        self._videos, self._tree, self._origin = videos, videos.tree, expected
        self._classes = {plain(name) for name in videos.numbers}
        self._found: dict[str | tuple[str, int, int], list[tuple[str, str | None]]] = {}
        self._counts: Counter[str] = Counter()
        # An id with its times is in one part only: if the part is unknown, all parts are searched.
        for folder, label in self._places(part_names(part) if part else PART_WORDS):
            self._list(folder, label)

    def find(self, name: str, key: str, times: Times) -> tuple[str, bool] | None:
        """Returns the path of a row's video, and whether its name is only the id; or None.

        Args:
            name: The class of the row.
            key: The YouTube id.
            times: The start and end in seconds; None if the list has none.
        """
        label = plain(name)
        if times is not None:
            exact = self._best((key, int(times[0]), int(times[1])), label)
            if exact is not None:
                return exact, False
        alone = self._best(key, label)
        return None if alone is None else (alone, True)

    def add_notes(self) -> None:
        """Adds notes about assumptions to the collector."""
        texts = {
            "replaced": f"videos are taken from a folder of {_REPLACEMENT}s",
            "several": "videos are there in several files or folders: one that can be read is "
            f"taken, in the order {' '.join(_ORDER)}",
        }
        for kind, text in texts.items():
            if count := self._counts[kind]:
                self._videos.note(f"{count:,} {text}")

    def _places(self, part: frozenset[str]) -> Iterator[tuple[str, str | None]]:
        """Yields the folders that may hold videos, with the class of each class folder."""
        tops = [""]
        for name in self._folders(""):
            if plain(name) in self._classes:
                continue
            if set(name_words(name)) & part:
                tops.append(name)
            elif any(word.startswith(_REPLACEMENT) for word in name_words(name)):
                tops += [name, *(posixpath.join(name, below) for below in self._folders(name))]
        for top in tops:
            yield top, None
            for name in self._folders(top):
                if (label := plain(name)) in self._classes:
                    yield posixpath.join(top, name), label

    def _folders(self, folder: str) -> list[str]:
        return [n for n, kind in self._tree.children(folder, self._origin) if kind == "frames"]

    def _list(self, folder: str, label: str | None) -> None:
        for name, kind in self._tree.children(folder, self._origin):
            stem = name if kind == "frames" else os.path.splitext(name)[0]
            place = (posixpath.join(folder, name), label)
            self._found.setdefault(stem, []).append(place)
            if (match := _TIMES.fullmatch(stem)) is not None:
                key = (match[1], int(match[2]), int(match[3]))
                self._found.setdefault(key, []).append(place)

    def _best(self, key: str | tuple[str, int, int], label: str) -> str | None:
        places = [name for name, of in self._found.get(key, ()) if of is None or of == label]
        replaced = [name for name in places if _REPLACEMENT in name.split("/", maxsplit=1)[0]]
        if replaced:
            self._counts["replaced"] += 1
            places = replaced
        if len(places) < 2:
            return places[0] if places else None
        self._counts["several"] += 1
        places = sorted(places, key=_rank)
        return next((name for name in places if self._is_readable(name)), places[0])

    def _is_readable(self, name: str) -> bool:
        try:
            self._tree.entry(name, self._origin).validate()
        except VideoError:
            return False
        return True


def _evidence(tree: VideoTree, name: str, times: tuple[float, float], origin: str) -> bool | None:
    """Returns whether a file is the whole video instead of the clip; None if both fit."""
    source = tree.entry(name, origin)
    try:
        shown = source.info().times() if isinstance(source, VideoFile) else None
    except VideoError:
        return None  # the error is reported when the video is read
    if shown is None:
        return None
    length, (start, end) = float(shown[-1]), times
    if length > end - start + _SLACK:
        return True
    return False if length < end - _SLACK else None


@named
def segments_of(
    tree: VideoTree, rows: Sequence[tuple[str, tuple[float, float]]], origin: str
) -> list[tuple[Span, ...]]:
    """Returns the segments to read of files that are named by their id only.

    A file that is longer than its row states is the whole video; one that ends before the row's end
    is the clip. `LOOK_AT` evenly spaced files are inspected, and as many of the files that are
    listed with several times, since these cannot be clips; if the results disagree, all files.

    Args:
        tree: The videos.
        rows: The names of the files, with the start and end in the list.
        origin: The name of the list in errors.

    Returns:
        For each row its segment, or nothing if the file is the clip.
    """
    times = Counter(name for name, _ in rows)
    several = [row for row in rows if times[row[0]] > 1]
    looked_at = {*_spread(rows), *_spread(several)}
    found = {_evidence(tree, *row, origin) for row in looked_at} - {None}
    if found == {True, False}:
        whole = [_evidence(tree, *row, origin) is True for row in rows]
    else:
        whole = [found == {True}] * len(rows)
    return [
        (Span(*times, "seconds"),) if each else ()
        for each, (_, times) in zip(whole, rows, strict=True)
    ]


def _spread(rows: Sequence[_Item]) -> list[_Item]:
    """Returns at most `LOOK_AT` items, evenly spaced."""
    count = min(LOOK_AT, len(rows))
    return [rows[k * len(rows) // count] for k in range(count)]


def _rank(name: str) -> tuple[int, str]:
    suffix = posixpath.splitext(name)[1].lower()
    return _ORDER.index(suffix) if suffix in _ORDER else len(_ORDER), name
