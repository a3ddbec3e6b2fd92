"""Resolves untrusted names to videos below one folder, which they cannot leave.

A name costs one `lstat`: folders on its path are resolved once and cached, and only links are
followed. The file or folder found determines the kind of source.
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

_USUAL = frozenset((".mp4", ".avi", ".webm", ".mkv", ".mov"))  # decided without opening the file
ARCHIVES = {".zip": "zips", ".h5": "hdf5", ".hdf5": "hdf5"}
"""Suffixes of files that hold the frames of one video, with the name of this kind of video."""
FRAMES_ZIP = "RGB_frames.zip"
"""A folder that holds this file is a video: the archive of its frames."""
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


@named
@dataclasses.dataclass(frozen=True)
class Lookup:
    """How names become videos, for all list formats.

    Attributes:
        template: The file names of a video's frames, such as `"{:05d}.jpg"`. Defaults to None: it
            is inferred.
        first_frame: The number of the first frame. Defaults to None: 0 or 1, whichever exists.
        allow_missing: Whether listed videos that do not exist are left out and counted. Defaults
            to None, which means True for formats of data sets that are downloaded video by video,
            and False for the others.
        allow_links_to: Folders that links may lead to, for example if a split is a folder of links
            to videos. Links below the root are always followed. Defaults to ().
        allow_empty: Whether class folders may have no video; they keep their number, and are
            listed in `Manifest.notes`. Defaults to True.
        class_level: Which of the folders on the path of a video is its class, for class folders: 1
            is the first and 2 the second, as in `subject/class/a.mp4`. Defaults to None: the first,
            unless it is uncertain.
        video_stream: The number of the video stream to read in each file, from 0, without attached
            pictures. Defaults to None, the stream that a player shows.
        allow_two_labels: Whether a video (or a segment) that is listed with two labels is kept with
            each. Defaults to False: it is an error.
        allow_open_end: Whether recordings (MPEG-TS, MPEG-PS, bare streams) that end inside a frame
            (they are still being written, or were cut short) are read up to their last whole frame.
            Defaults to False: they cannot be read.

    Example:
        ```python
        manifest = open_manifest("train.txt", root="videos", lookup=Lookup(allow_missing=True))
        ```
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
        """Returns a copy that leaves out missing videos, unless `allow_missing` is set."""
        if self.allow_missing is not None:
            return self
        return dataclasses.replace(self, allow_missing=True)


class MissingVideoError(ManifestError):
    """The name of a video leads to nothing."""


@named
class VideoTree:
    """The videos below one folder, by name.

    Args:
        root: The folder; every link in it must stay in it, or lead to where `lookup` allows.
        lookup: The options for reading the videos.
        source: The list that names them, for errors.

    Raises:
        ManifestError: If `root` or a folder that links may lead to is not a folder.
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
                    f"{source}: {folder}, to which links may lead, is not a folder. Correct "
                    "allow_links_to= (--allow_links_to)."
                )
        self._allowed = (self._inside, *map(_prefix, lookup.allow_links_to))
        self._folders = {"": self.root}
        self._stems: dict[str, dict[str, list[str]]] = {}

    def source(self, name: str, origin: str) -> FrameSource:
        """Returns the video of a name that `clean` returned.

        Raises:
            ManifestError: If it leads out of the root, or to nothing that can be a video.
        """
        path, mode = self._find(name, origin)
        if stat.S_ISDIR(mode):
            return self._of_folder(path, name, origin)
        if not stat.S_ISREG(mode):
            raise ManifestError(f"{origin}: {name!r} is neither a file nor a folder.")
        return self.of_file(path)

    def of_file(self, path: str) -> FrameSource:
        """Returns the video in an existing file, not a link: an archive of frames, or a video."""
        if path.lower().endswith(".zip"):
            return self._zip(path)
        return self.video(path)

    def video(self, path: str) -> VideoFile:
        """Returns a video file, or one in an archive."""
        return VideoFile(path, self.lookup.video_stream, self.lookup.allow_open_end)

    def entry(self, name: str, origin: str) -> FrameSource:
        """Returns the video of a name, as `source` does, or of a member of another file.

        Members are named `file.h5/key`, `file.zip!folder` and `file.zip!video.mp4`.
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
                return video  # reading it reports the problem of the archive
        return FrameZip(path, self.lookup.template, self.lookup.first_frame, inside.strip("/"))

    def clean(self, name: str, origin: str) -> str:
        """Returns the normalised name, relative to the root.

        Raises:
            ManifestError: If it leaves the root.
        """
        if _is_clean(name):  # true for nearly all names, and much cheaper than the rest
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
        """Returns names and kinds of the videos in a folder, sorted; nothing if it does not exist.

        A kind is "videos" (see `is_video`), "frames" (folders), or one of `ARCHIVES`. Other files
        and leftovers of other programs (see `is_leftover`) are skipped.
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
        """Returns the names of the videos in a folder that are named `stem`, with any suffix."""
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
        """Returns the real path of a folder below the root, after checking its links.

        Raises:
            ManifestError: If a link leads out, or the folder does not exist.
        """
        if name not in self._folders:
            self._folders[name] = self._find(name, origin)[0]
        return self._folders[name]

    def stays(self, path: str) -> bool:
        """Returns whether a path, with links resolved, is below the root or an allowed folder."""
        return f"{os.path.realpath(path)}/".startswith(self._allowed)

    def _find(self, name: str, origin: str) -> tuple[str, int]:
        """Returns the real path of a name and its mode."""
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
                "Links are only followed below the root, or into a folder passed with "
                "--allow_links_to=DIR (Lookup(allow_links_to=[...])): pass "
                f"{os.path.dirname(real)} or a folder above it."
            )
        return real


def _prefix(folder: str) -> str:
    return os.path.realpath(folder).rstrip("/") + "/"


def _is_clean(name: str) -> bool:
    """Returns whether a name needs no normalisation, by a quick check that may miss some."""
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
        return f"{name!r} is a link to {os.readlink(path)}, which does not exist,"
    return f"there is no file {name!r}"


def kind_of(item: os.DirEntry[str]) -> str | None:
    """Returns the kind of an unlisted file: "videos", one of `ARCHIVES`, or None."""
    suffix = item.name[item.name.rfind(".") :].lower()
    if suffix in _USUAL:
        return "videos"
    return ARCHIVES.get(suffix) or ("videos" if is_video(item.path) else None)
