"""RunFolder: where a run is saved, and how often."""

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
    """The folder of a run, and how ``train`` uses it.

    Attributes:
        folder: The folder for checkpoints and TensorBoard's files.
        backup: The URL or folder of a copy: if the folder holds no run, the run is fetched from
            there; it is sent there after every checkpoint and at the end. Defaults to None.
        save_every: How often to save within an epoch, in addition to after each epoch: a number of
            steps, such as ``500``, or a time, such as ``"10min"``. Defaults to None, never.
        picture_every: The number of epochs from one picture of the marginals in TensorBoard to the
            next; 0 draws none. Defaults to 1.
        log: The loggers of the run: ``"tensorboard"``, whose files are written to the folder,
            ``"wandb"`` and ``"mlflow"``. Defaults to TensorBoard.
        command: The command line that continues the run, which ``vdroppath status`` shows.
            Defaults to "", none.

    Example:
    ```python
    RunFolder("run", save_every="10min")
    ```

    Raises:
        ValueError: If a value is invalid.
    """

    folder: str | os.PathLike[str]
    backup: str | None = None
    save_every: int | str | None = None
    picture_every: int = 1
    log: tuple[str, ...] = ("tensorboard",)
    command: str = ""

    def __post_init__(self) -> None:
        if self.picture_every < 0:
            raise ValueError(f"picture_every must be 0 or more. Received: {self.picture_every}.")
        check_logs(self.log)
        # invalid values raise here, before anything is read
        _ = self.interval, self.copy

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)

    @functools.cached_property
    def interval(self) -> Interval:
        """``save_every`` as an ``Interval``."""
        return Interval(self.save_every)

    @functools.cached_property
    def copy(self) -> Backup | None:
        """The backup, or None; one object, since it remembers what was sent."""
        return None if self.backup is None else Backup(self.path, self.backup)
