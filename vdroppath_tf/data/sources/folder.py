"""Folders of extracted frames, one picture each, as a `FrameSource`."""

from __future__ import annotations

import dataclasses
import functools
import os
import stat
from collections.abc import Iterator

import numpy as np

from vdroppath_tf.data.sources.container import VideoError, regular_file, status_of
from vdroppath_tf.data.sources.frame_kinds import NUMBERED
from vdroppath_tf.data.sources.frame_names import PICTURES, FrameNames, parse_template
from vdroppath_tf.data.sources.frame_search import find_names
from vdroppath_tf.data.sources.leftovers import is_leftover
from vdroppath_tf.data.sources.pictures import picture_size, read_pictures
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameRequest, FrameSource
from vdroppath_tf.data.sources.still import MAX_PICTURE_BYTES
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class FrameFolder(FrameSource):
    """A folder with one picture for each frame of a video.

    Attributes:
        folder: The absolute path of the folder.
        template: The name template of the frames, such as `img_{:05d}.jpg`, or `{:f}.jpg` if the
            number is a time. Defaults to None: it is inferred, and the folder must then hold only
            one kind of RGB frames.
        first: The number of the first frame. Defaults to None: 0 or 1, whichever exists.
        links: Folders, ending in a slash, that links among the pictures may lead to. Defaults to
            None, any folder.

    Example:
        ```python
        frames = FrameFolder("frames/video1").read([0, 1, 2])
        ```
    """

    folder: str
    template: str | None = None
    first: int | None = None
    links: tuple[str, ...] | None = dataclasses.field(default=None, compare=False, repr=False)

    @property
    def path(self) -> str:
        """The folder."""
        return self.folder

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Lists the folder once and reads the size of the first picture."""
        return self._layout()[0]

    def _frames(self, request: FrameRequest) -> np.ndarray:
        _, names = self._layout()

        def load(frame: int) -> tuple[bytes, str]:
            file = os.path.join(self.folder, names.name(frame))
            return read_file(file), file

        return read_pictures(request, load)

    def assumed(self) -> tuple[str, ...]:
        """Returns what was inferred from the names of the frames, for the user."""
        return self._layout()[1].assumed

    def first_number(self) -> int:
        """See `FrameSource.first_number`. Does not list the folder, which may be long."""
        if self.first is not None:
            return self.first
        try:
            return _smallest_number(self.folder, self.template)
        except OSError as error:
            raise VideoError(f"{self.folder}: cannot be listed ({error}).") from None

    def _layout(self) -> tuple[FrameInfo, FrameNames]:
        return folder_layout(self.folder, self.template, self.first, self.links)


def folder_layout(
    folder: str, template: str | None, first: int | None, links: tuple[str, ...] | None
) -> tuple[FrameInfo, FrameNames]:
    """Finds the frames of a folder; lists it again if its contents changed.

    Args:
        folder, template, first, links: See `FrameFolder`.

    Raises:
        VideoError: If there is no folder or no frame, a frame is missing, the first picture cannot
            be read, or a link leads elsewhere.
    """
    status = status_of(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise VideoError(f"{folder}: is not a folder. Expected a folder of frames.")
    info, names = _cached_layout(folder, template, first, links, status.st_mtime_ns)
    if names is _LISTED:
        return info, _cached_names(folder, template, first, links, status.st_mtime_ns)
    return info, names


_LISTED = FrameNames("", 0, "", count=1)  # stands for names that are cached separately


@functools.lru_cache(maxsize=1 << 18)  # a large data set; a few hundred bytes each
def _cached_layout(
    folder: str,
    template: str | None,
    first: int | None,
    links: tuple[str, ...] | None,
    mtime: int,
) -> tuple[FrameInfo, FrameNames]:
    names = _names(folder, template, first, links)
    file = os.path.join(folder, names.name(0))
    size = picture_size(read_file(file), file)
    info = FrameInfo(names.count, *size, step=0 if names.listed else names.step)
    return info, _LISTED if names.listed else names


@functools.lru_cache(maxsize=1 << 13)  # some kilobytes each
def _cached_names(
    folder: str,
    template: str | None,
    first: int | None,
    links: tuple[str, ...] | None,
    mtime: int,
) -> FrameNames:
    return _names(folder, template, first, links)


def _names(
    folder: str, template: str | None, first: int | None, links: tuple[str, ...] | None
) -> FrameNames:
    try:
        found = list_pictures(folder, links)
        return find_names(found, folder, template=template, first=first, late=False)
    except OSError as error:
        raise VideoError(f"{folder}: cannot be listed ({error}). Check its permissions.") from None


def _smallest_number(folder: str, template: str | None) -> int:
    """Returns 0 if a frame of that number exists, by the pattern of any other name; else 1."""
    if template is not None:
        names = [] if "{:f}" in template else [parse_template(template).called(0)]
    elif (match := NUMBERED.fullmatch(next(list_pictures(folder), ""))) is None:
        names = []
    else:
        ending = f"{match['tail']}{match['ending'] or ''}"
        widths = range(1, len(match["number"]) + 1)
        names = [f"{match['prefix']}{'0' * width}{ending}" for width in widths]
    return 0 if any(os.path.lexists(os.path.join(folder, name)) for name in names) else 1


def list_pictures(folder: str, links: tuple[str, ...] | None = None) -> Iterator[str]:
    """Yields the names of the pictures in a folder, without leftovers of other programs.

    Args:
        folder, links: See `FrameFolder`.

    Raises:
        VideoError: If one of them is a link that leads elsewhere.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(PICTURES) and not is_leftover(entry.name):
                if links is not None and entry.is_symlink():
                    check_link(entry.path, links)
                yield entry.name


def check_link(path: str, links: tuple[str, ...]) -> None:
    """Raises an error if a link leads out of all folders in `links`, see `FrameFolder`.

    Raises:
        VideoError: If it does.
    """
    real = os.path.realpath(path)
    if not f"{real}/".startswith(links):
        raise VideoError(
            f"{path}: leaves the root {links[0][:-1]} through a link, to {real}. Links are only "
            "followed below the root, or into a folder passed with --allow_links_to=DIR "
            f"(Lookup(allow_links_to=[...])): pass {os.path.dirname(real)} or a folder above it."
        )


def read_file(file: str) -> bytes:
    """Reads the bytes of a picture file.

    Raises:
        VideoError: If it does not exist, is not a file, is empty, or is too large.
    """
    size = regular_file(file).st_size
    if size > MAX_PICTURE_BYTES:
        raise VideoError(f"{file}: has {size} bytes. Expected at most {MAX_PICTURE_BYTES}.")
    try:
        with open_regular(file) as opened:
            return opened.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise VideoError(f"{file}: cannot be read ({error}). Check its permissions.") from None
