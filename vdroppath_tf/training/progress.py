"""How far a run is, in a file of its folder that ``vdroppath status`` reads."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from vdroppath_tf.files import read_json, read_text, replacing
from vdroppath_tf.names import named

PROGRESS_FILE = ".progress.json"  # hidden: no part of what is resumed, copied or compared
FORMAT = "vdroppath_tf.progress/1"


@named
@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        state: ``"running"``, ``"finished"``, ``"stopped"`` or ``"failed"``.
        phases: The names of the phases, and the epochs of each.
        number: The phase that is trained, from 0.
        epoch: Its finished epochs.
        step: The finished steps of the epoch under way.
        steps: The steps of an epoch.
        clips_per_second: Clips that are trained on in a second, or None.
        wait_share: The share of the time in which the network waits for clips, or None.
        memory_bytes: The most memory the process has held.
        seconds_left: What all phases still take, or None.
        metrics: What the last epoch logged.
        bad: What goes wrong, a line each.
        error: What ended a run that failed.
        process: The number of the process.
        host: The machine it runs on.
        written: When this was written, in seconds since 1970.
    """

    state: str = "running"
    phases: tuple[tuple[str, int], ...] = ()
    number: int = 0
    epoch: int = 0
    step: int = 0
    steps: int = 0
    clips_per_second: float | None = None
    wait_share: float | None = None
    memory_bytes: int = 0
    seconds_left: float | None = None
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    bad: tuple[str, ...] = ()
    error: str = ""
    process: int = dataclasses.field(default_factory=os.getpid)
    host: str = dataclasses.field(default_factory=socket.gethostname)
    written: float = dataclasses.field(default_factory=time.time)

    def write(self, folder: Path) -> None:
        """Writes it; a disk that is full, or a folder that is gone, keeps no run from training."""
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1)
        try:
            with replacing(folder / PROGRESS_FILE, shared=False, durable=False) as new:
                new.write_text(text + "\n", encoding="utf-8")
        except OSError:
            pass

    def now(self, **changes: Any) -> Progress:
        """The same with other values, written now."""
        return dataclasses.replace(self, **{"written": time.time(), **changes})


@named
def read_progress(folder: Path) -> Progress | None:
    """How far the run in a folder is; None where nothing says so.

    Raises:
        ValueError: If the file holds something else.
    """
    file = folder / PROGRESS_FILE
    if not file.is_file():
        return None
    names = [field.name for field in dataclasses.fields(Progress)]
    try:
        fields = read_json(read_text(file), FORMAT, names)
        phases = tuple((str(name), int(epochs)) for name, epochs in fields.pop("phases"))
        return Progress(**{**fields, "phases": phases, "bad": tuple(fields["bad"])})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: does not say how far a run is ({error}). Remove it.") from None
