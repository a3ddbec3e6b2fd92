"""Choice of one part of a data set from a file that lists several."""

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
"""The parts of a data set, with their names in lists, file names and folder names.
"""
PARTS = tuple(WORDS)
PART_WORDS = frozenset[str]().union(*WORDS.values())
"""All names of parts."""


class Row(Protocol):
    """A row of a list."""

    @property
    def origin(self) -> str:
        """The place of the row in the list."""

    @property
    def part(self) -> str:
        """The part of the data set; "" if the list does not give it."""


_Row = TypeVar("_Row", bound=Row)


def part_names(part: str) -> frozenset[str]:
    """Returns all names of a part of a data set: val, validate and validation are the same."""
    known = part_of(part)
    return frozenset({part.strip().lower()} - {""}) if known is None else WORDS[known]


def part_of(word: str) -> str | None:
    """Returns the one of `PARTS` that a word names; None for any other word."""
    name = word.strip().lower()
    return next((part for part, words in WORDS.items() if name in words), None)


def choose_part(
    rows: Sequence[_Row], split: str | None, path: PathLike
) -> tuple[str, Sequence[_Row]]:
    """Returns the chosen part and its rows.

    If rows have no part, the part is the one in the name of the file, or "".

    Raises:
        ManifestError: If there are several and none is chosen, or the chosen one does not exist.
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
    """Returns the other names of a part in one list, in which "dev" and "val" may both occur."""
    name = part.strip().lower()
    return frozenset({name}) if name == "dev" else part_names(name)


def part_in_name(path: PathLike) -> str:
    """Returns the only part that the name of a file names, or ""."""
    words = set(name_words(Path(path).stem))
    found = [sorted(names & words)[0] for names in WORDS.values() if names & words]
    return found[0] if len(found) == 1 else ""


def name_words(name: str) -> list[str]:
    """Returns the words of a name in lower case: train_256 has the word "train"."""
    return [word for word in re.split(r"[^a-z]+", name.lower()) if word]


def part_folders(tree: VideoTree, part: str, origin: str) -> list[str]:
    """Returns the root and its folders that are named like a part, such as `val_256`."""
    found = [name for name, kind in tree.children("", origin) if kind == "frames"]
    return ["", *(name for name in found if part_names(part) & set(name_words(name)))]
