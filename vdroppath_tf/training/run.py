"""What the phases of one run share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vdroppath_tf.names import named
from vdroppath_tf.training.backup import Backup
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.clips import RecipeClips
from vdroppath_tf.training.run_folder import RunFolder
from vdroppath_tf.training.runs import Clips
from vdroppath_tf.training.shared_store import SharedStore
from vdroppath_tf.training.signals import StopSignals
from vdroppath_tf.training.workers import Workers


@named
@dataclass(frozen=True)
class Run:
    """What the phases of one run share.

    Attributes:
        clips: The videos.
        maker: The maker of the clips.
        kept: The settings of the run's folder, or None.
        store: The checkpoints in the folder, or None.
        backup: The copy of the folder, or None.
        signals: The requests to stop.
        on_step: A function called after every step, or None.
        verbose: Whether each epoch is shown in a line; 2 shows no progress bar.
        loggers: Callbacks of other libraries that show the run.
        workers: The processes that train together; only the first writes files.
    """

    clips: Clips
    maker: RecipeClips
    kept: RunFolder | None
    store: CheckpointStore | SharedStore | None
    backup: Backup | None
    signals: StopSignals
    on_step: Callable[[], None] | None
    verbose: int | str
    workers: Workers
    loggers: Sequence[Any] = ()

    @property
    def folder(self) -> Path | None:
        """The folder of the run that this process writes to, or None."""
        return None if self.kept is None or not self.workers.chief else self.kept.path

    def share_faults(self) -> None:
        """Shares the bad videos of each worker with all workers."""
        if self.workers.count > 1:
            for found in self.workers.gather(self.maker.faults.fields()):
                self.maker.faults.join(found)

    @property
    def steps_per_epoch(self) -> int:
        """The number of whole batches of training videos."""
        return len(self.clips.train) // self.maker.recipe.batch_size
