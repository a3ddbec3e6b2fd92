"""One video in a foreign TFRecord file, a `SequenceExample`, as a `FrameSource`."""

from __future__ import annotations

import dataclasses
import functools
import os

import numpy as np

from vdroppath_tf.data.records.wire import features, fields
from vdroppath_tf.data.sources.container import VideoError, regular_file
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.data.sources.pictures import picture_size, read_pictures
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameRequest, FrameSource
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named

FRAMES = "image/encoded"
"""The list of encoded pictures in a record."""


@named
@dataclasses.dataclass(frozen=True)
class SequenceVideo(FrameSource):
    """The frames of one `tf.train.SequenceExample`: its feature list `image/encoded`.

    Attributes:
        file: The absolute path of the TFRecord file.
        offset: The byte of the file at which the record's data begin.
        length: The size of the data, in bytes.
        name: The name of the video.

    Example:
        ```python
        entry = read_sequence_examples("tfrecords", part="train").entries[0]
        entry.source.info().num_frames, entry.source.read([0, 1]).shape
        ```
    """

    file: str
    offset: int
    length: int
    name: str

    @property
    def path(self) -> str:
        """The path of the file and the name of the video."""
        return f"{self.file}: {self.name}"

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Reads the record once, and the size of the first picture."""
        return self._layout()[0]

    def _frames(self, request: FrameRequest) -> np.ndarray:
        """Reads only the part of the record from the first wanted frame to the last."""
        _, starts, ends = self._layout()
        first, last = int(request.frames[0]), int(request.frames[-1])
        start = int(starts[first])
        data = _read(self.file, self.offset + start, int(ends[last]) - start)

        def load(frame: int) -> tuple[bytes, str]:
            picture = data[int(starts[frame]) - start : int(ends[frame]) - start]
            return picture, f"{self.path}: frame {frame}"

        return read_pictures(request, load)

    def _layout(self) -> tuple[FrameInfo, np.ndarray, np.ndarray]:
        status = regular_file(self.file)
        return _cached_layout(self, status.st_size, status.st_mtime_ns)

    def validate_quickly(self) -> None:
        """Checks that the file is long enough."""
        if regular_file(self.file).st_size < self.offset + self.length:
            raise VideoError(f"{self.path}: the file is cut short. Copy it again.")


@functools.lru_cache(maxsize=16384)
def _cached_layout(
    video: SequenceVideo, size: int, mtime: int
) -> tuple[FrameInfo, np.ndarray, np.ndarray]:
    data = _read(video.file, video.offset, video.length)
    try:
        places = frame_places(data)
    except ValueError as error:
        raise VideoError(
            f"{video.path}: the record at byte {video.offset} is damaged, or is not a "
            f"SequenceExample of frames ({error}). Copy or write the file again."
        ) from None
    (a, b) = places[0]
    height, width = picture_size(data[a:b], f"{video.path}: frame 0")
    starts, ends = np.array(places, np.int64).T
    return FrameInfo(len(places), height, width), starts, ends


def frame_places(data: bytes) -> list[tuple[int, int]]:
    """Returns the first byte of each encoded frame of a record, and the byte after its last.

    Raises:
        ValueError: If there is no list of frames, or it holds anything but pictures.
    """
    lists = {
        name: place
        for number, first, last in fields(data, 0, len(data))
        if number == 2
        for name, *place in features(data, first, last)
    }
    if FRAMES not in lists:
        found = ", ".join(map(repr, [*lists][:5])) or "none"
        raise ValueError(f"expected the feature list {FRAMES!r}, found {found}")
    places: list[tuple[int, int]] = []
    for _, first, last in fields(data, *lists[FRAMES]):  # a Feature for each frame
        pictures = [
            (a, b)
            for number, x, y in fields(data, first, last)
            if number == 1  # a list of bytes
            for _, a, b in fields(data, x, y)
        ]
        if len(pictures) != 1 or len(places) == MAX_FRAMES:
            raise ValueError(f"frame {len(places)} holds {len(pictures)} pictures, expected one")
        places += pictures
    if not places:
        raise ValueError("it holds no frame")
    return places


def _read(path: str, offset: int, length: int) -> bytes:
    try:
        with open_regular(path) as file:
            data = os.pread(file.fileno(), length, offset)
            while data and len(data) < length:  # a single call reads at most 2 GB
                more = os.pread(file.fileno(), length - len(data), offset + len(data))
                if not more:
                    break
                data += more
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error}). Check its permissions.") from None
    if len(data) != length:
        raise VideoError(f"{path}: is cut short at byte {offset + len(data)}. Copy it again.")
    return data
