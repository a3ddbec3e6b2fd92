"""The list of classes that lies beside a list of ids, in any of the forms it is published in."""

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
"""What TSM calls its list of classes, one a line."""

_LABELS = "labels"
_SUFFIXES = (".csv", ".json", ".txt")
_SIDES = {"left": "right", "right": "left", "leftwards": "rightwards", "rightwards": "leftwards"}
_PART = re.compile(rf"({'|'.join(sorted(PART_WORDS))})([-_]answers)?$", re.IGNORECASE)


def classes_beside(path: PathLike) -> Path:
    """`...-labels.csv` for `...-train.csv`, `labels.json` for `train.json`; else `category.txt`.

    A list of another name has the one list of classes that lies beside it. It is never its own.

    Returns:
        The file; where there is none, the one that is expected.

    Raises:
        ManifestError: several may be that list.
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
            f"Expected one list of classes beside it: call it {official[0].name}."
        )
    return others[0] if others else official[0]


def category_file(path: PathLike) -> Path | None:
    """TSM's list of classes beside a list of videos; None if there is none."""
    beside = Path(path).with_name(CATEGORIES)
    return beside if beside.name != Path(path).name and beside.is_file() else None


def read_classes(path: Path) -> tuple[str, ...] | None:
    """The names of a list of classes, one a line or `{"class": "0", ...}`; None if not there."""
    if not path.is_file():
        return None
    return _numbered(path) if path.suffix.lower() == ".json" else read_names(path)


def chosen_classes(
    own: Sequence[str] | None, labels: Sequence[str] | None, beside: Path
) -> tuple[str, ...]:
    """The classes of the list beside, or those that are given.

    Raises:
        ManifestError: there are none, or both and they differ.
    """
    if own is not None:
        return same_names(own, labels, str(beside))
    if labels is None:
        raise ManifestError(
            f"{beside}: is missing, and names the classes. Put it there, or pass the names as "
            "labels=, or in a labels.txt beside the list (--data); or, if this is a list of paths "
            "and classes, pass format='table' (--format=table): its classes are its sorted names."
        )
    return tuple(labels)


def _numbered(path: Path) -> tuple[str, ...]:
    """Class names by number, out of `{"class": "0", ...}`."""
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
    """Whether two classes differ by left and right only: a mirrored video shows the other one."""
    words = {tuple(re.findall(r"\w+", name.casefold())) for name in names}
    return any(_mirrored(name) in words - {name} for name in words)


def _mirrored(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_SIDES.get(word, word) for word in words)
