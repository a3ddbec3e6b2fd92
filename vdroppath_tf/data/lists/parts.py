"""Files that list several parts of a data set: one of them is chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import VideoTree
from vdroppath_tf.data.manifest import ManifestError

PARTS = (
    frozenset({"train", "training"}),
    frozenset({"val", "valid", "validate", "validation"}),
    frozenset({"test", "testing"}),
)
"""What people call the parts of a data set."""


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
    name = part.strip().lower()
    return next((names for names in PARTS if name in names), frozenset({name} - {""}))


def choose_part(
    rows: Sequence[_Row], split: str | None, path: PathLike
) -> tuple[str, Sequence[_Row]]:
    """The part that is chosen, and its rows.

    Where rows do not say, the part is the one in the file's name, or "".

    Raises:
        ManifestError: there are several and none is chosen, or the chosen one is not there.
    """
    first: dict[frozenset[str], _Row] = {}
    for row in rows:
        first.setdefault(part_names(row.part), row)
    there = ", ".join(repr(row.part) for row in first.values())
    if split is not None:
        if part_names(str(split)) not in first:
            raise ManifestError(
                f"{path}: has no split {split!r}. Expected one of those it lists: {there}."
            )
        return str(split), [row for row in rows if part_names(row.part) == part_names(str(split))]
    if len(first) > 1:
        one, other = [*first.values()][:2]
        raise ManifestError(
            f"{other.origin}: is of the split {other.part!r}, but {one.origin} is of "
            f"{one.part!r}. Pass split= (--split for --data, --validation_split for --validation), "
            f"one of {there}."
        )
    part = rows[0].part or part_in_name(path)
    return part, rows


def part_in_name(path: PathLike) -> str:
    """The one part that a file's name names, or ""."""
    words = set(name_words(Path(path).stem))
    found = [sorted(names & words)[0] for names in PARTS if names & words]
    return found[0] if len(found) == 1 else ""


def name_words(name: str) -> list[str]:
    """The words of a name, in small letters: train_256 has the word "train"."""
    return [word for word in re.split(r"[^a-z]+", name.lower()) if word]


def part_folders(tree: VideoTree, part: str, origin: str) -> list[str]:
    """The root and those of its folders that are called like a part, such as `val_256`."""
    found = [name for name, kind in tree.children("", origin) if kind == "frames"]
    return ["", *(name for name in found if part_names(part) & set(name_words(name)))]
