"""One video in a TFRecord file as a `FrameSource`."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Callable

import numpy as np

from vdroppath_tf.data.records.bytes import FramePlaces, frame_places, frame_times
from vdroppath_tf.data.records.record import FRAMING, Record
from vdroppath_tf.data.remote.files import read_range
from vdroppath_tf.data.remote.urls import shown
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.pictures import read_pictures
from vdroppath_tf.data.sources.source import Folder, FrameInfo, FrameRequest, FrameSource
from vdroppath_tf.names import named

_AT_ONCE = 1 << 20  # bytes; smaller records are read whole, since a second request takes longer


@named
@dataclasses.dataclass(frozen=True, eq=False)
class RecordInfo(FrameInfo):
    """The frames of a record.

    Attributes:
        num_frames, height, width: See `FrameInfo`.
        video: The record, which is read if times are requested.
    """

    video: RecordVideo

    def times(self) -> np.ndarray | None:
        """Returns the time of each frame in seconds; see `FrameInfo`."""
        return self.video.times()


@named
@dataclasses.dataclass(frozen=True, repr=False)
class RecordVideo(FrameSource):
    """One video in a TFRecord file. Only requested frames are read and decoded.

    Attributes:
        shard: The absolute path or the URL of the file.
        record: The place in the file.
        square_pixels: Whether its frames have the size that players show. Defaults to False.
    """

    shard: str
    record: Record
    square_pixels: bool = False

    @property
    def path(self) -> str:
        """The path of the shard and the name of the video, without the secrets of a URL."""
        return f"{shown(self.shard)}: {self.record.name}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r})"

    def with_square_pixels(self) -> RecordVideo:
        """Returns the video itself if it was converted so: records do not hold pixel shapes.

        Raises:
            VideoError: If it was converted in its stored size.
        """
        if self.square_pixels:
            return self
        raise VideoError(
            f"{self.path}: its frames were converted in the stored size, whereas square_pixels "
            "(--square_pixels) asks for the size that players show. Convert the videos again with "
            "--square_pixels, or leave it out."
        )

    def info(self, cache_dir: Folder = None) -> FrameInfo:
        """Returns the frames listed in the index; opens no file, unless times are requested."""
        return RecordInfo(self.record.num_frames, self.record.height, self.record.width, self)

    def times(self) -> np.ndarray | None:
        """Returns the time of each frame in seconds; None if the record does not hold them."""
        head = self._head(self._reader())
        try:
            return frame_times(head, self.record.num_frames)
        except ValueError as error:
            raise self._damaged(str(error)) from None

    def _frames(self, request: FrameRequest) -> np.ndarray:
        """Reads frames and compares each with its checksum."""
        frames = self._pictures(request.frames)
        pictures = dict(zip(request.frames.tolist(), frames, strict=True))

        def load(frame: int) -> tuple[bytes, str]:
            return pictures[frame], f"{self.path}: frame {frame}"

        return read_pictures(request, load)

    def validate(self, cache_dir: Folder = None) -> None:
        """Reads the record's framing and head, and compares them with the index."""
        before, behind = FRAMING
        framing = self._range(self.record.offset, before)
        if struct.unpack("<Q", framing[:8])[0] != self.record.length - before - behind:
            raise self._damaged("no record of this length begins there")
        self._places(self._reader())
        self._range(self.record.offset + self.record.length - behind, behind)

    def jpeg(self, frame: int) -> bytes:
        """Returns the encoded picture of a frame, as it was written."""
        return self._pictures(FrameRequest(self.path, self.info(), [frame]).frames)[0]

    def _pictures(self, wanted: np.ndarray) -> list[bytes]:
        """Returns the encoded pictures of frames in ascending order, after checking them."""
        read = self._reader()
        places = self._places(read)
        starts, ends = places.starts[wanted], places.ends[wanted]
        first = int(starts[0])
        data = read(first, int(ends[-1]) - first)
        pictures = [data[a:b] for a, b in zip(starts - first, ends - first, strict=True)]
        for number, picture in zip(wanted.tolist(), pictures, strict=True):
            if zlib.crc32(picture) != places.crc32[number]:
                raise self._damaged(f"the CRC of frame {number} is wrong")
        return pictures

    def _reader(self) -> Callable[[int, int], bytes]:
        """Returns a function that reads (offset, length) of the record's data."""
        start = self.record.offset + FRAMING[0]
        size = self.record.length - sum(FRAMING)
        if size > _AT_ONCE:
            return lambda offset, length: self._range(start + offset, length)
        data = self._range(start, size)
        return lambda offset, length: data[offset : offset + length]

    def _range(self, offset: int, length: int) -> bytes:
        try:
            return read_range(self.shard, offset, length)
        except VideoError as error:
            raise VideoError(f"{error} (Read for the record {self.record.name!r}.)") from None

    def _head(self, read: Callable[[int, int], bytes]) -> bytes:
        head = read(0, self.record.head)
        if zlib.crc32(head) != self.record.crc32:
            raise self._damaged("the CRC of its head is wrong")
        return head

    def _places(self, read: Callable[[int, int], bytes]) -> FramePlaces:
        head = self._head(read)
        size = self.record.length - sum(FRAMING)
        try:
            return frame_places(head, size, self.record.num_frames)
        except ValueError as error:
            raise self._damaged(str(error)) from None

    def _damaged(self, found: str) -> VideoError:
        record = self.record
        return VideoError(
            f"{self.path}: the record at byte {record.offset} is damaged ({found}). Copy the shard "
            "again, or convert its videos again."
        )
