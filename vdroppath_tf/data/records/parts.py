"""The files of an unfinished conversion to records next to its shards, from which it resumes.

`settings.json` describes the conversion. Each finished shard has a part, `SHARD.json`, until all
are finished; then `index.json` and `bad.json` replace the parts.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from vdroppath_tf.data.records.index import INDEX_FILE, Index
from vdroppath_tf.data.records.record import Record, Shard, made_of, row_of
from vdroppath_tf.files import parse_json, read_bytes, read_json, write_text
from vdroppath_tf.names import named

BAD_FILE = "bad.json"
BAD_FORMAT = "vdroppath_tf.bad_videos/1"
SETTINGS_FILE = "settings.json"


@named
@dataclasses.dataclass(frozen=True)
class BadVideo:
    """A video that could not be converted.

    Attributes:
        number: The number of the video in its manifest.
        path: See `FrameSource.path`.
        origin: Its place in the list.
        label: The class number.
        reason: The error.
        shard: The file in which it would be.

    Example:
        ```python
        written = write_records("records", manifest)
        for video in written.bad:
            print(video.path, video.reason)
        ```
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
        shard: The file.
        records: Its records, by the number of the video in the manifest.
        bad: The videos that are missing from it.
    """

    shard: Shard
    records: dict[int, Record]
    bad: tuple[BadVideo, ...]

    def is_whole(self, folder: Path) -> bool:
        """Returns whether the shard's file exists with its full size."""
        file = folder / self.shard.file
        return file.is_file() and file.stat().st_size == self.shard.bytes


def part_file(folder: Path, shard: str) -> Path:
    """Returns the path of the file of a part."""
    return folder / f"{shard}.json"


def write_part(folder: Path, part: Part) -> None:
    """Writes the part of a finished shard."""
    fields = {
        "shard": dataclasses.asdict(part.shard),
        "records": {number: row_of(record) for number, record in part.records.items()},
        "bad": [dataclasses.asdict(video) for video in part.bad],
    }
    write_text(part_file(folder, part.shard.file), json.dumps(fields) + "\n")


def read_parts(folder: Path, shards: Sequence[str]) -> dict[str, Part]:
    """Reads the parts that earlier runs finished, by the name of the shard.

    Raises:
        ValueError: If one of their files is damaged.
    """
    if (folder / INDEX_FILE).exists():
        parts = _split(folder)
    else:
        parts = [_part(part_file(folder, s)) for s in shards if part_file(folder, s).exists()]
    return {part.shard.file: part for part in parts if part.is_whole(folder)}


def _part(path: Path) -> Part:
    try:
        fields = parse_json(read_bytes(path))
        records = {int(number): made_of(row) for number, row in fields["records"].items()}
        bad = tuple(BadVideo(**video) for video in fields["bad"])
        return Part(Shard(**fields["shard"]), records, bad)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: is damaged ({error}). Remove it and run again.") from None


def _split(folder: Path) -> list[Part]:
    """Returns the parts from which an index was made."""
    path = folder / INDEX_FILE
    try:
        index, bad = Index.from_json(read_bytes(path)), read_bad(folder)
        missing = {video.number for video in bad}
        if len(missing) != index.bad:
            raise ValueError(f"{BAD_FILE} lists {len(missing)} bad videos instead of {index.bad}")
        numbers = (k for k in range(len(index.records) + len(bad)) if k not in missing)
        records = dict(zip(numbers, index.records, strict=True))
    except ValueError as error:
        raise ValueError(
            f"{path}: {error}. Remove it and run again, to convert the videos again."
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
    """Reads the list of videos that are missing from a folder of records.

    Raises:
        ValueError: If `bad.json` is missing or damaged.
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
