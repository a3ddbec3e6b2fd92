"""Reads the TFRecord files of JPEG frames that `vdroppath convert` writes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence

from vdroppath_tf.data.manifest import NO_CLASS, Manifest, ManifestError, VideoEntry
from vdroppath_tf.data.records.index import INDEX_FILE, MAX_INDEX, Index
from vdroppath_tf.data.records.record import Shard
from vdroppath_tf.data.records.video import RecordVideo
from vdroppath_tf.data.remote.files import read_file, read_range
from vdroppath_tf.data.remote.urls import join, shown
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.names import named

_BLOCK = 1 << 24


@named
def read_index(folder: str | os.PathLike[str]) -> Index:
    """Reads the index of a folder of records.

    Args:
        folder: A folder that `write_records` wrote, or the URL of one.

    Returns:
        The index.

    Raises:
        ManifestError: If it is missing or invalid; the message names the file and the problem.

    Example:
        ```python
        write_records("records", manifest)
        len(read_index("records").records)
        ```
    """
    path = _inside(folder, INDEX_FILE)
    try:
        return Index.from_json(read_file(path, limit=MAX_INDEX))
    except VideoError as error:
        raise ManifestError(f"{error} Expected a folder that vdroppath convert wrote.") from None
    except ValueError as error:
        raise ManifestError(
            f"{shown(path)}: {error}. Copy the folder again, or convert the videos again."
        ) from None


@named
def read_records(
    folder: str | os.PathLike[str], *, labels: Sequence[str] | None = None
) -> Manifest:
    """Reads a folder of records as videos, in the order of the original manifest.

    Args:
        folder: A folder that `write_records` wrote, or the URL of one.
        labels: The names of the classes, in order, which must include those of the records.
            Defaults to those of the records. Records whose classes are only numbers keep them.

    Returns:
        The manifest.

    Raises:
        ManifestError: If there is no index, it is damaged, or `labels` lacks a class.

    Example:
        ```python
        write_records("records", manifest)
        manifest = read_records("records")  # or "s3://bucket/records"
        ```
    """
    index = read_index(folder)
    numbers = class_numbers(index.labels, labels, folder)
    origin = shown(_inside(folder, INDEX_FILE))
    entries = []
    for number, record in enumerate(index.records):
        shard = shard_path(folder, index.shards[record.shard])
        source = RecordVideo(shard, record, index.square_pixels)
        first, *more = sorted(numbers[label] for label in record.labels) or [NO_CLASS]
        entries.append(
            VideoEntry(
                source,
                first,
                record.num_frames,
                f"{origin}, record {number}",
                more_labels=tuple(more),
            )
        )
    return Manifest(
        tuple(entries),
        tuple(index.labels if labels is None else labels),
        shown(_absolute(folder)),
        index.directional,
        multi_label=index.multi_label,
    )


def class_numbers(
    own: tuple[str, ...], labels: Sequence[str] | None, folder: str | os.PathLike[str]
) -> list[int]:
    """Returns the number among `labels` of each class of the records, see `read_records`.

    Raises:
        ManifestError: If `labels` lacks a class.
    """
    if labels is None:
        return list(range(len(own)))
    names = {name: number for number, name in enumerate(labels)}
    if all(name in names for name in own):
        return [names[name] for name in own]
    if own == tuple(str(k) for k in range(len(own))) and len(own) <= len(labels):
        return list(range(len(own)))
    unknown = next(name for name in own if name not in names)
    raise ManifestError(
        f"{shown(_inside(folder, INDEX_FILE))}: class {unknown!r} is not among the labels "
        f"{list(labels)[:9]}."
    )


def shard_path(folder: str | os.PathLike[str], shard: Shard) -> str:
    """Returns the place of a shard: an absolute path or a URL."""
    return _inside(folder, shard.file)


@named
def check_shards(
    folder: str | os.PathLike[str], *, on_shard: Callable[[int, int], None] | None = None
) -> None:
    """Reads every shard and compares its checksum, for example after copying.

    Args:
        folder: See `read_records`.
        on_shard: Called after each shard with the number of shards done and the number of all.
            Defaults to None.

    Raises:
        ManifestError: See `read_records`.
        VideoError: If shards are missing or damaged; the message names them.

    Example:
        ```python
        check_shards("records")
        ```
    """
    index, damaged = read_index(folder), []
    for done, shard in enumerate(index.shards, start=1):
        digest, path = hashlib.sha256(), shard_path(folder, shard)
        try:
            for start in range(0, shard.bytes, _BLOCK):
                digest.update(read_range(path, start, min(_BLOCK, shard.bytes - start)))
            whole = digest.hexdigest() == shard.sha256
        except VideoError:
            whole = False
        if not whole:
            damaged.append(shard.file)
        if on_shard is not None:
            on_shard(done, len(index.shards))
    if damaged:
        raise VideoError(
            f"{shown(_absolute(folder))}: missing, or different from {INDEX_FILE}: "
            f"{', '.join(damaged)}. Copy them again, or remove them and run "
            "vdroppath convert again."
        )


def _inside(folder: str | os.PathLike[str], file: str) -> str:
    return join(_absolute(folder), file)


def _absolute(folder: str | os.PathLike[str]) -> str:
    text = os.fspath(folder)
    return text if "://" in text else os.path.abspath(text)
