"""Decodes every frame of every video with the decoder of training, and reports the bad ones.

Findings are written to a journal at once, so that a run that was stopped resumes from there.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vdroppath_tf.brief import brief
from vdroppath_tf.data.faults.fault import Fault
from vdroppath_tf.data.faults.journal import READING, Finding, Stamp, appending, read_journal
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.parallel import map_ahead
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.decode import scaled_size
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.data.sources.zipped_file import split_zip
from vdroppath_tf.names import named

_EDGE = 32  # pixels: everything is decoded in full, but kept at a small size
_QUICK = 3  # frames of each video that a quick check decodes
_CHUNK_BYTES = 1 << 25  # bytes of scaled frames in memory, for each thread


@named
@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """The findings of the doctor for all videos.

    Attributes:
        findings: One finding for each video, in the order of the manifests.
        faults: The bad videos.
        known: The number of findings that were taken from the journal.
        decoded: The number of frames decoded in this run.
        seconds: The duration of this run.

    Example:
        ```python
        found = diagnose([("train", manifest)], "doctor.jsonl")
        print(found.sizes(), len(found.faults))
        ```
    """

    findings: tuple[Finding, ...]
    faults: tuple[Fault, ...]
    known: int
    decoded: int
    seconds: float

    __repr__ = brief

    def sizes(self) -> list[tuple[str, int]]:
        """Returns sizes such as "320x240" with their number of videos, the most frequent first."""
        good = (f"{f.width}x{f.height}" for f in self.findings if f.error is None)
        return collections.Counter(good).most_common()

    def cut(self) -> list[Finding]:
        """Returns readable videos that begin with frames that cannot be shown, the worst first.

        They were cut from longer videos without encoding, so that references are missing.
        """
        found = [f for f in self.findings if f.error is None and f.dropped]
        return sorted(found, key=lambda finding: -finding.dropped)


def examine(entry: VideoEntry, *, quick: bool = False) -> Finding:
    """Decodes one video, in chunks of limited size; with `quick`, only its ends and its middle.

    Only errors of the video become a finding; any other exception is raised.
    """
    stamp = _stamp(entry.source.whole.path)
    try:
        info = entry.info()
        edge = min(_EDGE, info.height, info.width)
        height, width = scaled_size(info.height, info.width, edge)
        chunk = max(1, _CHUNK_BYTES // (height * width * 3))
        last = info.num_frames - 1
        frames = sorted({0, last // 2, last}) if quick else range(info.num_frames)
        for first in range(0, len(frames), chunk):
            entry.source.read(frames[first : first + chunk], short_edge=edge)
    except VideoError as error:
        return Finding(_key(entry), stamp, error=str(error))
    return Finding(
        _key(entry), stamp, info.num_frames, info.height, info.width, dropped=_dropped(entry)
    )


@named
def diagnose(
    manifests: Sequence[tuple[str, Manifest]],
    journal: str | os.PathLike[str],
    *,
    workers: int | None = None,
    on_video: Callable[[Finding], object] | None = None,
    quick: bool = False,
) -> Diagnosis:
    """Examines every video, in parallel; resumes an earlier run with the same journal.

    A readable video is not decoded again if its file has the same size and time as then. Bad videos
    are, since they may have been repaired, or the cause may have been elsewhere.

    Args:
        manifests: Pairs of a split and its videos.
        journal: The file of findings, JSON lines; remove it to start over.
        workers: The number of threads. Defaults to one for each core.
        on_video: Called with each finding, for a progress bar. Defaults to None.
        quick: Whether three frames of each video are decoded instead of all. Use a separate
            journal, since a later run without it would reuse its findings. Defaults to False.

    Returns:
        The findings for all videos.

    Raises:
        ValueError: If the journal is some other file.

    Example:
        ```python
        found = diagnose([("train", manifest)], "doctor.jsonl")
        write_quarantine("quarantine.json", found.faults, [manifest])
        ```
    """
    start = time.monotonic()
    before = read_journal(Path(journal))
    entries = [(split, entry) for split, manifest in manifests for entry in manifest]
    findings = []
    known = decoded = 0

    def find(item: tuple[str, VideoEntry]) -> tuple[Finding, bool]:
        old = before.get(_key(item[1]))
        if old is not None and _holds(old, item[1]):
            return old, True
        return examine(item[1], quick=quick), False

    with appending(Path(journal)) as write:
        for finding, old in map_ahead(find, entries, workers=workers):
            if not old:
                write(finding)
                decoded += min(finding.frames, _QUICK) if quick else finding.frames
            known += old
            findings.append(finding)
            if on_video is not None:
                on_video(finding)
    faults = tuple(
        Fault(entry.path, entry.origin, split, finding.error, "doctor", count=0)
        for (split, entry), finding in zip(entries, findings, strict=True)
        if finding.error is not None
    )
    return Diagnosis(tuple(findings), faults, known, decoded, time.monotonic() - start)


def _dropped(entry: VideoEntry) -> int:
    """Returns the number of frames that a video file lost at its beginning."""
    whole = entry.source.whole
    return whole.info().dropped if isinstance(whole, VideoFile) else 0


def _key(entry: VideoEntry) -> str:
    """Returns the key of a video in the journal: its path, and the chosen part of it."""
    return ", ".join((entry.path, *entry.source.parts))


def _holds(old: Finding, entry: VideoEntry) -> bool:
    """Returns whether an earlier finding still holds for a video."""
    stamp = _stamp(entry.source.whole.path)
    read_so = old.error is None and old.reading == READING
    unchanged = read_so and old.stamp is not None and old.stamp == stamp
    return unchanged and (entry.num_frames is None or old.frames >= entry.num_frames)


def _stamp(path: str) -> Stamp | None:
    """Returns size, time and number of files for a file, an archive, or all files of a folder."""
    if (parts := split_zip(path)) is not None:
        path = parts[0]
    while not os.path.lexists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    try:
        if not os.path.isdir(path):
            status = os.stat(path)
            return [status.st_size, status.st_mtime_ns, 1]
        stats = [file.stat() for file in os.scandir(path)]
        times = [status.st_mtime_ns for status in stats]
        return [sum(status.st_size for status in stats), max(times, default=0), len(stats)]
    except OSError:
        return None
