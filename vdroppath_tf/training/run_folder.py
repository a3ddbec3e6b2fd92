"""Where a run is kept, and how often."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from vdroppath_tf.names import named
from vdroppath_tf.training.backup import Backup
from vdroppath_tf.training.interval import Interval
from vdroppath_tf.training.loggers import check_logs


@named
@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, and what ``train`` keeps in it.

    Attributes:
        folder: Checkpoints and TensorBoard's files go here.
        backup: The URL or the folder of a copy: the run is fetched from there first if the folder
            has none, and sent there after every checkpoint and at the end. Defaults to None.
        save_every: How often to save within an epoch, besides after each: a number of steps, such
            as ``500``, or a time, such as ``"10min"``. Defaults to None, never.
        picture_every: Epochs from one picture of the marginals in TensorBoard to the next; 0 draws
            none. Defaults to 1.
        log: What shows the run: ``"tensorboard"``, whose files go into the folder, ``"wandb"`` and
            ``"mlflow"``. Defaults to TensorBoard.

    Example:
    ```python
    RunFolder("run", save_every="10min")
    ```

    Raises:
        ValueError: If a value is none of these.
    """

    folder: str | os.PathLike[str]
    backup: str | None = None
    save_every: int | str | None = None
    picture_every: int = 1
    log: tuple[str, ...] = ("tensorboard",)

    def __post_init__(self) -> None:
        if self.picture_every < 0:
            raise ValueError(f"picture_every must be 0 or more. Received: {self.picture_every}.")
        check_logs(self.log)
        # what is refused is refused here, before anything is read
        _ = self.interval, self.copy

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)

    @functools.cached_property
    def interval(self) -> Interval:
        """``save_every``, read."""
        return Interval(self.save_every)

    @functools.cached_property
    def copy(self) -> Backup | None:
        """The copy, or None; one for all that is sent, since it knows what was."""
        return None if self.backup is None else Backup(self.path, self.backup)
