"""Writes the shards of a conversion to records, several at a time."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

import tensorflow as tf

from vdroppath_tf.data.faults.fault import allowed_bad
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.records.frames import FrameEncoder
from vdroppath_tf.data.records.parts import (
    BAD_FILE,
    BadVideo,
    Part,
    read_parts,
    write_bad,
    write_part,
)
from vdroppath_tf.data.records.record import FRAMING, Record, Shard
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.files import replacing, sha256_of
from vdroppath_tf.names import named


class _StoppedError(Exception):
    """Ends the remaining threads after one of them failed."""


@named
class Job:
    """The shards of one conversion, written several at a time."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        names: list[str],
        encoder: FrameEncoder,
        files: list[str],
        max_bad_fraction: float,
        on_video: Callable[[int, int], None] | None,
    ) -> None:
        self._folder, self._manifest, self._names = folder, manifest, names
        self._encoder, self._files, self._on_video = encoder, files, on_video
        self._fraction = max_bad_fraction
        self._there = read_parts(folder, files)
        self._done = 0
        self._bad = {video.number: video for part in self._there.values() for video in part.bad}
        self._lock, self._stopped = threading.Lock(), False

    def run(self, workers: int) -> list[Part]:
        """Writes the missing shards and returns all parts, including those of earlier runs."""
        self._raise_if_too_many()
        with ThreadPoolExecutor(workers) as pool:
            running = [pool.submit(self._shard, number) for number in range(len(self._files))]
            try:
                wait(running, return_when=FIRST_EXCEPTION)
            finally:
                self._stopped = any(not shard.done() for shard in running)
                pool.shutdown(cancel_futures=True)
                if self._bad:
                    write_bad(self._folder, (self._bad[k] for k in sorted(self._bad)))
        for shard in running:
            error = None if shard.cancelled() else shard.exception()
            if error is not None and not isinstance(error, _StoppedError):
                raise error
        return [shard.result() for shard in running]

    def _shard(self, number: int) -> Part:
        numbers = range(number, len(self._manifest), len(self._files))
        file = self._folder / self._files[number]
        part = self._there.get(file.name)
        if part is None:
            part = self._write(file, number, numbers)
            write_part(self._folder, part)
        else:
            self._progress(len(numbers))
        return part

    def _write(self, file: Path, shard: int, numbers: range) -> Part:
        """Writes a shard next to its target and renames it, so that it is whole or missing."""
        records, bad, offset = {}, [], 0
        try:
            with replacing(file, shared=False) as new:
                with tf.io.TFRecordWriter(str(new)) as writer:
                    for number in numbers:
                        made = self._convert(number, file.name)
                        if isinstance(made, BadVideo):
                            bad.append(made)
                        else:
                            data, record = made
                            writer.write(data)
                            record = dataclasses.replace(record, shard=shard, offset=offset)
                            records[number] = record
                            offset += record.length
                        self._progress(1)
                digest = sha256_of(new)
        except tf.errors.OpError as error:  # for example, a full disk
            raise OSError(f"{file}: cannot be written ({error.message}).") from None
        return Part(Shard(file.name, offset, digest), records, tuple(bad))

    def _convert(self, number: int, shard: str) -> tuple[bytes, Record] | BadVideo:
        if self._stopped:
            raise _StoppedError
        entry, name = self._manifest.entries[number], self._names[number]
        try:
            made, (frames, height, width) = self._encoder.encode(entry, name)
        except VideoError as error:
            video = BadVideo(number, entry.path, entry.origin, entry.label, str(error), shard)
            self._note(video)
            return video
        length = len(made.data) + sum(FRAMING)
        place = (0, 0, length, made.head, made.crc32)
        several = entry.labels if self._manifest.multi_label else None
        return made.data, Record(*place, entry.label, frames, height, width, name, several)

    def _note(self, video: BadVideo) -> None:
        with self._lock:
            self._bad[video.number] = video
        self._raise_if_too_many()

    def _raise_if_too_many(self) -> None:
        """Raises an error if there are more bad videos than allowed."""
        total, bad = len(self._manifest), list(self._bad.values())
        allowed = allowed_bad(self._fraction, total, total)
        if len(bad) > allowed:
            raise VideoError(
                f"{self._folder}: {len(bad)} of {total} videos could not be converted, and "
                f"max_bad_fraction={self._fraction:g} allows {allowed}. The last: "
                f"{bad[-1].reason} All are listed in {BAD_FILE}. Repair them, remove them from the "
                "list, or allow more; finished shards are kept."
            )

    def _progress(self, videos: int) -> None:
        with self._lock:
            self._done += videos
            if self._on_video is not None:
                self._on_video(self._done, len(self._manifest))
