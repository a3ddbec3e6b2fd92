"""The doctor's journal: JSON lines, one a video, from which a stopped run resumes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from vdroppath_tf.data.sources.index import INDEX_FORMAT
from vdroppath_tf.files import open_text, parse_json
from vdroppath_tf.names import named

_FORMAT = "vdroppath_tf.doctor_journal/1"

READING = INDEX_FORMAT
"""The version of reading videos; it changes whenever the frames of videos do."""

Stamp = list[int]
"""Size, modification time and number of files, which identify an unchanged video."""


@named
@dataclasses.dataclass(frozen=True)
class Finding:
    """The finding of the doctor for one video.

    Attributes:
        path: See `FrameSource.path`.
        stamp: The stamp of its file before it was read; None if there is none.
        frames: The number of frames that were decoded.
        height, width: The size of a frame, in pixels; 0 if it cannot be read.
        error: The error, or None.
        dropped: The number of frames at its beginning that cannot be shown, see `FrameIndex`.
        reading: The version of reading videos; findings of another version are not reused, since
            it may, for example, not have turned frames upright.

    Example:
        ```python
        found = diagnose([("train", manifest)], "doctor.jsonl")
        bad = [finding.path for finding in found.findings if finding.error is not None]
        ```
    """

    path: str
    stamp: Stamp | None
    frames: int = 0
    height: int = 0
    width: int = 0
    error: str | None = None
    dropped: int = 0
    reading: str = READING


def read_journal(path: Path) -> dict[str, Finding]:
    """Reads findings by path, the last one for each; skips a line that was not written in full."""
    if not path.exists():
        return {}
    found = {}
    with open_text(path, errors="surrogateescape") as file:
        if file.readline() != _header():
            raise ValueError(
                f"{path}: is not a journal of this doctor. Remove it, or pass another --out."
            )
        for line in file:
            with contextlib.suppress(ValueError, TypeError):
                finding = Finding(**{"reading": "", **parse_json(line)})
                found[finding.path] = finding
    return found


def _header() -> str:
    return json.dumps({"format": _FORMAT}) + "\n"


@contextlib.contextmanager
def appending(path: Path) -> Iterator[Callable[[Finding], None]]:
    """Yields a function that appends a finding to a journal and flushes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
        # An empty line ends a line that was cut off.
        file.write("\n" if file.tell() else _header())

        def write(finding: Finding) -> None:
            file.write(json.dumps(dataclasses.asdict(finding)) + "\n")
            file.flush()

        yield write
