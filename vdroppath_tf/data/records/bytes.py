"""One video as one record: a `tf.train.Example` whose frames can be reached without parsing it.

A record is two serialized Examples, one behind the other, which every reader takes for one: what
describes the video, and only the frames. The first, the head, is small. It has the length and the
CRC-32 of each frame, and the frames stand at the end of the record: so where each one lies follows.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.data.records.record import MAX_RECORD
from vdroppath_tf.names import named

TIMES = "frame_us"
"""The microseconds at which each frame is shown; records of older versions lack them."""


@named
@dataclasses.dataclass(frozen=True, eq=False)
class RecordBytes:
    """A record to be written.

    Attributes:
        data: the serialized Example.
        head: bytes of its first part.
        crc32: CRC-32 of that part.
    """

    data: bytes
    head: int
    crc32: int


@named
def pack(
    frames: Sequence[bytes],
    *,
    labels: Sequence[int],
    name: str,
    size: tuple[int, int],
    fps: float | None = None,
    times: np.ndarray | None = None,
) -> RecordBytes:
    """Makes the record of a video.

    Args:
        frames: encoded pictures.
        labels: class numbers, one or several.
        name: of the video.
        size: height and width in pixels.
        fps: frames a second on average, where that is known.
        times: seconds at which each frame is shown, where they are known.

    Raises:
        ValueError: it would exceed `MAX_RECORD`.
    """
    if (total := sum(map(len, frames))) > MAX_RECORD - (1 << 26):
        raise ValueError(
            f"its {len(frames)} frames take {total} bytes as JPEG, more than fit into a record "
            f"({MAX_RECORD}). Set a smaller short_edge or quality, or cut it into parts."
        )
    head = {
        "label": _integers(labels),
        "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()])),
        "num_frames": _integers([len(frames)]),
        "height": _integers([size[0]]),
        "width": _integers([size[1]]),
        "frame_bytes": _integers([len(f) for f in frames]),
        "frame_crc32": _integers([zlib.crc32(f) for f in frames]),
    }
    if fps is not None:
        head["fps"] = tf.train.Feature(float_list=tf.train.FloatList(value=[fps]))
    if times is not None:
        head[TIMES] = _integers(np.rint(times * 1e6).astype(np.int64).tolist())
    first = _example(head)
    second = _example({"frames": tf.train.Feature(bytes_list=tf.train.BytesList(value=frames))})
    return RecordBytes(first + second, len(first), zlib.crc32(first))


def _integers(values: Sequence[int]) -> Any:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _example(features: dict[str, Any]) -> bytes:
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


@named
@dataclasses.dataclass(frozen=True, eq=False)
class FramePlaces:
    """Where the frames of a record are, counted from the beginning of its data.

    Attributes:
        starts, ends: first byte of each frame and the one behind it, int64 `(frames,)`.
        crc32: of each frame, int64 `(frames,)`.
    """

    starts: np.ndarray
    ends: np.ndarray
    crc32: np.ndarray


def frame_places(head: bytes, data_bytes: int, num_frames: int) -> FramePlaces:
    """Reads a record's head.

    Args:
        head: the bytes of the head.
        data_bytes: bytes of the whole data.
        num_frames: frames the record has.

    Raises:
        ValueError: it is no head, or one of another record.
    """
    try:
        feature = tf.train.Example.FromString(head).features.feature
    except Exception as error:  # protobuf's DecodeError, which TensorFlow does not pass on
        raise ValueError(f"its head is no Example ({error})") from None
    sizes = np.array(feature["frame_bytes"].int64_list.value, np.int64)
    crc32 = np.array(feature["frame_crc32"].int64_list.value, np.int64)
    room = data_bytes - len(head)
    if len(sizes) != num_frames or len(crc32) != num_frames or not num_frames:
        raise ValueError(f"its head has {len(sizes)} frames, the index {num_frames}")
    if sizes.min() < 0 or sizes.max() > room:
        raise ValueError("its head has frames larger than the record")
    entries = sizes + 1 + _length_bytes(sizes)
    if entries.sum() > room:
        raise ValueError("its head has more bytes of frames than the record")
    ends = data_bytes - entries.sum() + np.cumsum(entries)
    return FramePlaces(ends - sizes, ends, crc32)


def frame_times(head: bytes, num_frames: int) -> np.ndarray | None:
    """The seconds at which each frame of a record is shown; None where it has no times.

    Raises:
        ValueError: it has others than frames.
    """
    feature = tf.train.Example.FromString(head).features.feature
    if TIMES not in feature:
        return None
    found = np.array(feature[TIMES].int64_list.value, np.int64)
    if len(found) != num_frames or (np.diff(found) < 0).any():
        raise ValueError(f"its head has {len(found)} times of {num_frames} frames, or not rising")
    return found / 1e6


def _length_bytes(sizes: np.ndarray) -> np.ndarray:
    """Bytes in which protobuf writes a length: seven bits each."""
    return 1 + sum((sizes >= 1 << 7 * k).astype(np.int64) for k in range(1, 5))
