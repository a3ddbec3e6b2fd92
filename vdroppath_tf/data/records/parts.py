"""What a conversion to records keeps on disk beside its shards, so that it can be taken up again.

`settings.json` describes the conversion. Each finished shard has a part, `SHARD.json`,
until all are there; then `index.json` and `bad.json` hold what the parts did.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from vdroppath_tf.data.records.index import INDEX_FILE, Index
from vdroppath_tf.data.records.record import Record, Shard, made_of, row_of
from vdroppath_tf.files import read_bytes, read_json, write_text
from vdroppath_tf.names import named

BAD_FILE = "bad.json"
BAD_FORMAT = "vdroppath_tf.bad_videos/1"
SETTINGS_FILE = "settings.json"


@named
@dataclasses.dataclass(frozen=True)
class BadVideo:
    """A video that could not be converted.

    Attributes:
        number: of the video in its manifest.
        path: see `FrameSource.path`.
        origin: where it is listed.
        label: class number.
        reason: the error it gave.
        shard: the file it would be in.
    """

    number: int
    path: str
    origin: str
    label: int
    reason: str
    shard: str


@named
@dataclasses.dataclass(frozen=True)
class Part:
    """One finished shard.

    Attributes:
        shard: the file.
        records: its records by the number of the video in the manifest.
        bad: the videos that are missing from it.
    """

    shard: Shard
    records: dict[int, Record]
    bad: tuple[BadVideo, ...]

    def is_whole(self, folder: Path) -> bool:
        """Whether the shard's file is there."""
        file = folder / self.shard.file
        return file.is_file() and file.stat().st_size == self.shard.bytes


def part_file(folder: Path, shard: str) -> Path:
    """Where the part of a shard is."""
    return folder / f"{shard}.json"


def write_part(folder: Path, part: Part) -> None:
    """Writes what is known of a finished shard."""
    fields = {
        "shard": dataclasses.asdict(part.shard),
        "records": {number: row_of(record) for number, record in part.records.items()},
        "bad": [dataclasses.asdict(video) for video in part.bad],
    }
    write_text(part_file(folder, part.shard.file), json.dumps(fields) + "\n")


def read_parts(folder: Path, shards: Sequence[str]) -> dict[str, Part]:
    """What earlier runs finished, by the name of the shard.

    Raises:
        ValueError: a file of theirs is damaged.
    """
    if (folder / INDEX_FILE).exists():
        parts = _split(folder)
    else:
        parts = [_part(part_file(folder, s)) for s in shards if part_file(folder, s).exists()]
    return {part.shard.file: part for part in parts if part.is_whole(folder)}


def _part(path: Path) -> Part:
    try:
        fields = json.loads(read_bytes(path))
        records = {int(number): made_of(row) for number, row in fields["records"].items()}
        bad = tuple(BadVideo(**video) for video in fields["bad"])
        return Part(Shard(**fields["shard"]), records, bad)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: is damaged ({error}). Remove it and run again.") from None


def _split(folder: Path) -> list[Part]:
    """The parts that an index was made of."""
    path = folder / INDEX_FILE
    try:
        index, bad = Index.from_json(read_bytes(path)), read_bad(folder)
        missing = {video.number for video in bad}
        if len(missing) != index.bad:
            raise ValueError(f"{BAD_FILE} names {len(missing)} bad videos, not {index.bad}")
        numbers = (k for k in range(len(index.records) + len(bad)) if k not in missing)
        records = dict(zip(numbers, index.records, strict=True))
    except ValueError as error:
        raise ValueError(
            f"{path}: {error}. Remove it and run again, to convert the videos anew."
        ) from None
    return [
        Part(
            shard,
            {number: record for number, record in records.items() if record.shard == k},
            tuple(video for video in bad if video.shard == shard.file),
        )
        for k, shard in enumerate(index.shards)
    ]


def read_bad(folder: str | os.PathLike[str]) -> tuple[BadVideo, ...]:
    """The videos that are missing from a folder of records.

    Raises:
        ValueError: `bad.json` is missing or damaged.
    """
    path = Path(folder) / BAD_FILE
    try:
        fields = read_json(read_bytes(path), BAD_FORMAT)
        return tuple(BadVideo(**video) for video in fields["videos"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: is missing or damaged ({error})") from None


def write_bad(folder: Path, bad: Iterable[BadVideo]) -> None:
    """Writes `bad.json`."""
    rows = (json.dumps(dataclasses.asdict(video)) for video in bad)
    text = f'{{"format": "{BAD_FORMAT}", "videos": [\n' + ",\n".join(rows) + "\n]}\n"
    write_text(folder / BAD_FILE, text)
