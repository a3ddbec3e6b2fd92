"""What happens beside training: the history with its checkpoints, a stop at a loss of NaN."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from vdroppath_tf.layers.gates import named_drops
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.position import Position

_REMEDY = (
    "Lower the learning rate (or the prior: prior_strength, weight_reg), or look for damaged "
    "labels or clips."
)


class NonFiniteLossError(ArithmeticError):
    """The loss became NaN or infinite."""


@named
class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Stops at the step whose loss is no number, before a checkpoint keeps it.

    The last step of an epoch may spoil the weights after its loss was computed, so these are
    checked where the epoch ends. Comes before ``Record`` in a list of callbacks.
    """

    def __init__(self, phase: str, folder: Path | None = None) -> None:
        super().__init__()
        self.phase, self.folder, self.epoch, self.step = phase, folder, 0, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step = batch
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            self._stop(f"The loss is {loss}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        check_finite(self.model, self._place(), self._kept())

    def _place(self) -> str:
        return f"phase {self.phase!r}, epoch {self.epoch + 1}, step {self.step + 1}"

    def _kept(self) -> str:
        return f" The checkpoints of earlier steps are in {self.folder}." if self.folder else ""

    def _stop(self, what: str) -> None:
        raise NonFiniteLossError(f"{what} in {self._place()}. {_REMEDY}{self._kept()}")


def check_finite(model: keras.Model, place: str, kept: str = "") -> None:
    """Raises where a weight holds what is no number: no checkpoint shall keep it."""
    for weight in model.weights:
        value = tf.convert_to_tensor(weight)
        if value.dtype.is_floating and not bool(tf.reduce_all(tf.math.is_finite(value))):
            raise NonFiniteLossError(
                f"{weight.path} holds values that are no numbers in {place}. {_REMEDY}{kept}"
            )


@named
class LogLossParts(keras.callbacks.Callback):
    """Logs a line an epoch of a template: the cross-entropy and the KL apart."""

    def __init__(self, phase: Phase) -> None:
        super().__init__()
        self.phase = phase

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        found = logs or {}
        if "task_loss" not in found:  # a derived network has no KL, and Keras' line says it all
            return
        kl = f"{found['kl']:.3g} (prior)" if self.phase.gates else "off"
        logging.info(
            "%s, epoch %d of %d: cross-entropy %.3g, KL %s",
            self.phase.name,
            epoch + 1,
            self.phase.epochs,
            found["task_loss"],
            kl,
        )


@named
class Record(keras.callbacks.Callback):
    """Keeps what each epoch logged, with the drop probabilities, and checkpoints it.

    ``drop`` is that of the space: for each layer a list over inputs of lists over branches.
    ``averages`` are the running averages of the phase, where there are any.
    """

    averages: Any = None

    def __init__(
        self, phase: str, number: int, before: Position, store: CheckpointStore | None
    ) -> None:
        super().__init__()
        self.phase, self.number, self.store = phase, number, store
        self.history = list(before.history)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        entry: dict[str, Any] = {"phase": self.phase, "epoch": epoch + 1}
        entry |= {name: float(value) for name, value in (logs or {}).items()}
        if self.model.gates:
            space = ProbabilitySpace.from_model(self.model)
            entry["drop"] = [layer.tolist() for layer in space.drop]
            classifier = named_drops(self.model).get("classifier")
            entry |= {} if classifier is None else {"classifier_drop": classifier}
        self.history.append(entry)
        if self.store is not None:
            self.store.save(self.model, Position(self.number, epoch + 1, tuple(self.history)))
