"""The list of classes next to a list of ids, in any of the forms in which it is published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from vdroppath_tf.data.lists.parts import PART_WORDS
from vdroppath_tf.data.lists.text_files import (
    MAX_CLASSES,
    PathLike,
    check_names,
    load_json,
    read_names,
    same_names,
    whole_number,
)
from vdroppath_tf.data.manifest import ManifestError

CATEGORIES = "category.txt"
"""The name of TSM's list of classes, which has one class a line."""

_LABELS = "labels"
_SUFFIXES = (".csv", ".json", ".txt")
_SIDES = {"left": "right", "right": "left", "leftwards": "rightwards", "rightwards": "leftwards"}
_PART = re.compile(rf"({'|'.join(sorted(PART_WORDS))})([-_]answers)?$", re.IGNORECASE)


def classes_beside(path: PathLike) -> Path:
    """Finds the list of classes: `...-labels.csv`, `labels.json` or `category.txt`.

    `x-train.csv` has `x-labels.csv` and `train.json` has `labels.json`. A list with another name
    has the only file next to it whose name holds `label`. A file is never its own list of classes.

    Returns:
        The file; if there is none, the expected one.

    Raises:
        ManifestError: If several files may be that list.
    """
    path = Path(path)
    stem = path.stem
    stem = _PART.sub(_LABELS, stem) if _PART.search(stem) else _LABELS
    if stem == path.stem:
        stem = f"{path.stem}-{_LABELS}"
    suffixes = dict.fromkeys((path.suffix, *_SUFFIXES))
    official = [path.with_name(stem + suffix) for suffix in suffixes]
    for file in (*official, path.with_name(_LABELS + ".json"), path.with_name(CATEGORIES)):
        if file.is_file() and file.name != path.name:
            return file
    others = sorted(
        other
        for other in path.parent.glob("*label*")
        if other.suffix.lower() in _SUFFIXES and other.is_file() and other.name != path.name
    )
    if len(others) > 1:
        raise ManifestError(
            f"{path}: its classes may be those of {' or '.join(each.name for each in others[:3])}. "
            f"Expected one list of classes next to it: name it {official[0].name}."
        )
    return others[0] if others else official[0]


def category_file(path: PathLike) -> Path | None:
    """Returns TSM's list of classes next to a list of videos; None if there is none."""
    beside = Path(path).with_name(CATEGORIES)
    return beside if beside.name != Path(path).name and beside.is_file() else None


def read_classes(path: Path) -> tuple[str, ...] | None:
    """Reads a list of classes, one a line or `{"class": "0", ...}`; None if it does not exist."""
    if not path.is_file():
        return None
    return _numbered(path) if path.suffix.lower() == ".json" else read_names(path)


def chosen_classes(
    own: Sequence[str] | None, labels: Sequence[str] | None, beside: Path
) -> tuple[str, ...]:
    """Returns the classes of the list beside, or those that the user passed.

    Raises:
        ManifestError: If there are none, or both and they differ.
    """
    if own is not None:
        return same_names(own, labels, str(beside))
    if labels is None:
        raise ManifestError(
            f"{beside}: is missing, and names the classes. Put it there, or pass the names as "
            "labels=, or in a labels.txt next to the list (--data); or, if this is a list of paths "
            "and classes, pass format='table' (--format=table): its classes are its sorted names."
        )
    return tuple(labels)


def _numbered(path: Path) -> tuple[str, ...]:
    """Returns class names in the order of their numbers, from `{"class": "0", ...}`."""
    numbers = {
        name: whole_number(str(number), f"number of {name!r}", str(path), 0, MAX_CLASSES - 1)
        for name, number in load_json(path, dict, '{"class": "0", ...}').items()
    }
    if sorted(numbers.values()) != list(range(len(numbers))):
        raise ManifestError(
            f"{path}: numbers {sorted(numbers.values())[:9]}... Expected each of 0 to "
            f"{len(numbers) - 1} once."
        )
    return check_names(sorted(numbers, key=lambda name: numbers[name]), str(path))


def have_direction(names: Iterable[str]) -> bool:
    """Returns whether two classes differ only by left and right, so that mirroring swaps them."""
    words = {tuple(re.findall(r"\w+", name.casefold())) for name in names}
    return any(_mirrored(name) in words - {name} for name in words)


def _mirrored(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_SIDES.get(word, word) for word in words)
