"""Checks on class folders before their names become labels, and the notes about them."""

from __future__ import annotations

import operator
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from vdroppath_tf.data.lists.class_scan import Contents, Video, suffix_of
from vdroppath_tf.data.lists.part_folders import is_part
from vdroppath_tf.data.lists.parts import PARTS
from vdroppath_tf.data.lists.video_tree import kind_of
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.leftovers import is_leftover

EXPECTED = {
    "videos": "video files such as .mp4, .avi, .webm",
    "frames": "folders of pictures",
    "zips": ".zip files of pictures",
    "hdf5": ".h5 files of frames",
}
"""The contents of a class folder, for each kind of videos."""
_SAID = 5  # names that a note lists


def without_documents(
    read: Mapping[str, Contents], labels: Sequence[str] | None
) -> tuple[dict[str, Contents], list[str]]:
    """Separates class folders from folders that hold only other files, such as lists."""
    others = [
        name
        for name, found in read.items()
        if not (found.videos or found.empty or name in (labels or ()))
        and found.passed
        and not found.passed["partial downloads"]
    ]
    return {name: found for name, found in read.items() if name not in others}, others


def settle_kinds(read: Mapping[str, Contents], kind: str | None, folder: str) -> None:
    """Counts empty folders as folders of frames, unless there are videos of another kind.

    Raises:
        ManifestError: If there are videos of two kinds.
    """
    first = kind
    for name, found in read.items():
        for video in found.videos:
            first = first or video.kind
            if video.kind != first:
                last = video.name.rpartition("/")[2]
                raise ManifestError(
                    f"{folder}{name}: {last!r} is not of the kind {first!r}, as videos before it "
                    f"are. Pass format='folders-of-{first}' (--format=folders-of-{first}) or "
                    f"format='folders-of-{video.kind}' (--format=folders-of-{video.kind}) to take "
                    "one kind."
                )
    for found in read.values():
        if first in (None, "frames"):
            found.videos += [Video(empty, "frames", None) for empty in found.empty]
            found.videos.sort(key=operator.itemgetter(0))
            found.empty = []


def class_level(videos: Mapping[str, Sequence[str]], asked: int | None, folder: str) -> int:
    """Returns which folder on the path of a video is its class: 1 for the first, 2 for the second.

    Args:
        videos: For each first folder its videos, as paths that start with that folder.
        asked: The user's choice; None infers it.
        folder: The folder of the data set, for errors.

    Raises:
        ManifestError: If the paths of the videos have fewer folders; or nothing was chosen, and
            the class may be the first folder or the second.
    """
    if asked in (None, 1) and any(
        name.count("/") == 1 for each in videos.values() for name in each
    ):
        return 1
    paths = {first: [name.split("/") for name in names] for first, names in videos.items()}
    if asked is not None:
        short = next((p for names in paths.values() for p in names if len(p) <= asked), None)
        if asked < 1 or short is not None:
            where = f": {'/'.join(short)!r} has fewer folders" if short else ""
            raise ManifestError(f"{folder}: class_level (--class_level) is {asked}{where}.")
        return asked
    second = {first: {path[1] for path in names} for first, names in paths.items() if names}
    for first, names in second.items():
        if len({is_part(name) for name in names} - {None}) > 1:
            raise ManifestError(
                f"{folder}{first}: holds parts of a data set ({', '.join(sorted(names))}), and no "
                f"videos next to them. Expected folders {' or '.join(PARTS)} above those of the "
                "classes, or a list file for each part."
            )
    counted = Counter(name for names in second.values() for name in names)
    if second and (len(second) == 1 or max(counted.values()) > 1):
        first, names = next(iter(second.items()))
        few = f"{first}/{min(names)}"
        raise ManifestError(
            f"{folder}: all its videos lie two folders deep, as in {few}/, so that the first "
            "folder or the second may be the class. Pass Lookup(class_level=1) or 2 "
            "(--class_level=1, --class_level=2)."
        )
    return 1


def nothing_found(read: Mapping[str, Contents], kind: str | None) -> str:
    """Describes class folders without a video, for an error."""
    wanted = EXPECTED.values() if kind is None else [EXPECTED[kind]]
    return f"holds no video. Expected {', or '.join(wanted)}{found_instead(read)}."


def found_instead(read: Mapping[str, Contents]) -> str:
    """Lists the other files in the folders, for the end of a sentence."""
    total: Counter[str] = Counter()
    for found in read.values():
        total += found.passed
    few = ", ".join(f"{count:,} {suffix}" for suffix, count in total.most_common(_SAID))
    return f"; found {few}" if few else ""


def notes_on(
    read: Mapping[str, Contents],
    videos: Mapping[str, Sequence[str]],
    documents: Sequence[str],
    level: int,
) -> list[str]:
    """Returns notes about assumptions and about what was ignored.

    Args:
        read: The contents of the class folders.
        videos: See `class_level`.
        documents: The folders that are not classes.
        level: Which folder on the path of a video is its class.
    """
    total: Counter[str] = Counter()
    for found in read.values():
        total += found.passed
    said = []
    if documents:
        said.append(f"not classes, as they hold other files but no video: {_few(documents)}")
    if total:
        few = ", ".join(f"{count:,} {suffix}" for suffix, count in total.most_common(_SAID))
        said.append(f"ignored files, which are not videos: {few}")
    if others := [name for found in read.values() for name in found.others]:
        said.append(f"ignored folders of pictures that are not RGB frames: {_few(others)}")
    if empty := [name for found in read.values() for name in found.empty]:
        said.append(f"ignored empty folders: {_few(empty)}")
    without = [name for name, found in read.items() if not found.videos]
    if without and level == 1:
        said.append(f"classes without a video: {_few(without)}")
    deep = [one for names in videos.values() for one in names if one.count("/") > 1]
    if deep:
        which = "the first folder" if level == 1 else f"folder {level}"
        said.append(
            f"videos lie in folders below the classes, as {deep[0]!r}: {which} is the class"
        )
    return said


def note_on_files(folders: Iterable[str]) -> str | None:
    """Returns a note about the files next to the class folders, which belong to no class.

    Args:
        folders: The folders that hold the class folders, and the parts of the data set.
    """
    videos, others = [], Counter[str]()
    for folder in folders:
        with os.scandir(folder) as items:
            for item in items:
                if item.is_dir() or is_leftover(item.name):
                    continue
                if item.is_symlink() or kind_of(item) is None:
                    others[suffix_of(item.name)] += 1
                else:
                    videos.append(item.name)
    said = [f"{len(videos):,} videos ({_few(sorted(videos))})"] if videos else []
    said += [f"{count:,} {suffix}" for suffix, count in others.most_common(_SAID)]
    return f"ignored files next to the class folders: {', '.join(said)}" if said else None


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SAID:,} more" if len(names) > _SAID else ""
    return f"{', '.join(names[:_SAID])}{more}"
