"""Parts of a data set that are folders: `train`, `val` and `test`, each with its class folders."""

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
_DEEPEST = 4  # folders that are looked into for a video


@named
def parts_of(path: PathLike) -> dict[str, str]:
    """The parts of a data set that a folder holds: each of `PARTS` there is, and its folder.

    Folders are parts, and no classes, if there are at least two of them or one with folders of
    videos, and nothing else beside them holds videos.

    Args:
        path: the folder, or anything else, which has no parts.

    Raises:
        ManifestError: a folder beside several parts holds videos, so that they may be classes; or
            two folders are of one part.
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
            f"beside them holds videos too, so all may be classes. Pass one of the parts, such as "
            f"{os.path.join(path, parts[0])}, or a list file."
        )
    if twice := next((same for same in found.values() if len(same) > 1), None):
        raise ManifestError(
            f"{path}: {' and '.join(twice)} are one part of a data set. Pass the one that is "
            f"meant, such as {os.path.join(path, twice[0])}."
        )
    return {part: found[part][0] for part in PARTS if part in found}


@named
def choose_part(path: PathLike, part: str | None) -> tuple[str, list[str]]:
    """The folder of a part: its name with a slash, or "" where there are no parts; and notes.

    Args:
        path: the folder of the data set.
        part: one of `PARTS`. Where there are no validation videos, the test videos stand for them,
            and the other way round.

    Raises:
        ManifestError: there are parts, and none or one that is not there was asked for; or see
            `parts_of`.
    """
    name, said = choose_of(parts_of(path), path, part)
    return f"{name}/" if name else "", said


def choose_of(parts: Mapping[str, str], path: PathLike, part: str | None) -> tuple[str, list[str]]:
    """What a part is called among `parts`, see `choose_part`."""
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
    beside = f"; beside it: {rest}" if rest else ""
    return parts[there], [f"the part {parts[there]!r} is taken{instead}{beside}"]


def is_part(name: str) -> str | None:
    """The part of a data set that a folder of this name is; None for another."""
    match = _NAME.fullmatch(name)
    return None if match is None else part_of(match[1])


def folders_in(path: PathLike) -> list[str]:
    """Names of the folders in a folder, in the order of classes; links to nothing among them."""
    with os.scandir(path) as items:
        return in_order(
            item.name
            for item in items
            if not is_leftover(item.name)
            and (item.is_dir() or (item.is_symlink() and not os.path.exists(item.path)))
        )


def _has_direct(path: PathLike, name: str) -> bool:
    """Whether a folder holds videos or pictures itself, as a class does and a part does not."""
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
    """Whether there is a video or a picture in a folder or in those below it."""
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
