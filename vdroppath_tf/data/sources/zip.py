"""One zip archive of extracted frames for each video, read in place, as a `FrameSource`.

The list of members is read once and cached as five numbers a frame. Each read opens the archive
separately and seeks to its frames, so that threads share nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import zipfile
from typing import BinaryIO

import numpy as np

from vdroppath_tf.data.sources.container import regular_file
from vdroppath_tf.data.sources.content import videos_in_zip
from vdroppath_tf.data.sources.frame_names import FrameNames
from vdroppath_tf.data.sources.frame_search import find_names
from vdroppath_tf.data.sources.pictures import picture_size, read_pictures
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameRequest, FrameSource
from vdroppath_tf.data.sources.zip_members import (
    MEMBER,
    list_members,
    one_folder,
    open_zip,
    read_member,
)
from vdroppath_tf.data.sources.zipped_file import is_there
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class FrameZip(FrameSource):
    """A zip archive with one picture for each frame of a video.

    Attributes:
        file: The absolute path of the archive.
        template: The name template of the frames, see `FrameFolder`. Defaults to None: inferred.
        first: The number of the first frame. Defaults to None: 0 or 1, whichever exists.
        inside: The folder of the frames in an archive of several videos. Defaults to None, for an
            archive of one video.

    Example:
        ```python
        frames = FrameZip("RGB_frames.zip").read([0, 1, 2])
        ```
    """

    file: str
    template: str | None = None
    first: int | None = None
    inside: str | None = None

    @property
    def path(self) -> str:
        """The path of the archive, and the folder in it."""
        return self.file if self.inside is None else f"{self.file}!{self.inside}"

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Reads the list of members once, and the size of the first picture."""
        return self._layout().info

    def _frames(self, request: FrameRequest) -> np.ndarray:
        layout = self._layout()
        with open_zip(self.file) as file:
            return read_pictures(request, lambda frame: layout.load(file, frame, self.file))

    def assumed(self) -> tuple[str, ...]:
        """Returns what was inferred from the names of the frames, for the user."""
        return self._layout().names.assumed

    def first_number(self) -> int:
        """See `FrameSource.first_number`."""
        names = self._layout().names
        return 1 if names.listed else names.first

    def _layout(self) -> _Layout:
        status = regular_file(self.file)
        return _cached_layout(self, status.st_size, status.st_mtime_ns)


@dataclasses.dataclass(frozen=True, eq=False)
class _Layout:
    """The places of the frames in one archive."""

    info: FrameInfo
    folder: str
    names: FrameNames
    members: np.ndarray

    def load(self, file: BinaryIO, frame: int, path: str) -> tuple[bytes, str]:
        name = self.folder + self.names.name(frame)
        return read_member(file, self.members[frame], name, path), f"{path}: {name}"


@functools.lru_cache(maxsize=4)  # archives are few, with many videos each
def video_folders(path: str, size: int, mtime: int) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """Returns the members of an archive of several videos, by folder (with a slash) and bare name.

    Args:
        path: The archive.
        size, mtime: Its size and modification time, so that a changed file is read again.

    Raises:
        VideoError: See `list_members`.
    """
    with open_zip(path) as file:
        members = list_members(file, size, path)
    found: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for name, member in members.items():
        folder, slash, last = name.rpartition("/")
        found.setdefault(folder + slash, {})[last] = member
    return found


def holds_folder(path: str, folder: str) -> bool:
    """Returns whether an archive has frames in a folder, or a video of this name.

    True for a damaged archive, which is reported when it is read.
    """
    if is_there(f"{path}!{folder.strip('/')}"):
        return True
    try:
        if videos_in_zip(path):
            return False

        status = regular_file(path)
        return f"{folder.strip('/')}/" in video_folders(path, status.st_size, status.st_mtime_ns)
    except ValueError:  # VideoError among them
        return True


@functools.lru_cache(maxsize=16384)
def _cached_layout(video: FrameZip, size: int, mtime: int) -> _Layout:
    path, template, first = video.file, video.template, video.first
    with open_zip(path) as file:
        if video.inside is None:
            folder, frames = one_folder(list_members(file, size, path), path)
        else:
            folder = video.inside.strip("/") + "/"
            frames = video_folders(path, size, mtime).get(folder, {})
        names = find_names(frames, video.path, template=template, first=first, late=False)
        chosen = [frames[names.name(k)] for k in range(names.count)]
        table = np.array(
            [
                (m.header_offset, m.compress_size, m.file_size, m.CRC, m.compress_type)
                for m in chosen
            ],
            MEMBER,
        )
        name = folder + names.name(0)
        height, width = picture_size(read_member(file, table[0], name, path), f"{path}: {name}")
    step = 0 if names.listed else names.step
    return _Layout(FrameInfo(names.count, height, width, step=step), folder, names, table)
