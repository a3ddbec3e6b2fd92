"""Something-Something V1 and V2, and Jester: ids with a class name each.

Their actions have a direction ("from left to right"), so their manifests are `directional`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from vdroppath_tf.data.lists.classes_beside import (
    chosen_classes,
    classes_beside,
    read_classes,
)
from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.csv_tables import delimiter_of, header_names, read_csv
from vdroppath_tf.data.lists.parts import part_folders, part_in_name
from vdroppath_tf.data.lists.segment_columns import segment_columns
from vdroppath_tf.data.lists.tables.headers import meanings
from vdroppath_tf.data.lists.text_files import (
    MAX_CLASSES,
    PathLike,
    load_json,
    read_lines,
    read_rows,
    start_of,
    whole_number,
)
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.sources.content import VIDEO_SUFFIXES
from vdroppath_tf.files import parse_json
from vdroppath_tf.names import named

JESTER_COLUMNS = ("video_id", "label", "label_id")

_ROW = "'id;label'"
_ITEM = '{"id": ..., "template": ...}'
_MEMBERS = {"id", "video_id", "template", "label", "placeholders"}
_AS_TABLE = "pass format='table' (--format=table)"
_FOLDERS = ("20bn-something-something-v1", "20bn-something-something-v2", "20bn-jester-v1")

_Row = tuple[str, str, str]
"""The place in the list, the id of the video, and its class."""


def is_id_and_class(line: str, path: Path) -> bool:
    """Returns whether a line has the form `id;label`.

    In a CSV file the id may be any name without a suffix, otherwise it must be a number. The label
    may be a number if a list of classes lies next to the file.

    Args:
        line: The first line of the file.
        path: The file.
    """
    key, _, name = (part.strip() for part in line.partition(";"))
    if not key or not name or ";" in name or meanings([key, name]) is not None:
        return False
    if os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES:
        return False
    if name.isdecimal():
        return key.isdecimal() and classes_beside(path).is_file()
    named_csv = path.suffix.lower() == ".csv" and re.fullmatch(r"[\w-]+", key) is not None
    return named_csv or key.isdecimal()


@named
def read_something_v1(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `something-something-v1-train.csv`, `jester-v1-train.csv` or `test-answers.csv`.

    Their rows are `id;label`. Jester's CSV from Kaggle (`video_id,label,...,label_id`) also numbers
    the classes.

    Args:
        path: The CSV file. The list of classes (`...-v1-labels.csv`, one class a line,
            `labels.json` or `category.txt`) must lie next to it, unless `labels` is passed. If the
            name of the CSV file ends in no part, the only file next to it whose name holds `label`
            is the list of classes.
        root: The folder of the videos, each a folder of frames (`100218/00001.jpg`), a zip or a
            video file; or the parent of the published folder. Defaults to the folder of the file.
        labels: The classes. Defaults to the list next to the file. A name in a row may differ from
            its class in case and punctuation, or be its number.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If a file is missing or damaged, or is a test part without labels; or a row
            names an unknown class, or a video that does not exist or is listed twice.

    Example:
        ```python
        manifest = read_something_v1(
            "something-v1/something-something-v1-train.csv", "something-v1/frames"
        )
        ```
    """
    first = start_of(path).lstrip().partition("\n")[0]
    if (delimiter := delimiter_of(first, JESTER_COLUMNS)) is not None:
        _check_whole(header_names(first, delimiter), f"{path}:1")
        return _read_kaggle(path, root, labels, lookup)
    rows = []
    for origin, row in read_rows(path, ";", _ROW):
        if len(row) != 2:
            raise ManifestError(
                f"{origin}: has {len(row)} of 2 fields ({row}). Expected {_ROW}; the test part has "
                "no labels."
            )
        rows.append((origin, row[0], row[1]))
    return _read(path, root, labels, lookup, rows)


@named
def read_something_v2(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `train.json` or `validation.json`: a list, or lines, of objects with `id`, `template`.

    The class is the template without its brackets, or else the `label`. Videos are `1234.webm`, or
    folders or zip files of frames; `labels.json` (`{"class": "0", ...}`) must lie next to the file.
    See `read_something_v1` for the errors.

    Args:
        path: The file.
        root: The folder of the videos. Defaults to the folder of the file.
        labels: The classes. Defaults to those in the list next to the file.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Example:
        ```python
        videos = "something-v2/20bn-something-something-v2"
        manifest = read_something_v2("something-v2/train.json", videos)
        ```
    """
    answers = Path(path).with_name(f"{Path(path).stem}-answers.csv")
    beside = f", which is next to it: pass {answers.name}" if answers.is_file() else ""
    rows = [_item(*item, beside) for item in _items(path)]
    return _read(path, root, labels, lookup, rows)


def _read(
    path: PathLike,
    root: PathLike | None,
    labels: Sequence[str] | None,
    lookup: Lookup | None,
    rows: Iterable[_Row],
) -> Manifest:
    beside = classes_beside(path)
    names = chosen_classes(read_classes(beside), labels, beside)
    videos = Collector(path, root, lookup, names)
    if beside.is_file():
        videos.note(f"classes are those of {beside.name}")
    return _collect(videos, rows, path)


def _read_kaggle(
    path: PathLike, root: PathLike | None, labels: Sequence[str] | None, lookup: Lookup | None
) -> Manifest:
    rows: list[_Row] = []
    numbers: dict[str, tuple[int, str]] = {}
    for origin, fields in read_csv(path, JESTER_COLUMNS, f"'{','.join(JESTER_COLUMNS)}'"):
        label = fields["label"]
        number = whole_number(fields["label_id"], "label_id", origin, 0, MAX_CLASSES - 1)
        before, place = numbers.setdefault(label, (number, origin))
        if before != number:
            raise ManifestError(
                f"{origin}: {label!r} has the number {number}, but {before} at {place}. Correct it."
            )
        rows.append((origin, fields["video_id"], label))
    names = sorted(numbers, key=lambda name: numbers[name][0])
    found = [numbers[name][0] for name in names]
    if labels is None and found != list(range(len(names))):
        raise ManifestError(
            f"{path}: its label_id are {found[:9]}. Expected each of "
            f"0 to {len(names) - 1} for one class; or pass the names of all classes as labels=, or "
            "in a labels.txt next to the list."
        )
    videos = Collector(path, root, lookup, names if labels is None else labels)
    return _collect(videos, rows, path)


def _collect(videos: Collector, rows: Iterable[_Row], path: PathLike) -> Manifest:
    folders = [*part_folders(videos.tree, part_in_name(path), str(path)), *_FOLDERS]
    for origin, key, name in rows:
        videos.add_named(folders, key, _number(videos, name, origin), origin)
    return videos.manifest("ids with a class each", directional=True)


def _number(videos: Collector, name: str, origin: str) -> int:
    """Returns the number of a class, from its name or from its number as text."""
    if name in videos.numbers or not (name.isascii() and name.isdecimal()):
        return videos.number(name, origin)
    videos.note("labels are the numbers of classes, counted from 0")
    return whole_number(name, "label", origin, 0, len(videos.numbers) - 1)


def _items(path: PathLike) -> Iterator[tuple[str, Any]]:
    """Yields place and value of each object, in a list or one a line."""
    if start_of(path).lstrip().startswith("{"):
        for origin, line in read_lines(path, _ITEM):
            try:
                yield origin, parse_json(line)
            except ValueError as error:
                raise ManifestError(f"{origin}: is not JSON ({error}). Expected {_ITEM}.") from None
        return
    for number, item in enumerate(load_json(path, list, f"a list of {_ITEM}")):
        yield f"{path}: item {number}", item


def _check_whole(names: Iterable[str], origin: str) -> None:
    """Raises an error for lists of segments, since these data sets have whole videos."""
    if times := segment_columns(tuple(names)):
        raise ManifestError(
            f"{origin}: has {' and '.join(map(repr, times))}, as lists of segments have, but "
            f"videos of this data set are whole. If it lists segments, {_AS_TABLE}; if not, remove "
            "these fields."
        )


def _item(origin: str, item: Any, answers: str) -> _Row:
    found = item if isinstance(item, dict) else {}
    if found.keys() - _MEMBERS:
        _check_whole(found, origin)
    key = found.get("id", found.get("video_id"))
    name = found.get("template", found.get("label"))
    if not _is_text(key) or not _is_text(name):
        raise ManifestError(
            f"{origin}: is {str(item)[:80]}. Expected {_ITEM}; the test part has no labels, or has "
            f"them in a file of answers{answers}. If this is a list of paths and classes, "
            f"{_AS_TABLE}."
        )
    return origin, str(key), re.sub(r"[\[\]]", "", str(name))


def _is_text(value: object) -> bool:
    """Returns whether a value is text, or a number that may be used as text."""
    return isinstance(value, str | int) and not isinstance(value, bool)
