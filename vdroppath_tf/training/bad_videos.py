"""Counts the videos that a run could not read in its logs, and lists them in a file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.faults.quarantine import read_quarantine, write_quarantine
from vdroppath_tf.names import named
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.runs import Clips

QUARANTINE_FILE = "quarantine.json"

_log = logging.getLogger(__name__)


@named
class CountFaults(keras.callbacks.Callback):
    """Adds the number of unreadable clips to the logs of an epoch, and updates the quarantine.

    ``bad_clips`` were replaced in training; ``val_bad_clips`` are left out of validation. The
    callback must come before those that keep the logs.

    Args:
        faults: The fault log of the run.
        clips: The videos of the run.
        first: The number of the phase's first epoch in the whole run.
        folder: The folder of the run, or None.
        start: The position of the run when this ``fit`` began.
        share: A function that shares the bad videos of each worker with all.
    """

    def __init__(
        self,
        faults: FaultLog,
        clips: Clips,
        first: int,
        folder: Path | None,
        start: Position,
        *,
        share: Callable[[], None],
    ) -> None:
        super().__init__()
        self.faults, self.clips, self.first, self.folder = faults, clips, first, folder
        self.start, self.share = start, share

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.share()
        videos = self.clips.validation
        earlier = self.start.bad_clips if epoch == self.start.epochs else 0
        logs["bad_clips"] = earlier + self.faults.replaced(self.first + epoch)
        if videos is not None:
            logs["val_bad_clips"] = len(videos) - self.faults.scored(videos, "validation")
        keep_quarantine(self.faults, self.clips, self.folder)


@named
def keep_quarantine(faults: FaultLog, clips: Clips, folder: Path | None) -> None:
    """Writes the bad videos of a run, including those of the run it resumes, to its folder."""
    found = {(fault.split, fault.path): fault for fault in faults.faults()}
    if folder is None or not found:
        return
    file = folder / QUARANTINE_FILE
    if file.exists():
        found = {(f.split, f.path): f for f in read_quarantine(file).faults} | found
    videos = [clips.train] if clips.validation is None else [clips.train, clips.validation]
    write_quarantine(file, found.values(), videos)


@named
def log_bad_videos(faults: FaultLog, clips: Clips, folder: Path | None) -> None:
    """Logs one line for each split with bad videos, at the end of a run."""
    where = "" if folder is None else f": see {folder / QUARANTINE_FILE}"
    for split, videos in (("train", clips.train), ("validation", clips.validation)):
        bad = len(faults.faults(split))
        if bad and videos is not None:
            text = f"{bad:,} of {len(videos):,} {split} videos could not be read{where}"
            _log.warning("%s", text)
