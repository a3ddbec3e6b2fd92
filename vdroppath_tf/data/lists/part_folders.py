"""Parts of a data set as folders: `train`, `val` and `test`, each with class folders."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from vdroppath_tf.data.lists.class_order import in_order
from vdroppath_tf.data.lists.parts import PART_WORDS, PARTS, part_of
from vdroppath_tf.data.lists.text_files import PathLike
from vdroppath_tf.data.lists.video_tree import kind_of
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.frame_names import PICTURES
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.names import named

_NAME = re.compile(
    rf"({'|'.join(sorted(PART_WORDS))})"
    r"(?:[ _-]?(?:set|data|videos|clips|frames|split|[0-9]{3}))?",
    re.IGNORECASE,
)
_INSTEAD = {"validation": "test", "test": "validation"}
_DEEPEST = 4  # levels of folders that are searched for a video


@named
def parts_of(path: PathLike) -> dict[str, str]:
    """Finds the parts of a data set in a folder: the existing ones of `PARTS`, with their folders.

    Folders count as parts, not as classes, if there are at least two of them or one with folders of
    videos, and no other folder next to them holds videos.

    Args:
        path: The folder; anything else has no parts.

    Returns:
        The name of the folder for each part, in the order of `PARTS`.

    Raises:
        ManifestError: If another folder next to several parts holds videos, so that all may be
            classes; or if two folders belong to the same part.

    Example:
        ```python
        parts_of("dataset")  # {"train": "train", "validation": "val"}
        ```
    """
    if "://" in os.fspath(path) or not os.path.isdir(path):
        return {}
    names = folders_in(path)
    found: dict[str, list[str]] = {}
    for name in names:
        if part := is_part(name):
            found.setdefault(part, []).append(name)
    parts = [name for same in found.values() for name in same]
    if not found or (len(found) == 1 and (len(parts) > 1 or _has_direct(path, parts[0]))):
        return {}
    others = [n for n in names if n not in parts and holds_video(os.path.join(path, n))]
    if len(found) == 1 and others:
        return {}
    if others:
        raise ManifestError(
            f"{path}: its folders {', '.join(parts)} are parts of a data set, but {others[0]!r} "
            f"next to them holds videos too, so all may be classes. Pass one of the parts, such as "
            f"{os.path.join(path, parts[0])}, or a list file."
        )
    if twice := next((same for same in found.values() if len(same) > 1), None):
        raise ManifestError(
            f"{path}: {' and '.join(twice)} are the same part of a data set. Pass the one that you "
            f"mean, such as {os.path.join(path, twice[0])}."
        )
    return {part: found[part][0] for part in PARTS if part in found}


@named
def choose_part(path: PathLike, part: str | None) -> tuple[str, list[str]]:
    """Chooses the folder of a part.

    Args:
        path: The folder of the data set.
        part: One of `PARTS`, or None for a data set without parts. Test videos replace missing
            validation videos, and the other way round.

    Returns:
        The name of the folder with a slash, or "" without parts; and notes for the user.

    Raises:
        ManifestError: If there are parts, and none or a missing one was chosen; or see `parts_of`.

    Example:
        ```python
        folder, notes = choose_part("videos", "validation")  # "val/", ["the part 'val' is ..."]
        ```
    """
    name, said = choose_of(parts_of(path), path, part)
    return f"{name}/" if name else "", said


def choose_of(parts: Mapping[str, str], path: PathLike, part: str | None) -> tuple[str, list[str]]:
    """Returns the folder of a part among `parts`, and notes, see `choose_part`."""
    if part is not None and part not in PARTS:
        raise ManifestError(f"{path}: part is {part!r}, expected one of {', '.join(PARTS)}.")
    if not parts:
        if part is not None:
            raise ManifestError(
                f"{path}: holds no train and val or the like, so it has no part {part!r}. "
                "Leave part out."
            )
        return "", []
    shown = ", ".join(parts.values())
    if part is None:
        raise ManifestError(
            f"{path}: its folders {shown} are parts of a data set, not classes. Pass part= (one of "
            f"{', '.join(parts)}), or one of them, such as "
            f"{os.path.join(path, next(iter(parts.values())))}."
        )
    there = part if part in parts else _INSTEAD.get(part, part)
    if there not in parts:
        raise ManifestError(f"{path}: has no folder of the part {part!r}, but {shown}.")
    instead = "" if there == part else f", as there is no part {part!r}"
    rest = ", ".join(name for key, name in parts.items() if key != there)
    others = f"; other parts: {rest}" if rest else ""
    return parts[there], [f"the part {parts[there]!r} is taken{instead}{others}"]


def is_part(name: str) -> str | None:
    """Returns the part of a data set that a folder of this name stands for, or None."""
    match = _NAME.fullmatch(name)
    return None if match is None else part_of(match[1])


def folders_in(path: PathLike) -> list[str]:
    """Returns the names of a folder's sub-folders in class order, including broken links."""
    with os.scandir(path) as items:
        return in_order(
            item.name
            for item in items
            if not is_leftover(item.name)
            and (item.is_dir() or (item.is_symlink() and not os.path.exists(item.path)))
        )


def _has_direct(path: PathLike, name: str) -> bool:
    """Returns whether a folder directly holds videos or pictures, as only classes do."""
    try:
        with os.scandir(os.path.join(path, name)) as items:
            return any(
                kind_of(item) is not None or item.name.lower().endswith(PICTURES)
                for item in items
                if not is_leftover(item.name) and not item.is_dir()
            )
    except OSError:
        return False


def holds_video(path: str, depth: int = 0) -> bool:
    """Returns whether a folder, or a folder below it, holds a video or a picture."""
    try:
        with os.scandir(path) as items:
            found = [item for item in items if not is_leftover(item.name)]
    except OSError:
        return False
    files = (item for item in found if not item.is_dir())
    if any(item.name.lower().endswith(PICTURES) or kind_of(item) is not None for item in files):
        return True
    return depth < _DEEPEST and any(
        holds_video(item.path, depth + 1) for item in found if item.is_dir()
    )
