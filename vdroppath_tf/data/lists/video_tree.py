"""From names that others wrote to videos below one folder, which they cannot leave.

A name costs one `lstat`: folders on the way are read once and remembered, and only links
are resolved. What is found there decides what kind of source it is.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import posixpath
import stat

from vdroppath_tf.data.lists.members import split_member
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.sources.content import VIDEO_SUFFIXES, is_video
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.frame_names import PICTURES
from vdroppath_tf.data.sources.hdf5 import Hdf5Frames
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.data.sources.source import FrameSource
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.data.sources.zip import FrameZip
from vdroppath_tf.data.sources.zipped_file import can_be_listed, is_there
from vdroppath_tf.names import named

_USUAL = frozenset((".mp4", ".avi", ".webm", ".mkv", ".mov"))  # known without a question
ARCHIVES = {".zip": "zips", ".h5": "hdf5", ".hdf5": "hdf5"}
"""Files that hold the frames of one video, and what this kind of video is called."""
FRAMES_ZIP = "RGB_frames.zip"
"""A folder that holds this is a video: the archive of its frames."""
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


@named
@dataclasses.dataclass(frozen=True)
class Lookup:
    """How names become videos; every format takes one.

    Attributes:
        template: file names of a video's frames, such as `"{:05d}.jpg"`; None finds it out.
        first_frame: number of the first of them; None takes 0 or 1, whichever is there.
        allow_missing: whether videos that are listed and not there are left out and counted;
            None does what is usual for the format.
        allow_links_to: folders that links may lead into, such as that of the videos of which
            links make a split. Links below the root are followed in any case.
        allow_empty: whether class folders may be without a video; they keep their number then,
            and are named in `Manifest.notes`.
        class_level: which of the folders on the way to a video is its class, of class folders: 1
            is the first, and 2 the second, as in `subject/class/a.mp4`; None takes the first, if
            nothing speaks for another.
        video_stream: number of the video stream to read of each file, from 0, attached pictures
            not counted; None takes the one that a player shows.
        allow_two_labels: whether a video (or a segment) that is listed with two labels is kept
            with each; else it is an error.
        allow_open_end: whether recordings (MPEG-TS, MPEG-PS, bare streams) that end inside a
            frame, as they are still being written or were cut short, are read up to their last
            whole frame; else they are videos that cannot be read.
    """

    template: str | None = None
    first_frame: int | None = None
    allow_missing: bool | None = None
    allow_links_to: tuple[str, ...] = ()
    allow_empty: bool = True
    class_level: int | None = None
    video_stream: int | None = None
    allow_two_labels: bool = False
    allow_open_end: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.allow_links_to, str):
            raise ValueError(
                f"allow_links_to must be several folders. Received: {self.allow_links_to!r}."
            )
        object.__setattr__(self, "allow_links_to", tuple(map(os.fspath, self.allow_links_to)))

    def for_downloads(self) -> Lookup:
        """The same, for a data set of which not all was downloaded: what is missing is left out."""
        if self.allow_missing is not None:
            return self
        return dataclasses.replace(self, allow_missing=True)


class MissingVideoError(ManifestError):
    """A name leads to nothing."""


@named
class VideoTree:
    """The videos below one folder, by name.

    Args:
        root: the folder; every link in it must stay in it, or lead where `lookup` allows.
        lookup: how to read them.
        source: the list that names them, for errors.

    Raises:
        ManifestError: the folder is none, or one that links may lead to.
    """

    def __init__(self, root: str | os.PathLike[str], lookup: Lookup, source: str) -> None:
        if not os.path.isdir(root):
            raise ManifestError(
                f"{source}: its root {root} is not a folder. Pass root= (--data_root)."
            )
        self.root = os.path.realpath(root)
        self.lookup = lookup
        self._inside = _prefix(self.root)
        for folder in lookup.allow_links_to:
            if not os.path.isdir(folder):
                raise ManifestError(
                    f"{source}: {folder}, which links may lead to, is not a folder. Correct "
                    "allow_links_to= (--allow_links_to)."
                )
        self._allowed = (self._inside, *map(_prefix, lookup.allow_links_to))
        self._folders = {"": self.root}
        self._stems: dict[str, dict[str, list[str]]] = {}

    def source(self, name: str, origin: str) -> FrameSource:
        """The video of a name that `clean` gave back.

        Raises:
            ManifestError: it leads out of the root, or to nothing that can be a video.
        """
        path, mode = self._find(name, origin)
        if stat.S_ISDIR(mode):
            return self._of_folder(path, name, origin)
        if not stat.S_ISREG(mode):
            raise ManifestError(f"{origin}: {name!r} is neither a file nor a folder.")
        return self.of_file(path)

    def of_file(self, path: str) -> FrameSource:
        """The video of a file that is there, and no link: an archive of frames, or a video file."""
        if path.lower().endswith(".zip"):
            return self._zip(path)
        return self.video(path)

    def video(self, path: str) -> VideoFile:
        """A video file, or one in an archive."""
        return VideoFile(path, self.lookup.video_stream, self.lookup.allow_open_end)

    def entry(self, name: str, origin: str) -> FrameSource:
        """As `source`; a name may also be a member of an HDF5 file or of a zip file of several
        videos, `file.h5/key`, `file.zip!folder` and `file.zip!video.mp4`.
        """
        member = split_member(name)
        if member is None:
            return self.source(name, origin)
        if member.zipped:
            return self._in_zip(name, member.file, member.inside, origin)
        path, mode = self._find(member.file, origin)
        if stat.S_ISDIR(mode):
            return self.source(name, origin)
        return Hdf5Frames(path, "/" + member.inside)

    def _in_zip(self, name: str, archive: str, inside: str, origin: str) -> FrameSource:
        try:
            path, mode = self._find(archive, origin)
        except MissingVideoError:
            return self.source(name, origin)  # a name may have an exclamation mark in it
        if not stat.S_ISREG(mode):
            return self.source(name, origin)
        if not inside.lower().endswith(PICTURES):
            video = self.video(f"{path}!{inside.strip('/')}")
            if is_there(video.file):
                return video
            if os.path.splitext(inside)[1].lower() in VIDEO_SUFFIXES:
                if can_be_listed(path):
                    raise MissingVideoError(f"{origin}: there is no file {inside!r} in {path}.")
                return video  # which says what is wrong with the archive
        return FrameZip(path, self.lookup.template, self.lookup.first_frame, inside.strip("/"))

    def clean(self, name: str, origin: str) -> str:
        """The name without detours, from the root on.

        Raises:
            ManifestError: it leaves the root.
        """
        if _is_clean(name):  # nearly all are, and the rest of this takes longer than to find one
            return name
        if name.startswith(self._inside):
            name = name[len(self._inside) :]
        if "\0" in name or os.path.isabs(name) or ".." in name.split("/"):
            raise ManifestError(
                f"{origin}: path {name!r} leaves the root {self.root}. Expected a path below it; "
                "pass root= (--data_root) if the videos are elsewhere."
            )
        return posixpath.normpath(name)

    def children(self, folder: str, origin: str) -> list[tuple[str, str]]:
        """Names and kinds of the videos in a folder, sorted; none where there is no such folder.

        A kind is "videos" (see `is_video`), "frames" (folders), or one of `ARCHIVES`. Leftovers
        (see `is_leftover`) and other files are passed over.
        """
        try:
            with os.scandir(self.folder(_top(self.clean(folder, origin)), origin)) as items:
                found = [
                    (item.name, "frames" if item.is_dir() else kind_of(item))
                    for item in items
                    if not is_leftover(item.name)
                ]
        except (MissingVideoError, FileNotFoundError, NotADirectoryError):
            return []
        return sorted((name, kind) for name, kind in found if kind is not None)

    def named(self, folder: str, stem: str, origin: str) -> list[str]:
        """Names of the videos in a folder that are called `stem`, whatever their suffix."""
        if folder not in self._stems:
            stems: dict[str, list[str]] = {}
            for name, kind in self.children(folder, origin):
                key = name if kind == "frames" else os.path.splitext(name)[0]
                stems.setdefault(key, []).append(posixpath.join(folder, name))
            self._stems[folder] = stems
        return self._stems[folder].get(stem, [])

    def _of_folder(self, path: str, name: str, origin: str) -> FrameSource:
        archive = f"{path}/{FRAMES_ZIP}"
        if os.path.isfile(archive):
            return self._zip(self._no_way_out(archive, f"{name}/{FRAMES_ZIP}", origin))
        return FrameFolder(path, self.lookup.template, self.lookup.first_frame, self._allowed)

    def _zip(self, path: str) -> FrameSource:
        return FrameZip(path, self.lookup.template, self.lookup.first_frame)

    def folder(self, name: str, origin: str) -> str:
        """The real path of a folder below the root, which no link leads out of.

        Raises:
            ManifestError: one does, or it is not there.
        """
        if name not in self._folders:
            self._folders[name] = self._find(name, origin)[0]
        return self._folders[name]

    def stays(self, path: str) -> bool:
        """Whether a path below the root, with all links in it, stays there or where it may lead."""
        return f"{os.path.realpath(path)}/".startswith(self._allowed)

    def _find(self, name: str, origin: str) -> tuple[str, int]:
        """The real path of a name and its mode."""
        parent, _, last = name.rpartition("/")
        path = f"{self.folder(parent, origin)}/{last}"
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                path = self._no_way_out(path, name, origin)
                mode = os.stat(path).st_mode
        except OSError as error:
            if error.errno in _NOT_THERE:
                place = f"{self.folder(parent, origin)}/{last}"
                raise MissingVideoError(
                    f"{origin}: {_nothing(name, place)} in {self.root}. Check root= (--data_root)."
                ) from None
            raise ManifestError(f"{origin}: {name!r} cannot be read ({error}).") from None
        return path, mode

    def _no_way_out(self, path: str, name: str, origin: str) -> str:
        real = os.path.realpath(path)
        if not self.stays(real):
            raise ManifestError(
                f"{origin}: path {name!r} leaves the root {self.root} through a link, to {real}. "
                "Links are followed that stay below the root, or below a folder given with "
                "--allow_links_to=DIR (Lookup(allow_links_to=[...])), here "
                f"{os.path.dirname(real)} or one above it."
            )
        return real


def _prefix(folder: str) -> str:
    return os.path.realpath(folder).rstrip("/") + "/"


def _is_clean(name: str) -> bool:
    """Whether a name has no detour, as far as can be seen at a glance."""
    return (
        name[:1] not in ("/", ".", "")
        and name[-1] not in "/."
        and "./" not in name
        and "//" not in name
        and ".." not in name
        and "\0" not in name
    )


def _top(name: str) -> str:
    return "" if name == "." else name


def _nothing(name: str, path: str) -> str:
    if os.path.islink(path):
        return f"{name!r} is a link to {os.readlink(path)}, which is not there,"
    return f"there is no file {name!r}"


def kind_of(item: os.DirEntry[str]) -> str | None:
    """The kind of a file that no list names: "videos", one of `ARCHIVES`, or None for no video."""
    suffix = item.name[item.name.rfind(".") :].lower()
    if suffix in _USUAL:
        return "videos"
    return ARCHIVES.get(suffix) or ("videos" if is_video(item.path) else None)
