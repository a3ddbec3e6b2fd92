"""Moments in Time: `trainingSet.csv` with `moments_categories.txt` next to it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path

from vdroppath_tf.data.lists.collector import Collector
from vdroppath_tf.data.lists.parts import part_folders
from vdroppath_tf.data.lists.text_files import (
    MAX_CLASSES,
    PathLike,
    check_names,
    read_lines,
    read_rows,
    same_names,
    whole_number,
)
from vdroppath_tf.data.lists.video_tree import Lookup
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.names import named

CATEGORIES = "moments_categories.txt"
_PARTS = {"trainingset": "training", "validationset": "validation", "testingset": "testing"}
_EXPECTED = "'class/video.mp4,class,3,0', or 'class/video.mp4,12,207' of Multi-Moments"


@named
def read_moments(
    path: PathLike,
    root: PathLike | None = None,
    labels: Sequence[str] | None = None,
    *,
    lookup: Lookup | None = None,
) -> Manifest:
    """Reads `trainingSet.csv` of Moments in Time, or of Multi-Moments, which is multi-label.

    Args:
        path: The CSV file. `moments_categories.txt` next to it numbers the classes (`clapping,17`).
        root: The folder of the videos (`clapping/x.mp4`), or its parent, if it is named `training`.
            Defaults to the folder of the file.
        labels: The classes. Defaults to those of `moments_categories.txt`, or without it to the
            sorted labels.
        lookup: How names become videos. Defaults to `Lookup()`.

    Returns:
        The manifest.

    Raises:
        ManifestError: If a file is missing or damaged, or a row names an unknown class, or a video
            that does not exist or is listed twice.

    Example:
        ```python
        manifest = read_moments("Moments_in_Time_256x256_30fps/trainingSet.csv")
        ```
    """
    rows = [*_rows(path)]
    beside = Path(path).with_name(CATEGORIES)
    own = _categories(beside) if beside.is_file() else None
    names = labels if own is None else same_names(own, labels, str(beside))
    if names is None and not rows[0][2][0].isdecimal():
        names = sorted({classes[0] for _, _, classes in rows})
    videos = Collector(path, root, lookup, names)
    if own is None and labels is None:
        videos.note(f"{CATEGORIES} is not next to the list: classes are those of the list, sorted")
    part = next((p for name, p in _PARTS.items() if name in Path(path).stem.lower()), "")
    folders = part_folders(videos.tree, part, str(path))
    for origin, name, classes in rows:
        if classes[0].isdecimal():
            label: int | list[int] = [
                whole_number(text, "class", origin, 0, MAX_CLASSES - 1) for text in classes
            ]
        else:
            label = videos.number(classes[0], origin)
        top, stem = posixpath.split(posixpath.splitext(name)[0])
        videos.add_named([posixpath.join(folder, top) for folder in folders], stem, label, origin)
    return videos.manifest(f"rows {_EXPECTED}")


def _rows(path: PathLike) -> Iterable[tuple[str, str, list[str]]]:
    """Returns place, path and classes of each row: one class by name, or several by number."""
    rows = []
    for origin, row in read_rows(path, ",", _EXPECTED):
        if len(row) < 2 or not row[0] or not row[1]:
            raise ManifestError(f"{origin}: has {len(row)} fields ({row}). Expected {_EXPECTED}.")
        numbered = row[1].isdecimal()
        rows.append((origin, row[0], row[1:] if numbered else row[1:2]))
        if numbered != rows[0][2][0].isdecimal():
            raise ManifestError(
                f"{origin}: class is {row[1]!r}, but {rows[0][0]} has {rows[0][2][0]!r}. Expected "
                "names in all rows, or numbers."
            )
    if not rows:
        raise ManifestError(f"{path}: lists no video. Expected rows {_EXPECTED}.")
    return rows


def _categories(path: Path) -> tuple[str, ...]:
    """Returns the classes in the order of their numbers, from lines `clapping,17`."""
    numbers: dict[int, str] = {}
    for origin, line in read_lines(path, "'clapping,17'"):
        name, _, text = line.rpartition(",")
        number = whole_number(text.strip(), "number", origin, 0, MAX_CLASSES - 1)
        if number in numbers:
            raise ManifestError(f"{origin}: {numbers[number]!r} has the number {number} too.")
        numbers[number] = name.strip()
    if sorted(numbers) != list(range(len(numbers))):
        raise ManifestError(f"{path}: expected each of the numbers 0 to {len(numbers) - 1} once.")
    return check_names([numbers[number] for number in range(len(numbers))], str(path))
