"""Files that list several parts of a data set: one of them is chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import VideoTree
from vdroppath_tf.data.manifest import ManifestError

WORDS = {
    "train": frozenset({"train", "training"}),
    "validation": frozenset({"val", "valid", "validate", "validation", "dev"}),
    "test": frozenset({"test", "testing"}),
}
"""The parts of a data set, and what people call each: in lists, and in names of files and folders.
"""
PARTS = tuple(WORDS)
PART_WORDS = frozenset[str]().union(*WORDS.values())
"""All that people call a part."""


class Row(Protocol):
    """A row of a list."""

    @property
    def origin(self) -> str:
        """Where it is."""

    @property
    def part(self) -> str:
        """Its part of the data set; "" if it does not say."""


_Row = TypeVar("_Row", bound=Row)


def part_names(part: str) -> frozenset[str]:
    """What else a part of a data set may be called: val is validate is validation."""
    known = part_of(part)
    return frozenset({part.strip().lower()} - {""}) if known is None else WORDS[known]


def part_of(word: str) -> str | None:
    """The one of `PARTS` that a word is another name of; None for another word."""
    name = word.strip().lower()
    return next((part for part, words in WORDS.items() if name in words), None)


def choose_part(
    rows: Sequence[_Row], split: str | None, path: PathLike
) -> tuple[str, Sequence[_Row]]:
    """The part that is chosen, and its rows.

    Where rows do not say, the part is the one in the file's name, or "".

    Raises:
        ManifestError: there are several and none is chosen, or the chosen one is not there.
    """
    names = {part: _listed(part) for part in {row.part for row in rows}}
    first: dict[frozenset[str], _Row] = {}
    for row in rows:
        first.setdefault(names[row.part], row)
    there = ", ".join(repr(row.part) for row in first.values())
    if split is not None:
        wanted = _listed(str(split))
        if wanted not in first:
            raise ManifestError(
                f"{path}: has no split {split!r}. Expected one of those it lists: {there}."
            )
        return str(split), [row for row in rows if names[row.part] == wanted]
    if len(first) > 1:
        one, other = [*first.values()][:2]
        raise ManifestError(
            f"{other.origin}: is of the split {other.part!r}, but {one.origin} is of "
            f"{one.part!r}. Pass split= (--split for --data, --validation_split for --validation), "
            f"one of {there}."
        )
    part = rows[0].part or part_in_name(path)
    return part, rows


def _listed(part: str) -> frozenset[str]:
    """What else a part may be called in one list, where "dev" may stand beside "val"."""
    name = part.strip().lower()
    return frozenset({name}) if name == "dev" else part_names(name)


def part_in_name(path: PathLike) -> str:
    """The one part that a file's name names, or ""."""
    words = set(name_words(Path(path).stem))
    found = [sorted(names & words)[0] for names in WORDS.values() if names & words]
    return found[0] if len(found) == 1 else ""


def name_words(name: str) -> list[str]:
    """The words of a name, in small letters: train_256 has the word "train"."""
    return [word for word in re.split(r"[^a-z]+", name.lower()) if word]


def part_folders(tree: VideoTree, part: str, origin: str) -> list[str]:
    """The root and those of its folders that are called like a part, such as `val_256`."""
    found = [name for name, kind in tree.children("", origin) if kind == "frames"]
    return ["", *(name for name in found if part_names(part) & set(name_words(name)))]
