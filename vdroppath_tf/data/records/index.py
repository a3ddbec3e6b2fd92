"""`index.json` of a folder of records: which videos are in which shard, and where."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

from vdroppath_tf.data.sources.container import MAX_SIDE
from vdroppath_tf.data.sources.index import MAX_FRAMES
from vdroppath_tf.files import read_json
from vdroppath_tf.names import named

FRAMING = (12, 4)
"""Bytes of TFRecord's framing before and behind the data: length and its CRC, CRC of the data."""
MAX_RECORD = 1 << 30
"""Records of more bytes than this are neither written nor read."""
INDEX_FILE = "index.json"
INDEX_FORMAT = "vdroppath_tf.records/1"
MAX_INDEX = 1 << 30
"""Larger indices are refused (bytes)."""

_SHARD = re.compile(r"[^/\\\0]{1,200}-[0-9]{5}-of-[0-9]{5}\.tfrecord")
_MAX_NAME = 4096


@named
@dataclasses.dataclass(frozen=True)
class Shard:
    """One TFRecord file.

    Attributes:
        file: its name in the folder.
        bytes: its size.
        sha256: of its bytes, in hexadecimal.
    """

    file: str
    bytes: int
    sha256: str


@named
@dataclasses.dataclass(frozen=True)
class Record:
    """Where one video is.

    Attributes:
        shard: number of its shard.
        offset: where the record begins in it, its framing included, in bytes.
        length: bytes of the record, its framing included.
        head: bytes of the part that says where the frames are, see `record_bytes`.
        crc32: CRC-32 of the head.
        label: class number.
        num_frames: frames of the video.
        height, width: of a frame, in pixels.
        name: of the video it was made from.
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


FIELDS = tuple(field.name for field in dataclasses.fields(Record))


@named
@dataclasses.dataclass(frozen=True)
class Index:
    """What `index.json` holds.

    Attributes:
        settings: how the records were made, as plain JSON values.
        labels: names of the classes.
        shards: the files.
        records: the videos, in the order of the manifest they come from.
        bad: number of videos that could not be converted.
    """

    settings: dict[str, Any]
    labels: tuple[str, ...]
    shards: tuple[Shard, ...]
    records: tuple[Record, ...]
    bad: int

    @property
    def directional(self) -> bool:
        """See `Manifest`; records that do not say are of labels without a direction."""
        return self.settings.get("directional") is True

    def to_json(self) -> str:
        """One line for each shard and record, so that it can be read and compared."""
        shards = (json.dumps(dataclasses.asdict(shard)) for shard in self.shards)
        records = (json.dumps(row_of(record)) for record in self.records)
        parts = {
            "format": json.dumps(INDEX_FORMAT),
            "settings": json.dumps(self.settings),
            "labels": json.dumps(self.labels),
            "bad": json.dumps(self.bad),
            "shards": "[\n" + ",\n".join(shards) + "\n]",
            "fields": json.dumps(FIELDS),
            "records": "[\n" + ",\n".join(records) + "\n]",
        }
        return "{\n" + ",\n".join(f'"{k}": {v}' for k, v in parts.items()) + "\n}\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Index:
        """Reads and checks an index, which may come from anyone.

        Raises:
            ValueError: it is no such index, or says what cannot be; without the file's name.
        """
        fields: Any = read_json(text, INDEX_FORMAT)
        labels, bad = fields.get("labels"), fields.get("bad")
        if not _is_list(labels, str) or not labels or not _is_number(bad, 0, 1 << 62):
            raise ValueError("expected 'labels', a list of names, and 'bad', a number")
        if fields.get("fields") != list(FIELDS) or not isinstance(fields.get("settings"), dict):
            raise ValueError(f"expected 'settings' and the 'fields' {', '.join(FIELDS)}")
        shards = tuple(_shard(k, value) for k, value in enumerate(_listed(fields, "shards")))
        records = tuple(
            checked(k, row, shards, len(labels)) for k, row in enumerate(_listed(fields, "records"))
        )
        return cls(fields["settings"], tuple(labels), shards, records, bad)


def holds_records(source: str | os.PathLike[str]) -> bool:
    """Whether a source is a folder of records: a local one with an index, or a URL."""
    text = os.fspath(source)
    return "://" in text or os.path.isfile(os.path.join(text, INDEX_FILE))


def row_of(record: Record) -> list[Any]:
    """A record's values in the order of `FIELDS`."""
    return [getattr(record, name) for name in FIELDS]


def checked(number: int, row: Any, shards: tuple[Shard, ...], classes: int) -> Record:
    """The record of a row of an index; ValueError if it cannot be one."""
    if not isinstance(row, list) or len(row) != len(FIELDS):
        raise ValueError(f"record {number}: expected {len(FIELDS)} values, found {str(row)[:80]!r}")
    where = row[0]
    if not _is_number(where, 0, len(shards) - 1):
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
    for (name, (low, high)), value in zip(bounds.items(), row[1:-1], strict=True):
        if not _is_number(value, low, high):
            raise ValueError(
                f"record {number}: {name} is {str(value)[:40]!r}, expected {low} to {high}"
            )
    record = Record(*row)
    if not isinstance(record.name, str) or not 0 < len(record.name) <= _MAX_NAME:
        raise ValueError(f"record {number}: name is {str(record.name)[:40]!r}, expected a text")
    if record.offset + record.length > size or record.head > record.length - sum(FRAMING):
        raise ValueError(f"record {number}: does not fit into its shard of {size} bytes")
    return record


def _shard(number: int, value: Any) -> Shard:
    fields: dict[str, Any] = value if isinstance(value, dict) else {}
    file, size, sha256 = fields.get("file"), fields.get("bytes"), fields.get("sha256")
    if not isinstance(file, str) or _SHARD.fullmatch(file) is None:
        raise ValueError(
            f"shard {number}: file is {str(file)[:80]!r}, expected a name like "
            "'train-00000-of-00016.tfrecord'"
        )
    if (
        type(size) is not int
        or not 0 <= size < 1 << 62  # empty, if all its videos are bad
        or not re.fullmatch("[0-9a-f]{64}", str(sha256))
    ):
        raise ValueError(f"shard {number}: expected its bytes and sha256")
    return Shard(file, size, str(sha256))


def _listed(fields: dict[str, Any], name: str) -> list[Any]:
    values = fields.get(name)
    if not isinstance(values, list) or not values:
        raise ValueError(f"expected '{name}', a list that is not empty")
    return values


def _is_list(values: Any, kind: type) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _is_number(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high
