"""The progress of a run, in a file of its folder that ``vdroppath status`` reads."""

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

PROGRESS_FILE = ".progress.json"  # hidden: it is not resumed, copied or compared
FORMAT = "vdroppath_tf.progress/1"


@named
@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        state: ``"running"``, ``"finished"``, ``"stopped"`` or ``"failed"``.
        phases: The names of the phases, and the epochs of each.
        number: The number of the current phase, from 0.
        epoch: The number of its finished epochs.
        step: The number of finished steps of the current epoch.
        steps: The number of steps in an epoch.
        clips_per_second: The number of training clips per second, or None.
        wait_share: The share of the time in which the network waits for clips, or None.
        memory_bytes: The peak memory of the process.
        seconds_left: The time that the rest of all phases will take, or None.
        metrics: The logs of the last epoch.
        bad: The warnings, one line each.
        error: The error that ended a failed run.
        process: The process number.
        host: The name of the machine.
        written: The time of writing, in seconds since 1970.
        command: The command line that continues the run, or "".

    Example:
    ```python
    progress = Progress(phases=(("search", 12),), steps=100)
    progress.now(epoch=1, step=20).write(Path("run"))
    ```
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
    command: str = ""

    def write(self, folder: Path) -> None:
        """Writes the file; a full disk or a missing folder does not stop the training."""
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1)
        try:
            with replacing(folder / PROGRESS_FILE, shared=False, durable=False) as new:
                new.write_text(text + "\n", encoding="utf-8")
        except OSError:
            pass

    def now(self, **changes: Any) -> Progress:
        """Returns a copy with other values and the current time."""
        return dataclasses.replace(self, **{"written": time.time(), **changes})


@named
def read_progress(folder: Path) -> Progress | None:
    """Reads the progress of the run in a folder; None if there is no file.

    Raises:
        ValueError: If the file has other content.

    Example:
    ```python
    progress = read_progress(Path("run"))
    print(progress and progress.state)
    ```
    """
    file = folder / PROGRESS_FILE
    if not file.is_file():
        return None
    names = [field.name for field in dataclasses.fields(Progress)]
    try:
        fields = read_json(read_text(file), FORMAT, names, optional=["command"])
        phases = tuple((str(name), int(epochs)) for name, epochs in fields.pop("phases"))
        return Progress(**{**fields, "phases": phases, "bad": tuple(fields["bad"])})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: is not the progress of a run ({error}). Remove it.") from None
