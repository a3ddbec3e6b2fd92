"""EPIC-KITCHENS' CSV files: `video_id,start_timestamp,stop_timestamp,...,verb_class,noun_class`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.csv_tables import read_csv
from vdroppath_tf.data.lists.text_files import MAX_CLASSES, PathLike, check_names, whole_number
from vdroppath_tf.data.lists.times import is_clock, seconds_of
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.segment import Span
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.names import named

EPIC_CLASSES = ("verb", "noun", "action")
"""The kinds of classes: an action is a verb with a noun."""
EPIC_COLUMNS = ("video_id", "start_timestamp", "stop_timestamp", "verb_class", "noun_class")

_EXPECTED = f"'{','.join(EPIC_COLUMNS)}' and more"
_BELOW = ("", "videos", "rgb_frames", "rgb", "train", "test", "rgb/train", "rgb/test")


class _Row(NamedTuple):
    origin: str
    video: str
    spans: tuple[Span, ...]
    verb: int
    noun: int


@named
def read_epic_kitchens(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    classes: str | None = None,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `EPIC_100_train.csv`: segments of long videos with a verb and a noun each.

    Videos are files, `P01_01.MP4`, for which the times are used, or folders of frames
    (`P01_01/frame_0000000001.jpg`), for which the numbers in the names are used, from 0 or 1 on.
    They lie in the root or in folders of participants (`P01/videos`, `P01/rgb_frames`). A segment
    excludes its end.

    Args:
        path: The CSV file.
        root: The folder of the videos. Defaults to the folder of the file.
        labels: The names of the classes. Defaults to those of `EPIC_100_verb_classes.csv` and
            `EPIC_100_noun_classes.csv` next to the file, or without them to numbers. Actions are
            those of the file, in the order of verbs and nouns: pass those of the training part for
            the other parts.
        classes: "verb", "noun" or "action".
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If no kind of classes is chosen; a column is missing, as in the test part; a
            row is damaged; a class has no name; or a video does not exist.

    Example:
        ```python
        manifest = read_epic_kitchens("EPIC_100_train.csv", "EPIC-KITCHENS", classes="verb")
        ```
    """
    if classes not in EPIC_CLASSES:
        given = "not given" if classes is None else repr(classes)
        raise ManifestError(
            f"{path}: has verbs, nouns and actions, and classes is {given}. Pass one of "
            + ", ".join(f"format='epic-kitchens-{kind}s'" for kind in EPIC_CLASSES)
            + " (--format)."
        )
    rows = [*_rows(path)]
    kinds = {kind: _names(Path(path), kind) for kind in EPIC_CLASSES[:2]}
    actions = sorted({(row.verb, row.noun) for row in rows})
    own = kinds.get(classes)
    if classes == "action":
        own = tuple(_action(kinds, verb, noun) for verb, noun in actions)
    videos = Collector(path, root, lookup, own if labels is None else labels)
    videos.spans_in = _by_names()
    if own is None:
        videos.note(f"the {classes} classes are numbers: their names are not next to the list")
    for row in rows:
        number = {"verb": row.verb, "noun": row.noun}.get(classes)
        if number is None:
            number = videos.number(_action(kinds, row.verb, row.noun), row.origin)
        videos.add_named(_folders(row.video), row.video, number, row.origin, row.spans)
    videos.note(f"classes are of the {classes}")
    return videos.manifest(f"rows {_EXPECTED}")


def _rows(path: PathLike) -> Iterator[_Row]:
    """Yields the rows; the numbers of frames are those in their names, see `_by_names`."""
    for origin, fields in read_csv(path, EPIC_COLUMNS, _EXPECTED, "The test part has no classes."):
        times = [_seconds(fields[name], origin) for name in EPIC_COLUMNS[1:3]]
        spans = [Span(times[0], times[1], "seconds")]
        frames = [fields.get(name, "") for name in ("start_frame", "stop_frame")]
        if all(frames):
            numbers = [whole_number(text, "frame", origin, 0, MAX_FRAMES) for text in frames]
            spans.append(Span(numbers[0], numbers[1], "frames"))
        verb, noun = (
            whole_number(fields[name], name, origin, 0, MAX_CLASSES) for name in EPIC_COLUMNS[3:]
        )
        yield _Row(origin, fields["video_id"], tuple(spans), verb, noun)


def _by_names() -> Callable[[FrameSource, Sequence[Span]], Sequence[Span]]:
    """Returns a function that converts numbers in frame names to frames counted from 0."""
    first_of = functools.cache(_first_number)

    def counted(video: FrameSource, spans: Sequence[Span]) -> Sequence[Span]:
        if isinstance(video, VideoFile):
            return spans
        first = first_of(video)
        return [_from_zero(span, first) if span.unit == "frames" else span for span in spans]

    return counted


def _first_number(video: FrameSource) -> int:
    try:
        return video.first_number()
    except VideoError:
        return 1  # the error is reported when the video is read


def _from_zero(span: Span, first: int) -> Span:
    start, stop = (max(0, number - first) for number in (span.start, span.end))
    return Span(start, max(stop, start + 1), "frames")


def _seconds(text: str, origin: str) -> float:
    if not is_clock(text):
        raise ManifestError(f"{origin}: {text!r} is not a time. Expected '00:01:02.34'.")
    return seconds_of(text)


def _folders(video: str) -> list[str]:
    """Returns the folders that may hold a video: those of the participant, and the common ones."""
    person = video.partition("_")[0]
    below = [f"{folder}/{person}".lstrip("/") for folder in _BELOW]
    return [*_BELOW, *below, f"{person}/videos", f"{person}/rgb_frames"]


def _names(path: Path, kind: str) -> tuple[str, ...] | None:
    """Reads the names of verbs or nouns from the file next to the list; None if there is none."""
    found = sorted(path.parent.glob(f"*{kind}_classes*.csv"))
    if not found:
        return None
    if len(found) > 1:
        few = " or ".join(each.name for each in found[:3])
        raise ManifestError(f"{path}: its {kind}s may be those of {few}. Expected one of them.")
    names: list[str] = []
    for origin, fields in read_csv(found[0], (), "'id,key,...'"):
        number = fields.get("id") or fields.get(f"{kind}_id") or ""
        name = fields.get("key") or fields.get("class_key") or ""
        if whole_number(number, "id", origin, 0, MAX_CLASSES) != len(names):
            raise ManifestError(f"{origin}: class is {number}, expected {len(names)}.")
        names.append(name)
    return check_names(names, str(found[0]))


def _action(kinds: dict[str, tuple[str, ...] | None], verb: int, noun: int) -> str:
    """Returns the name of an action: "open cupboard", or "verb 3, noun 7" without names."""
    verbs, nouns = kinds["verb"], kinds["noun"]
    if verbs is None or nouns is None or verb >= len(verbs) or noun >= len(nouns):
        return f"verb {verb}, noun {noun}"
    return f"{verbs[verb]} {nouns[noun]}"
