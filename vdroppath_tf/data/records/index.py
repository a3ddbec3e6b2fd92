"""The `index.json` of a folder of records: its shards, and the videos in each."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from vdroppath_tf.data.records.record import (
    FIELDS,
    Record,
    Shard,
    is_number,
    record_of,
    row_of,
    shard_of,
)
from vdroppath_tf.files import read_json
from vdroppath_tf.names import named

INDEX_FILE = "index.json"
INDEX_FORMAT = "vdroppath_tf.records/1"
MAX_INDEX = 1 << 30
"""Larger indices are refused (bytes)."""


@named
@dataclasses.dataclass(frozen=True)
class Index:
    """The contents of `index.json`.

    Attributes:
        settings: The settings of the conversion, as plain JSON values.
        labels: The names of the classes.
        shards: The files.
        records: The videos, in the order of the original manifest.
        bad: The number of videos that could not be converted.
    """

    settings: dict[str, Any]
    labels: tuple[str, ...]
    shards: tuple[Shard, ...]
    records: tuple[Record, ...]
    bad: int

    @property
    def directional(self) -> bool:
        """See `Manifest`; records without this setting are not directional."""
        return self.settings.get("directional") is True

    @property
    def multi_label(self) -> bool:
        """Whether videos are multi-label."""
        return self.settings.get("multi_label") is True

    @property
    def square_pixels(self) -> bool:
        """Whether frames have the size that players show, see `VideoFile`."""
        return self.settings.get("square_pixels") is True

    def to_json(self) -> str:
        """Writes one line for each shard and record, to be easy to read and compare."""
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
        """Reads and checks an index, which may be untrusted.

        Raises:
            ValueError: If it is not such an index, or has invalid values; the message omits the
                name of the file.
        """
        fields: Any = read_json(text, INDEX_FORMAT)
        labels, bad = fields.get("labels"), fields.get("bad")
        if not _is_list(labels, str) or not labels or not is_number(bad, 0, 1 << 62):
            raise ValueError("expected 'labels', a list of names, and 'bad', a number")
        if fields.get("fields") != list(FIELDS) or not isinstance(fields.get("settings"), dict):
            raise ValueError(f"expected 'settings' and the 'fields' {', '.join(FIELDS)}")
        shards = tuple(shard_of(k, value) for k, value in enumerate(_listed(fields, "shards")))
        rows = enumerate(_listed(fields, "records"))
        several = fields["settings"].get("multi_label") is True
        records = tuple(record_of(k, row, shards, len(labels), several=several) for k, row in rows)
        first: dict[tuple[int, int], int] = {}
        for k, record in enumerate(records):
            if (other := first.setdefault((record.shard, record.offset), k)) != k:
                raise ValueError(f"record {k}: is at the same place as record {other}")
        return cls(fields["settings"], tuple(labels), shards, records, bad)


def holds_records(source: str | os.PathLike[str]) -> bool:
    """Returns whether a source is a folder of records: a local one with an index, or a URL."""
    text = os.fspath(source)
    return "://" in text or os.path.isfile(os.path.join(text, INDEX_FILE))


def _listed(fields: dict[str, Any], name: str) -> list[Any]:
    values = fields.get(name)
    if not isinstance(values, list) or not values:
        raise ValueError(f"expected '{name}', a list that is not empty")
    return values


def _is_list(values: Any, kind: type) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)
