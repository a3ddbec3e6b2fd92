"""Frames in HDF5 files as a `FrameSource`: one array of pixels, or one data set for each frame.

HDF5 has one lock for the whole process: threads read these files one after another, although
pictures are decoded in parallel. If that is too slow, `vdroppath convert` writes TFRecords.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import h5py
import numpy as np

from vdroppath_tf.data.sources.container import VideoError, regular_file
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.frame_names import FrameNames
from vdroppath_tf.data.sources.frame_search import find_names
from vdroppath_tf.data.sources.hdf5_items import (
    OWN_FILTERS,
    check_data_set,
    frame_of,
    open_hdf5,
    video_of,
    wrong_kind,
)
from vdroppath_tf.data.sources.pictures import gather, picture_size, read_pictures
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameRequest, FrameSource, Indices
from vdroppath_tf.data.sources.still import check_size, scale_pixels
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class Hdf5Frames(FrameSource):
    """The frames of one video in an HDF5 file.

    Attributes:
        file: The absolute path of the file.
        key: The name of a data set of pixels, uint8 `(time, height, width, 3)`; or of a group with
            one data set for each frame, uint8: pixels `(height, width, 3)`, or the bytes of a JPEG
            or PNG picture `(length,)`, with names that are numbered without a gap. Defaults to
            "/", which also finds the only video of a file under any name.

    Example:
        ```python
        frames = Hdf5Frames("videos.h5", "walk/video1").read([0, 8, 11])
        ```
    """

    file: str
    key: str = "/"

    @property
    def path(self) -> str:
        """The file and the key in it."""
        return f"{self.file}: {self.key}"

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Reads the names and shapes once."""
        return self._layout().info

    def _frames(self, request: FrameRequest) -> np.ndarray:
        layout = self._layout()
        with open_hdf5(self.file, self.path) as root:
            item = video_of(root, self.key, self.path)
            if layout.encoded:
                return read_pictures(request, lambda k: layout.load(item, k, self.path))

            def one(frame: int) -> np.ndarray:
                return scale_pixels(layout.pixels(item, frame, self.path), request.short_edge)

            return gather(request, one)

    def places(self, indices: Indices) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
        """Locates the pixels of frames for another reader of HDF5; checks all but the data.

        Returns:
            The name of each frame's data set, `(n,)`; its index in the data set, int64 `(n,)` (-1:
            the whole data set); the shape of the data sets.

        Raises:
            VideoError: If a frame does not exist, or is an encoded picture.
        """
        layout = self._layout()
        request = FrameRequest(self.path, layout.info, indices)
        frames = request.frames
        if layout.encoded:
            raise VideoError(f"{self.path}: holds JPEG or PNG pictures. Expected pixels.")
        with open_hdf5(self.file, self.path) as root:
            item = video_of(root, self.key, self.path)
            found, places = [item] * len(frames), frames
            if layout.names is not None:
                found = [layout.data_set(item, frame, self.path) for frame in frames.tolist()]
                places = np.full(len(frames), -1)
            for data_set in found:
                check_data_set(data_set, self.path, OWN_FILTERS)
            names = np.array([data_set.name for data_set in found], object)
            return request.in_order(names), request.in_order(places), found[0].shape

    def first_number(self) -> int:
        """See `FrameSource.first_number`."""
        names = self._layout().names
        return 1 if names is None or names.listed else names.first

    def _layout(self) -> _Layout:
        status = regular_file(self.file)
        return _cached_layout(self.file, self.key, status.st_size, status.st_mtime_ns)


@dataclasses.dataclass(frozen=True, eq=False)
class _Layout:
    """The way in which the frames of one video are stored.

    Attributes:
        info: The number and the size of the frames.
        names: The names of the frames' data sets; None if one data set holds all.
        encoded: Whether the frames are encoded pictures instead of pixels.
    """

    info: FrameInfo
    names: FrameNames | None
    encoded: bool

    def load(self, group: Any, frame: int, path: str) -> tuple[bytes, str]:
        """Returns a frame's encoded picture and its name for errors."""
        name, data_set = self._of_frame(group, frame, path)
        if data_set.ndim != 1:
            raise _unlike(path, name)
        return data_set[()].tobytes(), f"{path}: {name}"

    def pixels(self, item: Any, frame: int, path: str) -> np.ndarray:
        """Returns a frame's pixels."""
        return item[frame] if self.names is None else self.data_set(item, frame, path)[()]

    def data_set(self, group: Any, frame: int, path: str) -> Any:
        """Returns the data set of a frame's pixels."""
        name, data_set = self._of_frame(group, frame, path)
        if data_set.shape != (self.info.height, self.info.width, 3):
            raise _unlike(path, name)
        return data_set

    def _of_frame(self, group: Any, frame: int, path: str) -> tuple[str, Any]:
        if self.names is None:
            raise _unlike(path, str(frame))
        name = self.names.name(frame)
        return name, frame_of(group, name, path)


@functools.lru_cache(maxsize=1 << 18)
def _cached_layout(file: str, key: str, size: int, mtime: int) -> _Layout:
    path = f"{file}: {key}"
    with open_hdf5(file, path) as root:
        item = video_of(root, key, path)
        if isinstance(item, h5py.Dataset):
            if item.ndim != 4 or item.shape[3] != 3 or not 0 < item.shape[0] <= MAX_FRAMES:
                raise wrong_kind(path, item)
            count, height, width, _ = item.shape
            check_size(height, width, path)
            return _Layout(FrameInfo(count, height, width), None, False)
        names = find_names(iter(item), path, first=None)
        first = frame_of(item, names.name(0), path)
        encoded = first.ndim == 1
        if encoded:
            height, width = picture_size(first[()].tobytes(), f"{path}: {names.name(0)}")
        elif first.ndim == 3 and first.shape[2] == 3:
            height, width = check_size(first.shape[0], first.shape[1], path)
        else:
            raise wrong_kind(f"{path}: {names.name(0)}", first)
        step = 0 if names.listed else names.step
        return _Layout(FrameInfo(names.count, height, width, step=step), names, encoded)


def _unlike(path: str, name: str) -> VideoError:
    return VideoError(
        f"{path}: {name!r} differs from the first frame. Expected frames of one kind and size."
    )
