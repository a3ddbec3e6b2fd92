"""Which videos there are and what they show: lists and class folders become a `Manifest`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from vdroppath_tf.data.frame_index import MAX_FRAMES
from vdroppath_tf.data.manifest import Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.record_index import holds_records
from vdroppath_tf.data.video_file import VideoFile

__all__ = ["Manifest", "ManifestError", "VideoEntry", "open_manifest", "read_folder", "read_list"]

SUFFIXES = (".mp4", ".avi", ".webm", ".mkv", ".mov")
"""Files that are taken for videos inside class folders."""
MAX_LINE = 4096
"""Longer lines of a list are refused (characters)."""
MAX_CLASSES = 100_000
"""Labels from here on are refused: more likely a column mixed up than a class."""


def open_manifest(
    source: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Manifest:
    """Reads a list file (`read_list`), a folder of class folders (`read_folder`) or of records.

    Args:
        source: a list file, a folder, or the URL of a folder of records (`read_records`).
        root: folder the list's paths start from; see `read_list`.
        labels: names of the classes; for a folder, its class folders must be among them.

    Raises:
        ManifestError: see `read_list`, `read_folder` and `read_records`.
    """
    if root is not None and (os.path.isdir(source) or holds_records(source)):
        raise ManifestError(f"{source}: root is for list files, but this is a folder.")
    if holds_records(source):
        from vdroppath_tf.data.records import read_records  # imports TensorFlow, for protobuf

        return read_records(source, labels=labels)
    if os.path.isdir(source):
        return read_folder(source, labels=labels)
    return read_list(source, root=root, labels=labels)


def read_list(
    path: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Manifest:
    """Reads a list of videos, one line each: `path num_frames label`. Decodes nothing.

    Paths may contain spaces. UTF-8, with or without byte order mark, with either line end; blank
    lines are skipped.

    Args:
        path: the list file.
        root: folder the paths start from, and must stay in; default the list's own folder.
        labels: names of the classes; default the numbers from 0 to the largest label.

    Raises:
        ManifestError: the list is missing, empty or not UTF-8; a line lacks a field, holds a number
            that is none or out of range, a path that leaves `root` or leads to no file, or names a
            video twice. Names the file, the line and the value.
    """
    base = Path(path).parent if root is None else Path(root)
    if root is not None and not base.is_dir():
        raise ManifestError(f"{path}: its root {base} is not a folder. Pass root=.")
    real_root = os.path.realpath(base)
    seen: dict[str, str] = {}
    entries = []
    for origin, line in _lines(path):
        name, frames, label = _fields(line, origin)
        count = _number(frames, "num_frames", origin, 1, MAX_FRAMES)
        number = _number(label, "label", origin, 0, MAX_CLASSES - 1)
        if labels is not None and number >= len(labels):
            raise ManifestError(
                f"{origin}: label {number} has no name: expected 0 to {len(labels) - 1}, as "
                f"{len(labels)} class names are given."
            )
        file = _inside(real_root, name, origin)
        if file in seen:
            raise ManifestError(
                f"{origin}: {name!r} is listed already at {seen[file]}. Remove one."
            )
        seen[file] = origin
        entries.append(VideoEntry(VideoFile(file), number, count, origin))
    if not entries:
        raise ManifestError(f"{path}: lists no video. Expected lines 'path num_frames label'.")
    names = labels if labels is not None else range(1 + max(e.label for e in entries))
    return Manifest(tuple(entries), tuple(str(n) for n in names), os.path.abspath(path))


def read_folder(root: str | os.PathLike[str], *, labels: Sequence[str] | None = None) -> Manifest:
    """Reads a folder with one folder of videos a class; the sorted folder names are the classes.

    Args:
        root: the folder. Names that start with a dot and files that are no videos are passed over.
        labels: names of the classes in their order; default the folders found.

    Raises:
        ManifestError: the folder is missing, holds no class folder, a class without videos, a class
            that `labels` lacks, or a video that leads out of it.
    """
    if not os.path.isdir(root):
        raise ManifestError(f"{root}: is not a folder. Expected a folder of class folders.")
    real_root = os.path.realpath(root)
    found = sorted(f.name for f in os.scandir(real_root) if f.is_dir() and f.name[0] != ".")
    if not found:
        raise ManifestError(
            f"{root}: holds no class folders. Expected class_name/video.mp4, or pass a list file."
        )
    names = found if labels is None else list(labels)
    if unknown := [name for name in found if name not in names]:
        raise ManifestError(f"{root}: class folder {unknown[0]!r} is not among the labels {names}.")
    entries: list[VideoEntry] = []
    for name in found:
        folder = os.path.join(real_root, name)
        videos = sorted(f for f in os.listdir(folder) if _is_video(f))
        if not videos:
            raise ManifestError(f"{folder}: holds no video. Expected {', '.join(SUFFIXES)} files.")
        for video in videos:
            file = _inside(real_root, f"{name}/{video}", folder)
            entries.append(VideoEntry(VideoFile(file), names.index(name), None, folder))
    return Manifest(tuple(entries), tuple(names), os.path.abspath(root))


def _is_video(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _lines(path: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """`(file:line, text)` for every line that is not blank."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            number = 0
            while line := file.readline(MAX_LINE + 2):
                number += 1
                origin = f"{path}:{number}"
                if len(line.rstrip("\n")) > MAX_LINE:
                    raise ManifestError(
                        f"{origin}: is longer than {MAX_LINE} characters ({line[:40]!r}...). "
                        "Expected 'path num_frames label'."
                    )
                if line.strip():
                    yield origin, line.strip()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: is not UTF-8 text ({error}). Save it as UTF-8.") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error}). Check the path.") from None


def _fields(line: str, origin: str) -> list[str]:
    fields = line.rsplit(maxsplit=2)
    if len(fields) < 3:
        raise ManifestError(
            f"{origin}: has {len(fields)} of 3 fields ({line!r}). Expected 'path num_frames label'."
        )
    return fields


def _number(text: str, field: str, origin: str, low: int, high: int) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text) is None:
        raise ManifestError(
            f"{origin}: {field} {text!r} is not a whole number. Expected 'path num_frames label'."
        )
    if not low <= int(text) <= high:
        raise ManifestError(f"{origin}: {field} is {text}, expected {low} to {high}.")
    return int(text)


def _inside(real_root: str, name: str, origin: str) -> str:
    """The real path of a file under the root; lists come from others, so they may not point out."""
    if "\0" in name or os.path.isabs(name) or ".." in Path(name).parts:
        raise ManifestError(
            f"{origin}: path {name!r} leaves the root {real_root}. Expected a path below it; pass "
            "root= if the videos are elsewhere."
        )
    file = os.path.realpath(os.path.join(real_root, name))
    if os.path.commonpath((file, real_root)) != real_root:
        raise ManifestError(
            f"{origin}: path {name!r} leaves the root {real_root} through a link, to {file}. Pass "
            "as root= a folder that holds both."
        )
    if not os.path.isfile(file):
        raise ManifestError(f"{origin}: there is no file {name!r} in {real_root}. Check root=.")
    return file
