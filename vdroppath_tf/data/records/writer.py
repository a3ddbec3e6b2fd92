"""Writes videos as TFRecord files of JPEG frames; `reader` reads them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vdroppath_tf.data.faults.fault import MAX_BAD_FRACTION
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.records.frames import FrameEncoder, short_names
from vdroppath_tf.data.records.index import INDEX_FILE, INDEX_FORMAT, Index
from vdroppath_tf.data.records.job import Job
from vdroppath_tf.data.records.parts import SETTINGS_FILE, BadVideo, Part, part_file, write_bad
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.files import create_or_verify, write_text
from vdroppath_tf.names import named

_SHARD_VIDEOS = 1000  # the default number of videos in a shard
_SHARDS = 16  # the smallest default number of shards, so that several machines can share them


@named
@dataclasses.dataclass(frozen=True)
class Written:
    """The result of `write_records`.

    Attributes:
        folder: The folder of the records.
        videos: The number of videos written, in this and earlier runs.
        bad: The videos that could not be written.
        bytes: The size of all shards.

    Example:
        ```python
        written = write_records("records", manifest, short_edge=256)
        print(written.videos, len(written.bad), written.bytes)
        ```
    """

    folder: Path
    videos: int
    bad: tuple[BadVideo, ...]
    bytes: int


@named
def write_records(
    folder: str | os.PathLike[str],
    manifest: Manifest,
    *,
    short_edge: int | None = None,
    quality: int = 90,
    shards: int | None = None,
    workers: int | None = None,
    max_bad_fraction: float = MAX_BAD_FRACTION,
    on_video: Callable[[int, int], None] | None = None,
) -> Written:
    """Writes the videos of a manifest as TFRecord shards of JPEG frames, with an index.

    Frames keep their times, so that clips can also be sampled at a rate (`fps=`) from records: the
    times of video files, and those that `manifest.at_rate()` gives to pictures.

    A shard is written whole or not at all. A run that was stopped resumes with the missing shards.
    Consecutive videos go to different shards, so that each shard holds all classes of a sorted
    list; the index keeps the order of the manifest.

    Args:
        folder: The folder to write to: empty, missing, or with the same conversion. Its name is the
            prefix of the names of the shards.
        manifest: The videos. For an entry with `num_frames`, only that many frames are written.
            Those of `manifest.with_square_pixels()` are written as players show them.
        short_edge: The length of the shorter side in pixels, to which frames are scaled (bilinear,
            the aspect ratio is kept). Defaults to None, the stored size.
        quality: The quality of JPEG, 1 to 100. Defaults to 90.
        shards: The number of files. Defaults to one for each 1,000 videos, but at least 16 (or one
            for each video).
        workers: The number of threads, each of which decodes and encodes one shard at a time.
            Defaults to one for each core.
        max_bad_fraction: The share of videos that may be bad; one always may, unless it is 0. They
            are left out, and listed in `bad.json`. Defaults to 0.1.
        on_video: Called after each video with the number of videos done and the number of all, for
            a progress bar; by several threads, one at a time. Defaults to None.

    Returns:
        What was written, and which videos could not be.

    Raises:
        VideoError: If too many videos are bad; finished shards are kept.
        OSError: If a file cannot be written; finished shards are kept.
        ValueError: If an argument is out of range, or the folder holds anything else.

    Example:
        ```python
        written = write_records("records", open_manifest("train.txt", root="videos"), short_edge=64)
        ```
    """
    if not 0 <= max_bad_fraction <= 1:
        raise ValueError(f"max_bad_fraction must be 0 to 1. Received: {max_bad_fraction}.")
    if "://" in os.fspath(folder):
        raise ValueError(f"{folder}: is a URL. Write the records to a local folder, then copy it.")
    home, count = Path(os.path.abspath(folder)), _shard_count(len(manifest), shards)
    encoder = FrameEncoder(short_edge, quality)
    names = short_names(manifest)
    settings: dict[str, Any] = {
        "format": INDEX_FORMAT,
        "short_edge": short_edge,
        "quality": quality,
    }
    if manifest.directional:
        settings["directional"] = True
    if manifest.multi_label:
        settings["multi_label"] = True
    if any(_is_square(entry) for entry in manifest):
        settings["square_pixels"] = True
    settings |= {"shards": count, "videos": len(manifest), "manifest": _digest(manifest, names)}
    create_or_verify(home / SETTINGS_FILE, settings, holds="set of records")
    files = [f"{home.name or 'records'}-{k:05d}-of-{count:05d}.tfrecord" for k in range(count)]
    job = Job(home, manifest, names, encoder, files, max_bad_fraction, on_video)
    parts = job.run(workers or len(os.sched_getaffinity(0)))
    return _finish(home, manifest, settings, parts)


def _is_square(entry: VideoEntry) -> bool:
    video = entry.source.whole
    return isinstance(video, VideoFile) and video.square_pixels


def _shard_count(videos: int, shards: int | None) -> int:
    if not videos:
        raise ValueError("the manifest has no video. Expected at least one.")
    if shards is None:
        return min(videos, max(_SHARDS, -(-videos // _SHARD_VIDEOS)))
    if not 1 <= shards <= min(videos, 99_999):
        raise ValueError(
            f"shards must be 1 to {min(videos, 99_999)} for {videos} videos. Received: {shards}."
        )
    return shards


def _digest(manifest: Manifest, names: list[str]) -> str:
    rows = [
        (name, list(e.labels) if manifest.multi_label else e.label, e.num_frames, *e.source.parts)
        for name, e in zip(names, manifest, strict=True)
    ]
    return hashlib.sha256(repr((manifest.labels, rows)).encode()).hexdigest()


def _finish(
    folder: Path, manifest: Manifest, settings: dict[str, Any], parts: list[Part]
) -> Written:
    """Writes the index from the parts, and removes them."""
    records = dict(sorted((k, r) for part in parts for k, r in part.records.items()))
    bad = tuple(sorted((v for part in parts for v in part.bad), key=lambda video: video.number))
    shards = tuple(part.shard for part in parts)
    index = Index(settings, manifest.labels, shards, tuple(records.values()), len(bad))
    write_bad(folder, bad)
    write_text(folder / INDEX_FILE, index.to_json())
    for shard in shards:
        part_file(folder, shard.file).unlink(missing_ok=True)
    return Written(folder, len(records), bad, sum(shard.bytes for shard in shards))
