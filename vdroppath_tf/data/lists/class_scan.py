"""What lies in one class folder: its videos, at any depth, and what is passed over."""

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

_LOOKED = 32  # folders of a class that are looked into, if all of these hold frames
_DEEPEST = 8  # folders on the way to a video
_MOST_OTHERS = 20_000  # files that are no videos, in a class folder with few videos
_AXES = ({"u", "v"}, {"x", "y"}, {"flow_x", "flow_y"}, {"flow_u", "flow_v"})


class Video(NamedTuple):
    """A video of a class folder."""

    name: str
    kind: str
    source: FrameSource | None


@dataclasses.dataclass
class Contents:
    """What a class folder holds.

    Attributes:
        videos: Name below the root, kind and source of each video, sorted; None for the source of
            what is still to be looked at, such as a link.
        empty: Folders that hold neither videos nor pictures.
        passed: Number of other files, by their suffix.
        others: Folders of something else than RGB frames beside RGB frames, such as flow.
    """

    videos: list[Video] = dataclasses.field(default_factory=list)
    empty: list[str] = dataclasses.field(default_factory=list)
    passed: Counter[str] = dataclasses.field(default_factory=Counter)
    others: list[str] = dataclasses.field(default_factory=list)


class ClassScan:
    """Reads class folders of one tree.

    Args:
        tree: The videos below the folder of class folders.
        kind: The kind of videos that is wanted; None if it is to be found out.
    """

    def __init__(self, tree: VideoTree, kind: str | None) -> None:
        self._tree, self._kind = tree, kind
        self._open = [tree.root]

    def read(self, name: str) -> Contents:
        """What the class folder of this name holds.

        Raises:
            ManifestError: A link leads out, the folder cannot be read, it is too deep, or a folder
                in it can be read in two ways.
        """
        found = Contents()
        self._read(name, os.path.join(self._tree.root, name), found)
        if self._kind is not None:
            found.videos = [video for video in found.videos if video.kind == self._kind]
        found.videos.sort(key=operator.itemgetter(0))
        return found

    def _read(self, folder: str, origin: str, found: Contents) -> None:
        real = self._tree.folder(folder, origin)
        if real in self._open:  # a link that leads back
            return
        if len(self._open) > _DEEPEST:
            raise ManifestError(
                f"{origin}: lies too deep. Expected at most {_DEEPEST} folders above a video."
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
        """Stops where this is no folder of videos, but a disk or a home."""
        others = found.passed.total()
        if others > _MOST_OTHERS and others > 10 * len(found.videos):
            raise ManifestError(
                f"{self._tree.root}: {folder} and folders before it in its class hold {others:,} "
                f"files that are no videos, and {len(found.videos):,} videos. Pass the folder of "
                "the class folders."
            )

    def _wanted(self, folder: str, names: list[str], found: Contents) -> list[str]:
        """Folders without those of flow, depth and the like beside RGB frames."""
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
        """Whether a folder is a video ("frames"), holds some ("inside"), or nothing ("empty")."""
        self._tree.folder(name, path)  # no link leads out
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
        """A video by its pictures, unless these are covers of videos in folders beside them."""
        beside = [name for name in sorted(folders) if not is_other(name)]
        paths = {name: f"{path}/{name}" for name in beside}
        inside = [k for k, p in paths.items() if self._tree.stays(p) and holds_video(p)]
        if not inside:
            return "frames"
        if self._kind not in (None, "frames") or _are_covers(pictures, inside):
            return "inside"
        raise ManifestError(
            f"{path}: holds numbered pictures, such as {min(pictures)!r}, beside folders of videos "
            f"or pictures, such as {inside[0]!r}, so it may be one video or several. Move away "
            "which are not meant, or list the videos in a file."
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
    return not (item.name.lower().endswith(".webp") and is_video(item.path))  # it may be a film


def _is_broken(item: os.DirEntry[str]) -> bool:
    """Whether this is a link to nothing that may be meant for a video, so somebody must be told."""
    return (
        item.is_symlink() and not os.path.splitext(item.name)[1] and not os.path.exists(item.path)
    )


def _are_covers(pictures: list[str], videos: list[str]) -> bool:
    """Whether pictures are of what is beside them: called like it, or not numbered at all."""
    stems = {os.path.splitext(name)[0] for name in videos} | {*videos}
    if all(os.path.splitext(name)[0] in stems for name in pictures):
        return True
    return not any(NUMBERED.fullmatch(name) for name in pictures)


def suffix_of(name: str) -> str:
    """What a file that is no video is counted as."""
    if is_partial_download(name):
        return "partial downloads"
    return os.path.splitext(name)[1].lower() or "without a suffix"
