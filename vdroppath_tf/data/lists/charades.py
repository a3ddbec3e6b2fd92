"""Charades' CSV files: one row for each video, with all its actions and their times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.csv_tables import read_csv
from vdroppath_tf.data.lists.text_files import PathLike, check_names, read_lines
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.segment import Span
from vdroppath_tf.names import named

CHARADES_COLUMNS = ("id", "actions", "length")

_EXPECTED = "'id,...,actions,length', with actions such as 'c092 11.90 21.20;c147 0.00 12.60'"
_ACTION = re.compile(r"\s*(\S+)\s+([0-9.]+)\s+([0-9.]+)\s*")
_CLASSES = ("Charades_v1_classes.txt", "classes.txt")
_FOLDERS = ("", "Charades_v1", "Charades_v1_480", "Charades_v1_rgb", "videos")
_FRAMES_PER_SECOND = 24  # of the published frames


class _Action(NamedTuple):
    span: Span
    code: str
    cut: bool


class _Row(NamedTuple):
    origin: str
    video: str
    actions: list[_Action]


@named
def read_charades(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `Charades_v1_train.csv` as segments of one class each.

    The segments of a video overlap, and one may be listed with several classes: the manifest then
    has it once for each class. A segment that ends after the `length` of its video is cut to it.
    Videos without an action are left out and counted. `read_charades_videos` reads whole videos.

    Args:
        path: The CSV file.
        root: The folder of the videos, `id.mp4` or folders of frames (24 per second, as published),
            or the folder that contains it under the name `Charades_v1`. Defaults to the folder of
            the file.
        labels: The names of the classes. Defaults to those in `Charades_v1_classes.txt` next to the
            file, or without it to the sorted codes.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If a column is missing, a row is damaged, a class has no name, or a video
            does not exist.

    Example:
        ```python
        manifest = read_charades("Charades_v1_train.csv", "Charades_v1_480")
        ```
    """
    rows, videos, numbers = _opened(path, root, labels, lookup)
    videos.keep_two_labels()
    for row in rows:
        for action in dict.fromkeys(row.actions):
            start, end, _ = action.span
            first, last = (int(time * _FRAMES_PER_SECOND) for time in (start, end))
            spans = (action.span, Span(first, max(last, first + 1), "frames"))
            number = _number(action.code, numbers, row.origin)
            videos.add_named(_FOLDERS, row.video, number, row.origin, spans)
    if cut := sum(action.cut for row in rows for action in row.actions):
        videos.note(f"{cut:,} segments end after the length of their video, and are cut to it")
    videos.note("each action is a segment with one class; charades-videos has all of a video")
    return videos.manifest(f"rows {_EXPECTED}")


@named
def read_charades_videos(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `Charades_v1_train.csv` as whole videos with all their classes (multi-label).

    A video without an action has no class. See `read_charades` for the errors.

    Args:
        path: The file.
        root: The folder of the videos. Defaults to the folder of the file.
        labels: The names of the classes, see `read_charades`. Defaults to None.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Example:
        ```python
        manifest = read_charades_videos("Charades_v1_train.csv", "Charades_v1_480")
        ```
    """
    rows, videos, numbers = _opened(path, root, labels, lookup)
    for row in rows:
        found = sorted({_number(action.code, numbers, row.origin) for action in row.actions})
        videos.add_named(_FOLDERS, row.video, found, row.origin)
    return videos.manifest(f"rows {_EXPECTED}")


def _opened(
    path: PathLike, root: PathLike | None, labels: Sequence[str] | None, lookup: Lookup | None
) -> tuple[list[_Row], Collector, dict[str, int]]:
    """Returns the rows, the collector of their videos, and the number of each class by its code."""
    rows = [*_rows(path)]
    codes, names = _classes(Path(path), rows, labels)
    if labels is not None and len(labels) != len(codes):
        raise ManifestError(
            f"{path}: has {len(codes)} classes ({', '.join(codes[:3])}, ...), but labels= has "
            f"{len(labels)}. Put Charades_v1_classes.txt next to it."
        )
    videos = Collector(path, root, lookup, names if labels is None else labels)
    if empty := sum(not row.actions for row in rows):
        videos.note(f"{empty:,} videos have no action")
    return rows, videos, {code: number for number, code in enumerate(codes)}


def _rows(path: PathLike) -> Iterator[_Row]:
    for origin, fields in read_csv(path, CHARADES_COLUMNS, _EXPECTED):
        length = _seconds(fields["length"], origin)
        actions = [
            _action(text, length, origin) for text in fields["actions"].split(";") if text.strip()
        ]
        yield _Row(origin, fields["id"], actions)


def _action(text: str, length: float, origin: str) -> _Action:
    match = _ACTION.fullmatch(text)
    if match is None:
        raise ManifestError(f"{origin}: {text[:80]!r} is not an action. Expected {_EXPECTED}.")
    start, end = (_seconds(time, origin) for time in match.groups()[1:])
    cut = start < length < end
    return _Action(Span(start, length if cut else end, "seconds"), match[1], cut)


def _seconds(text: str, origin: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ManifestError(f"{origin}: time {text!r} is not a number of seconds.") from None


def _classes(
    path: Path, rows: Sequence[_Row], labels: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Reads the codes and names of the classes from the file beside: `c000 Holding some clothes`.

    Without that file the codes serve as names, in the order of `labels` if it lists the codes.
    """
    beside = next((f for name in _CLASSES if (f := path.with_name(name)).is_file()), None)
    if beside is None:
        found = {action.code for row in rows for action in row.actions}
        codes = list(labels) if labels is not None and found <= set(labels) else sorted(found)
        return codes, codes
    lines = [line.partition(" ") for _, line in read_lines(beside, "'c000 Holding some clothes'")]
    check_names([code for code, *_ in lines], str(beside))
    names = check_names([name.strip() or code for code, _, name in lines], str(beside))
    return [code for code, *_ in lines], list(names)


def _number(code: str, numbers: dict[str, int], origin: str) -> int:
    if code not in numbers:
        raise ManifestError(
            f"{origin}: class {code!r} is not among the {len(numbers)} classes "
            f"({', '.join(list(numbers)[:3])}, ...). Take both files from one download."
        )
    return numbers[code]
