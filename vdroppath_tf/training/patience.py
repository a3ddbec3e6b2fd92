"""Ends a phase early if the validation loss has not improved for some epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from absl import logging

from vdroppath_tf.names import named
from vdroppath_tf.training.callbacks import Record
from vdroppath_tf.training.phase import Phase

WATCHED = "val_loss"


@named
def has_ended(history: Sequence[Mapping[str, Any]], phase: Phase, patience: int | None) -> bool:
    """Whether a phase has ended early, which follows from the history.

    Args:
        history: The logs of every epoch of the run.
        phase: The phase.
        patience: The number of epochs without a new best, or None for no early end.
    """
    if patience is None:  # as without validation videos, which give no loss to monitor
        return False
    losses = [entry[WATCHED] for entry in history if entry["phase"] == phase.name]
    if not losses:
        return False
    return len(losses) - 1 - losses.index(min(losses)) >= patience


@named
class StopWhenPatienceEnds(keras.callbacks.Callback):
    """Ends a phase early; must come after ``Record``, which keeps the history.

    Args:
        phase: The phase.
        record: The callback that keeps the history.
        patience: The number of epochs without a new best.
    """

    def __init__(self, phase: Phase, record: Record, patience: int) -> None:
        super().__init__()
        self.phase, self.record, self.patience = phase, record, patience

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch + 1 < self.phase.epochs and has_ended(
            self.record.history, self.phase, self.patience
        ):
            self.model.stop_training = True
            logging.info(
                "%s ends after epoch %d of %d: %s has not improved for %d epochs.",
                self.phase.name,
                epoch + 1,
                self.phase.epochs,
                WATCHED,
                self.patience,
            )
