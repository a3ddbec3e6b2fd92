"""One video as one record: a `tf.train.Example` whose frames can be read without parsing it all.

A record is two serialized Examples in sequence, which every reader parses as one: the description
of the video, and the frames. The first, the head, is small. It has the length and the CRC-32 of
each frame; since the frames stand at the end of the record, their positions follow.
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
"""The time of each frame in microseconds; records of older versions lack it."""


@named
@dataclasses.dataclass(frozen=True, eq=False)
class RecordBytes:
    """A record to be written.

    Attributes:
        data: The serialized Example.
        head: The size of its first part, in bytes.
        crc32: The CRC-32 of that part.
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
        frames: The encoded pictures.
        labels: The class numbers, one or several.
        name: The name of the video.
        size: The height and width in pixels.
        fps: The mean frame rate. Defaults to None, unknown.
        times: The time of each frame in seconds. Defaults to None, unknown.

    Returns:
        The record.

    Raises:
        ValueError: If it would exceed `MAX_RECORD`.

    Example:
        ```python
        made = pack([jpeg], labels=[3], name="dance.mp4", size=(240, 320))
        ```
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
    """The places of the frames in a record, counted from the beginning of its data.

    Attributes:
        starts, ends: The first byte of each frame and the byte after its last, int64 `(frames,)`.
        crc32: The CRC-32 of each frame, int64 `(frames,)`.
    """

    starts: np.ndarray
    ends: np.ndarray
    crc32: np.ndarray


def frame_places(head: bytes, data_bytes: int, num_frames: int) -> FramePlaces:
    """Reads the places of the frames from a record's head.

    Args:
        head: The bytes of the head.
        data_bytes: The size of the whole data, in bytes.
        num_frames: The number of frames in the record.

    Raises:
        ValueError: If it is not a head, or belongs to another record.
    """
    try:
        feature = tf.train.Example.FromString(head).features.feature
    except Exception as error:  # protobuf's DecodeError, which TensorFlow does not export
        raise ValueError(f"its head is not an Example ({error})") from None
    sizes = np.array(feature["frame_bytes"].int64_list.value, np.int64)
    crc32 = np.array(feature["frame_crc32"].int64_list.value, np.int64)
    room = data_bytes - len(head)
    if len(sizes) != num_frames or len(crc32) != num_frames or not num_frames:
        raise ValueError(f"its head has {len(sizes)} frames, the index has {num_frames}")
    if sizes.min() < 0 or sizes.max() > room:
        raise ValueError("its head has frames larger than the record")
    entries = sizes + 1 + _length_bytes(sizes)
    if entries.sum() > room:
        raise ValueError("its head has more bytes of frames than the record")
    ends = data_bytes - entries.sum() + np.cumsum(entries)
    return FramePlaces(ends - sizes, ends, crc32)


def frame_times(head: bytes, num_frames: int) -> np.ndarray | None:
    """Returns the time of each frame of a record in seconds; None if the record has no times.

    Raises:
        ValueError: If the number of times differs from that of the frames, or they decrease.
    """
    feature = tf.train.Example.FromString(head).features.feature
    if TIMES not in feature:
        return None
    found = np.array(feature[TIMES].int64_list.value, np.int64)
    if len(found) != num_frames or (np.diff(found) < 0).any():
        raise ValueError(f"its head has {len(found)} times for {num_frames} frames, or unsorted")
    return found / 1e6


def _length_bytes(sizes: np.ndarray) -> np.ndarray:
    """Returns the number of bytes in which protobuf writes a length, seven bits in each."""
    return 1 + sum((sizes >= 1 << 7 * k).astype(np.int64) for k in range(1, 5))
