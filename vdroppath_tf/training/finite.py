"""A stop at a loss of NaN or infinity: where it began, and on which videos, before it is kept."""

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
_NAMED = 4  # videos of a batch that an error names
_STATISTICS = ("moving_mean", "moving_variance")


class NonFiniteLossError(ArithmeticError):
    """The loss became NaN or infinite."""


@named
class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Stops at the step whose loss is no number, before a checkpoint keeps it.

    The last step of an epoch may spoil the weights after its loss was computed, so these are
    checked where the epoch ends. Comes before ``Record`` in a list of callbacks.

    Args:
        phase: The name of the phase.
        folder: The folder of the run, or None.
        batch: Gives the names of the videos of a step, from the numbers of the phase's epoch and of
            the step in it, from 0. Defaults to None: they are not known.
        begun: The epoch in which this ``fit`` began, and the steps of it that were done before.
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
    """Raises where a weight holds what is no number: no checkpoint shall keep it."""
    for weight in model.weights:
        value = tf.convert_to_tensor(weight)
        if value.dtype.is_floating and not bool(tf.reduce_all(tf.math.is_finite(value))):
            raise NonFiniteLossError(
                f"{weight.path} holds values that are no numbers in {place}. {_REMEDY}{kept}"
            )


@named
def first_not_finite(model: keras.Model, logs: Any) -> str:
    """Where the numbers of a step ended, in words.

    The update behind a bad loss spoils every weight it reaches. The statistics of batch norms are
    not updated by gradients: they hold what came in, and so say where the first bad value came
    from, for nothing.

    Args:
        model: The network, as the step has left it.
        logs: The metrics of the step.
    """
    for layer in model.layers:  # from the clips on
        for weight in layer.weights:
            if weight.path.endswith(_STATISTICS):
                value = np.asarray(tf.convert_to_tensor(weight))
                if not np.isfinite(value).all():
                    inside = weight.path.rpartition("/")[0]
                    return f"The first layer that met values that are no numbers: {inside}."
    if not math.isfinite(float(logs.get("kl", 0.0))):
        return "All layers gave numbers; the KL of the gates is the part that is none."
    last = model.layers[-1].name
    return f"All layers gave numbers up to {last!r}, whose answers or labels make the loss."
