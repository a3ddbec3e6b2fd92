"""Scans one class folder for videos, at any depth, and counts what is ignored."""

from __future__ import annotations

import dataclasses
import operator
import os
from collections import Counter
from typing import NamedTuple

from vdroppath_tf.data.lists.part_folders import holds_video
from vdroppath_tf.data.lists.video_tree import FRAMES_ZIP, VideoTree, kind_of
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.content import is_partial_download, is_video, videos_in_zip
from vdroppath_tf.data.sources.frame_kinds import NUMBERED, is_other, is_rgb
from vdroppath_tf.data.sources.frame_names import PICTURES
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.data.sources.source import FrameSource

_LOOKED = 32  # folders of a class that are inspected, if all of these hold frames
_DEEPEST = 8  # folders on the path of a video
_MOST_OTHERS = 20_000  # files that are not videos, in a class folder with few videos
_AXES = ({"u", "v"}, {"x", "y"}, {"flow_x", "flow_y"}, {"flow_u", "flow_v"})


class Video(NamedTuple):
    """A video of a class folder."""

    name: str
    kind: str
    source: FrameSource | None


@dataclasses.dataclass
class Contents:
    """The contents of a class folder.

    Attributes:
        videos: The path below the root, kind and source of each video, sorted; the source is None
            if it is still to be inspected, such as a link.
        empty: Folders that hold neither videos nor pictures.
        passed: The number of other files, by suffix.
        others: Folders of other pictures next to RGB frames, such as optical flow.
    """

    videos: list[Video] = dataclasses.field(default_factory=list)
    empty: list[str] = dataclasses.field(default_factory=list)
    passed: Counter[str] = dataclasses.field(default_factory=Counter)
    others: list[str] = dataclasses.field(default_factory=list)


class ClassScan:
    """Reads the class folders of one tree.

    Args:
        tree: The videos below the folder of class folders.
        kind: The kind of videos to read; None infers it.
    """

    def __init__(self, tree: VideoTree, kind: str | None) -> None:
        self._tree, self._kind = tree, kind
        self._open = [tree.root]

    def read(self, name: str) -> Contents:
        """Returns the contents of the class folder of this name.

        Raises:
            ManifestError: If a link leads out, the folder cannot be read, it is too deep, or a
                folder in it can be read in two ways.
        """
        found = Contents()
        self._read(name, os.path.join(self._tree.root, name), found)
        if self._kind is not None:
            found.videos = [video for video in found.videos if video.kind == self._kind]
        found.videos.sort(key=operator.itemgetter(0))
        return found

    def _read(self, folder: str, origin: str, found: Contents) -> None:
        real = self._tree.folder(folder, origin)
        if real in self._open:  # a link back to a folder above
            return
        if len(self._open) > _DEEPEST:
            raise ManifestError(
                f"{origin}: is too deep. Expected at most {_DEEPEST} folders above a video."
            )
        self._open.append(real)
        folders, files = [], 0
        for item in _items(real, origin):
            if item.is_dir():
                folders.append(item.name)
            elif (kind := kind_of(item)) is not None or _is_broken(item):
                plain = kind in ("videos", "zips") and item.is_file(follow_symlinks=False)
                inside = _videos_in(f"{real}/{item.name}") if plain and kind == "zips" else ()
                for name in inside:
                    video = self._tree.video(f"{real}/{item.name}!{name}")
                    found.videos.append(Video(f"{folder}/{item.name}!{name}", "videos", video))
                if not inside:
                    source = self._tree.of_file(f"{real}/{item.name}") if plain else None
                    found.videos.append(Video(f"{folder}/{item.name}", kind or "videos", source))
                files += 1
            else:
                found.passed[suffix_of(item.name)] += 1
                self._check_passed(folder, found)
        folders.sort()
        self._read_folders(folder, real, self._wanted(folder, folders, found), files, found)
        self._open.pop()

    def _check_passed(self, folder: str, found: Contents) -> None:
        """Raises an error if this seems to be a disk or a home folder, not a folder of videos."""
        others = found.passed.total()
        if others > _MOST_OTHERS and others > 10 * len(found.videos):
            raise ManifestError(
                f"{self._tree.root}: {folder} and folders before it in its class hold {others:,} "
                f"files that are not videos, and {len(found.videos):,} videos. Pass the folder of "
                "the class folders."
            )

    def _wanted(self, folder: str, names: list[str], found: Contents) -> list[str]:
        """Returns folders without those of flow, depth and the like next to RGB frames."""
        if not any(map(is_rgb, names)):
            return names
        others = [name for name in names if is_other(name)]
        found.others += [f"{folder}/{name}" for name in others]
        return [name for name in names if name not in others]

    def _read_folders(
        self, folder: str, real: str, names: list[str], files: int, found: Contents
    ) -> None:
        few = names if files else names[:: max(1, len(names) // _LOOKED)]
        looks = {name: self._look(f"{real}/{name}", f"{folder}/{name}") for name in few}
        alike = set(looks.values()) == {"frames"}
        for name in names:
            path = f"{folder}/{name}"
            look = looks.get(name) or ("frames" if alike else None)
            if (look or self._look(f"{real}/{name}", path)) == "frames":
                found.videos.append(Video(path, "frames", None))
            elif look == "empty":
                found.empty.append(path)
            else:
                self._read(path, f"{real}/{name}", found)

    def _look(self, path: str, name: str) -> str:
        """Returns "frames" if a folder is a video, "inside" if it holds some, or "empty"."""
        self._tree.folder(name, path)  # raises if a link leads out
        pictures, videos, folders = [], [], set()
        for item in _items(path, path):
            if item.name == FRAMES_ZIP:
                return "frames"
            if item.is_dir():
                folders.add(item.name)
            elif _is_picture(item):
                pictures.append(item.name)
            elif kind_of(item) is not None or _is_broken(item):
                videos.append(item.name)
        if pictures and videos and not _are_covers(pictures, videos):
            return self._of_both(path)
        if pictures and not videos:
            return self._of_pictures(path, pictures, folders)
        if videos:
            return "inside"
        if folders and not any(axes == {name.lower() for name in folders} for axes in _AXES):
            return "inside"
        return "frames" if folders else "empty"

    def _of_pictures(self, path: str, pictures: list[str], folders: set[str]) -> str:
        """Decides whether pictures are a video, or covers of videos in folders next to them."""
        beside = [name for name in sorted(folders) if not is_other(name)]
        paths = {name: f"{path}/{name}" for name in beside}
        inside = [k for k, p in paths.items() if self._tree.stays(p) and holds_video(p)]
        if not inside:
            return "frames"
        if self._kind not in (None, "frames") or _are_covers(pictures, inside):
            return "inside"
        raise ManifestError(
            f"{path}: holds numbered pictures, such as {min(pictures)!r}, next to folders of "
            f"videos or pictures, such as {inside[0]!r}, so it may be one video or several. Remove "
            "those that you do not mean, or list the videos in a file."
        )

    def _of_both(self, path: str) -> str:
        if self._kind is None:
            raise ManifestError(
                f"{path}: holds both pictures and videos. Pass format='folders-of-videos' or "
                "'folders-of-frames' (--format=...) to take one kind."
            )
        return "frames" if self._kind == "frames" else "inside"


def _videos_in(archive: str) -> tuple[str, ...]:
    try:
        return videos_in_zip(archive)
    except ValueError as error:
        raise ManifestError(str(error)) from None


def _items(folder: str, origin: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return [item for item in items if not is_leftover(item.name)]
    except OSError as error:
        raise ManifestError(f"{origin}: cannot be read ({error}). Check its permissions.") from None


def _is_picture(item: os.DirEntry[str]) -> bool:
    if not item.name.lower().endswith(PICTURES):
        return False
    return not (item.name.lower().endswith(".webp") and is_video(item.path))  # may be animated


def _is_broken(item: os.DirEntry[str]) -> bool:
    """Returns whether this is a broken link that may stand for a video, to be reported later."""
    return (
        item.is_symlink() and not os.path.splitext(item.name)[1] and not os.path.exists(item.path)
    )


def _are_covers(pictures: list[str], videos: list[str]) -> bool:
    """Returns whether pictures are covers: named like the videos next to them, or not numbered."""
    stems = {os.path.splitext(name)[0] for name in videos} | {*videos}
    if all(os.path.splitext(name)[0] in stems for name in pictures):
        return True
    return not any(NUMBERED.fullmatch(name) for name in pictures)


def suffix_of(name: str) -> str:
    """Returns the category under which a file that is not a video is counted."""
    if is_partial_download(name):
        return "partial downloads"
    return os.path.splitext(name)[1].lower() or "without a suffix"
