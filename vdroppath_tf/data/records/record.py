"""Records and shards as an index describes them, checked, since an index may be untrusted."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from vdroppath_tf.data.manifest import NO_CLASS
from vdroppath_tf.data.sources.container import MAX_SIDE
from vdroppath_tf.data.sources.frame_index import MAX_FRAMES
from vdroppath_tf.names import named

FRAMING = (12, 4)
"""Bytes of TFRecord's framing before (length and its CRC) and behind the data (CRC of the data)."""
MAX_RECORD = 1 << 30
"""Larger records are neither written nor read (bytes)."""

_SHARD = re.compile(r"[^/\\\0]{1,200}-[0-9]{5}-of-[0-9]{5}\.tfrecord")
_MAX_NAME = 4096


@named
@dataclasses.dataclass(frozen=True)
class Shard:
    """One TFRecord file.

    Attributes:
        file: The name in the folder.
        bytes: The size.
        sha256: The SHA-256 of the contents, in hexadecimal.
    """

    file: str
    bytes: int
    sha256: str


@named
@dataclasses.dataclass(frozen=True)
class Record:
    """The place of one video.

    Attributes:
        shard: The number of its shard.
        offset: The byte of the shard at which the record begins, including its framing.
        length: The size of the record in bytes, including its framing.
        head: The size of the head in bytes, which gives the places of frames, see `frame_places`.
        crc32: The CRC-32 of the head.
        label: The class number; the first of several, -1 for none.
        num_frames: The number of frames.
        height, width: The size of a frame, in pixels.
        name: The name of the original video.
        several: The numbers of all classes of a multi-label video; None for single-label videos.
    """

    shard: int
    offset: int
    length: int
    head: int
    crc32: int
    label: int
    num_frames: int
    height: int
    width: int
    name: str
    several: tuple[int, ...] | None = None

    @property
    def labels(self) -> tuple[int, ...]:
        """The numbers of all its classes."""
        return (self.label,) if self.several is None else self.several


FIELDS = tuple(field.name for field in dataclasses.fields(Record))[:-1]
_LABEL = FIELDS.index("label")


def row_of(record: Record) -> list[Any]:
    """Returns a record's values in the order of `FIELDS`; a multi-label label is a list."""
    row = [getattr(record, name) for name in FIELDS]
    if record.several is not None:
        row[_LABEL] = list(record.several)
    return row


def made_of(row: list[Any]) -> Record:
    """Returns the record of a row that `row_of` made."""
    label = row[_LABEL]
    if not isinstance(label, list):
        return Record(*row)
    first = label[0] if label else NO_CLASS
    fields: dict[str, Any] = dict(zip(FIELDS, row, strict=True))
    return Record(**{**fields, "label": first}, several=tuple(label))


def record_of(
    number: int, row: Any, shards: tuple[Shard, ...], classes: int, *, several: bool = False
) -> Record:
    """Returns the record of a row of an index, or raises ValueError if the row is invalid."""
    if not isinstance(row, list) or len(row) != len(FIELDS):
        raise ValueError(f"record {number}: expected {len(FIELDS)} values, found {str(row)[:80]!r}")
    where = row[0]
    if not is_number(where, 0, len(shards) - 1):
        raise ValueError(f"record {number}: shard is {where!r}, expected 0 to {len(shards) - 1}")
    size = shards[where].bytes
    bounds = {
        "offset": (0, size - 1),
        "length": (sum(FRAMING) + 1, min(size, MAX_RECORD)),
        "head": (1, MAX_RECORD),
        "crc32": (0, (1 << 32) - 1),
        "label": (0, classes - 1),
        "num_frames": (1, MAX_FRAMES),
        "height": (1, MAX_SIDE),
        "width": (1, MAX_SIDE),
    }
    if several is not isinstance(row[_LABEL], list):
        kind = "a list of numbers of classes" if several else "the number of one class"
        raise ValueError(f"record {number}: label is {str(row[_LABEL])[:40]!r}, expected {kind}")
    for (name, (low, high)), value in zip(bounds.items(), row[1:-1], strict=True):
        for each in value if several and name == "label" else [value]:
            if not is_number(each, low, high):
                raise ValueError(
                    f"record {number}: {name} is {str(each)[:40]!r}, expected {low} to {high}"
                )
    if several and len({*row[_LABEL]}) < len(row[_LABEL]):
        raise ValueError(f"record {number}: a class is repeated in {str(row[_LABEL])[:40]}")
    record = made_of(row)
    if not isinstance(record.name, str) or not 0 < len(record.name) <= _MAX_NAME:
        raise ValueError(f"record {number}: name is {str(record.name)[:40]!r}, expected a text")
    if record.offset + record.length > size or record.head > record.length - sum(FRAMING):
        raise ValueError(f"record {number}: does not fit into its shard of {size} bytes")
    return record


def shard_of(number: int, value: Any) -> Shard:
    """Returns the shard of an entry of an index, or raises ValueError if the entry is invalid."""
    fields: dict[str, Any] = value if isinstance(value, dict) else {}
    file, size, sha256 = fields.get("file"), fields.get("bytes"), fields.get("sha256")
    if not isinstance(file, str) or _SHARD.fullmatch(file) is None:
        raise ValueError(
            f"shard {number}: file is {str(file)[:80]!r}, expected a name like "
            "'train-00000-of-00016.tfrecord'"
        )
    if (
        type(size) is not int
        or not 0 <= size < 1 << 62  # 0 if all its videos are bad
        or not re.fullmatch("[0-9a-f]{64}", str(sha256))
    ):
        raise ValueError(f"shard {number}: expected its bytes and sha256")
    return Shard(file, size, str(sha256))


def is_number(value: Any, low: int, high: int) -> bool:
    """Returns whether a value of an index is a whole number within bounds."""
    return type(value) is int and low <= value <= high
