"""The callback that keeps the history of a run and its checkpoints."""

from __future__ import annotations

from typing import Any

import keras

from vdroppath_tf.layers.gates import named_drops
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.shared_store import SharedStore


@named
class Record(keras.callbacks.Callback):
    """Keeps the logs and drop probabilities of each epoch, and saves a checkpoint.

    ``drop`` holds the space's drop probabilities: for each layer a list over inputs of lists over
    branches. ``averages`` are the running averages of the phase, if there are any.
    """

    averages: Any = None

    def __init__(
        self, phase: str, before: Position, store: CheckpointStore | SharedStore | None
    ) -> None:
        super().__init__()
        self.phase, self.number, self.store = phase, before.phase, store
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
