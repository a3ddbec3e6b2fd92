"""The doctor's journal: JSON lines, one a video, so that a doctor that was stopped goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from vdroppath_tf.data.sources.index import INDEX_FORMAT
from vdroppath_tf.names import named

_FORMAT = "vdroppath_tf.doctor_journal/1"

READING = INDEX_FORMAT
"""How videos are read: another one for each change in what their frames are."""

Stamp = list[int]
"""Size, time of change and number of files: by these a video is known to be the same as before."""


@named
@dataclasses.dataclass(frozen=True)
class Finding:
    """What the doctor found of one video.

    Attributes:
        path: see `FrameSource.path`.
        stamp: of its file, before it was read; None where there is none.
        frames: how many were decoded.
        height, width: of a frame, in pixels; 0 where it cannot be read.
        error: what is wrong with it, or None.
        dropped: frames at its beginning that cannot be shown, see `FrameIndex`.
        reading: how videos were read when it was found; findings of versions that read them in
            another way, without turning them upright for one, are not taken again.
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
    """Findings by path, the last of each; a line that was not written to its end is passed over."""
    if not path.exists():
        return {}
    found = {}
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        if file.readline() != _header():
            raise ValueError(
                f"{path}: is no journal of this doctor. Remove it, or pass another --out."
            )
        for line in file:
            with contextlib.suppress(ValueError, TypeError):
                finding = Finding(**{"reading": "", **json.loads(line)})
                found[finding.path] = finding
    return found


def _header() -> str:
    return json.dumps({"format": _FORMAT}) + "\n"


@contextlib.contextmanager
def appending(path: Path) -> Iterator[Callable[[Finding], None]]:
    """Gives a function that adds a finding at the end of a journal, at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
        # After a line that was cut off, the next begins a new one.
        file.write("\n" if file.tell() else _header())

        def write(finding: Finding) -> None:
            file.write(json.dumps(dataclasses.asdict(finding)) + "\n")
            file.flush()

        yield write
