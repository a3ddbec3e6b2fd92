"""Running averages of a network's weights, used in validation and at the end of a phase."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.cost import GATE_WEIGHTS
from vdroppath_tf.names import named

_OTHERS = (*GATE_WEIGHTS, "mask", "noise_step")


@named
class WeightAverages:
    """Averages of the weights and the batch-norm statistics over the steps of a phase.

    ``average += (1 - d) * (weight - average)`` after every step, with ``d`` the decay or, in the
    first steps, the smaller ``(1 + step) / (10 + step)``, so that the random initial weights are
    soon forgotten. Gates are not averaged: the learned space consists of the gates themselves. The
    averages are variables of the optimizer and are saved with it.

    Args:
        model: The network.
        optimizer: The built optimizer of the phase.
        decay: The decay ``d``, from 0 to 1.
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, decay: float
    ) -> None:
        self.model, self.decay = model, decay
        self.in_place = False
        self.weights = [w for w in model.weights if w.path.split("/")[-1] not in _OTHERS]
        self.optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        with model.distribute_strategy.scope():
            self.averages = [
                self.optimizer.add_variable_from_reference(weight, name="average")
                for weight in self.weights
            ]
        for average, weight in self._pairs():
            average.assign(weight)
        self._update = tf.function(self._move)

    def _pairs(self) -> list[tuple[Any, Any]]:
        pairs = zip(self.averages, self.weights, strict=True)
        return [(average.value, weight.value) for average, weight in pairs]

    def update(self) -> None:
        """Updates the averages with the weights after a step."""
        step = float(keras.ops.convert_to_numpy(self.optimizer.iterations))
        self._update(tf.constant(1.0 - min(self.decay, (1.0 + step) / (10.0 + step))))

    def _move(self, rate: tf.Tensor) -> None:
        def towards(average: Any, weight: Any) -> None:
            average.assign_add(tf.cast(rate, average.dtype) * (weight - average))

        extended = self.model.distribute_strategy.extended
        for average, weight in self._pairs():
            extended.update(average, towards, args=(weight,), group=False)

    def swap(self) -> None:
        """Exchanges the averages and the weights."""

        def exchange(average: Any, weight: Any) -> None:
            before = tf.identity(weight.read_value())
            weight.assign(average.read_value())
            average.assign(before)

        extended = self.model.distribute_strategy.extended
        for average, weight in self._pairs():
            extended.update(average, exchange, args=(weight,), group=False)
        self.in_place = not self.in_place

    def restore(self) -> None:
        """Restores the training weights if they are exchanged with the averages."""
        if self.in_place:
            self.swap()

    def take(self) -> None:
        """Sets the weights of the network to the averages, at the end of a phase."""
        self.restore()
        for average, weight in self._pairs():
            weight.assign(average)


@named
class KeepAverages(keras.callbacks.Callback):
    """Updates the averages after every step, and uses them in validation.

    It must come before the callbacks that save checkpoints.
    """

    def __init__(self, averages: WeightAverages) -> None:
        super().__init__()
        self.averages = averages

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.averages.update()

    def on_test_begin(self, logs: Any = None) -> None:
        self.averages.swap()

    def on_test_end(self, logs: Any = None) -> None:
        self.averages.restore()
