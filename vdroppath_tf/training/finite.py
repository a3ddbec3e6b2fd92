"""Stops training at a loss of NaN or infinity, before a checkpoint keeps it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named

_REMEDY = (
    "Lower the learning rate (or the prior: prior_strength, weight_reg), or look for damaged "
    "labels or clips."
)
_NAMED = 4  # the number of videos of a batch that an error lists
_STATISTICS = ("moving_mean", "moving_variance")


class NonFiniteLossError(ArithmeticError):
    """The loss became NaN or infinite."""


@named
class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Stops at the step whose loss is NaN or infinite, before a checkpoint keeps it.

    The last step of an epoch may corrupt the weights after its loss was computed, so the weights
    are checked at the end of each epoch. The callback must come before ``Record``.

    Args:
        phase: The name of the phase.
        folder: The folder of the run, or None.
        batch: A function from the number of the epoch in the phase and of the step in the epoch,
            from 0, to the names of the step's videos. Defaults to None: names are not known.
        begun: The epoch in which this ``fit`` began, and the steps of it that were already done.
    """

    def __init__(
        self,
        phase: str,
        folder: Path | None = None,
        *,
        batch: Callable[[int, int], Sequence[str]] | None = None,
        begun: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__()
        self.phase, self.folder, self.batch, self.begun = phase, folder, batch, begun
        self.epoch = self.step = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        first_epoch, steps = self.begun
        self.step = batch + (steps if self.epoch == first_epoch else 0)
        found = logs or {}
        loss = float(found.get("loss", 0.0))
        if not math.isfinite(loss):
            where = first_not_finite(self.model, found)
            raise NonFiniteLossError(
                f"The loss is {loss} in {self._place()}. {where}{self._videos()} "
                f"{_REMEDY}{self._kept()}"
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        check_finite(self.model, self._place(), self._kept())

    def _place(self) -> str:
        return f"phase {self.phase!r}, epoch {self.epoch + 1}, step {self.step + 1}"

    def _videos(self) -> str:
        names = [] if self.batch is None else list(self.batch(self.epoch, self.step))
        if not names:
            return ""
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f" The videos of that step: {', '.join(names[:_NAMED])}{more}."

    def _kept(self) -> str:
        return f" The checkpoints of earlier steps are in {self.folder}." if self.folder else ""


def check_finite(model: keras.Model, place: str, kept: str = "") -> None:
    """Raises if a weight holds NaN or infinity, so that no checkpoint keeps it."""
    for weight in model.weights:
        value = tf.convert_to_tensor(weight)
        if value.dtype.is_floating and not bool(tf.reduce_all(tf.math.is_finite(value))):
            raise NonFiniteLossError(
                f"{weight.path} holds NaN or infinite values in {place}. {_REMEDY}{kept}"
            )


@named
def first_not_finite(model: keras.Model, logs: Any) -> str:
    """Describes the first layer of a step with NaN or infinite values.

    The update that follows a bad loss corrupts every weight it reaches. The statistics of batch
    norms are not updated by gradients but by their inputs, so they show where the first bad value
    occurred, at no cost.

    Args:
        model: The network after the step.
        logs: The metrics of the step.
    """
    for layer in model.layers:  # in order, starting at the clips
        for weight in layer.weights:
            if weight.path.endswith(_STATISTICS):
                value = np.asarray(tf.convert_to_tensor(weight))
                if not np.isfinite(value).all():
                    inside = weight.path.rpartition("/")[0]
                    return f"The first layer with NaN or infinite values: {inside}."
    if not math.isfinite(float(logs.get("kl", 0.0))):
        return "The outputs of all layers are finite; the KL of the gates is not."
    last = model.layers[-1].name
    return f"All layers up to {last!r} are finite; the loss of its outputs and labels is not."
