"""Trains and scores single strategies on a template, under hard masks.

Under hard masks a template computes what the derived network computes, in training too: a path that
    is off outputs zeros and receives no gradient. So one traced step can train any strategy, from
    any weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.layers.gates import frozen_gates, set_strategy
from vdroppath_tf.models.objectives import cross_entropy
from vdroppath_tf.names import named
from vdroppath_tf.scoring.batch_statistics import (
    assign,
    mean_over,
    moving,
    of_the_batch,
    read,
    restored,
    some_clips,
)
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
class OneStrategy:
    """Trains and scores single strategies of a template, each from the same weights.

    Every function is traced once, however many strategies there are. The optimizer is SGD with
    momentum, without weight decay or prior, as in the training of a derived network
    (``Recipe.stand_alone_phases``).

    Args:
        model: ``keras.Model``, a template; it is used within ``begin()``, which restores it on
            exit.
        momentum: float, the momentum of SGD. Defaults to 0.9.

    Example:
    ```python
    one = OneStrategy(template)
    with one.begin():
        one.start(space.mode())
        one.train([train_clips] * 2, [0.02, 0.01])  # two steps, and their learning rates
        logits = one.logits(clips)
    ```
    """

    def __init__(self, model: keras.Model, *, momentum: float = 0.9) -> None:
        self.model, self.norms = model, batch_norms(model)
        with frozen_gates(model):
            self.trained = [weight.value for weight in model.trainable_variables]
        self.slots = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.trained]
        kept = [*self.trained, *(v.value for v in moving(self.norms))]
        self.before = [(variable, tf.identity(variable)) for variable in kept]
        self._step = tf.function(self._one_step(momentum), reduce_retracing=True, autograph=False)
        self._run = tf.function(
            lambda clips: tf.cast(model(clips, training=False), tf.float32),
            reduce_retracing=True,
            autograph=False,
        )
        self._measure = tf.function(self._measured, reduce_retracing=True, autograph=False)

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Freezes the gates while active, and restores the template on exit."""
        with frozen_gates(self.model), restored(self.model):
            try:
                yield
            finally:
                self._reset()

    def start(self, strategy: FusionStrategy | str) -> None:
        """Restores the template's weights and statistics, clears momentum, and sets the
        strategy.
        """
        self._reset()
        set_strategy(self.model, strategy)

    def train(self, clips: Iterable[Any], learning_rates: Sequence[float]) -> None:
        """Runs one step of SGD for each learning rate.

        Args:
            clips: batches ``(clips, labels)``, at least one for each rate.
            learning_rates: the learning rate of each step.

        Raises:
            ValueError: If there are fewer batches than rates.
        """
        done = 0
        for (batch, labels), rate in zip(clips, learning_rates, strict=False):
            self._step(batch, labels, tf.constant(rate, tf.float32))
            done += 1
        if done < len(learning_rates):
            raise ValueError(
                f"The training clips end after {done} batches. Expected one for each of the "
                f"{len(learning_rates)} steps: repeat them, or ask for fewer steps."
            )

    def recalibrate(self, clips: Iterable[Any], batches: int) -> None:
        """Sets the strategy's batch-norm statistics: the means over some training batches."""
        if not self.norms:
            return
        with of_the_batch(self.norms):
            some = some_clips(clips, batches, self.model.input_shape[-1])
            found = mean_over(map(self._measure, some))
        assign(self.norms, found)

    def logits(self, clips: Any) -> tf.Tensor:
        """Returns the logits of a batch of clips, float32 ``(batch, classes)``."""
        return self._run(clips)

    def _reset(self) -> None:
        for variable, value in self.before:
            variable.assign(value)
        for slot in self.slots:
            slot.assign(tf.zeros_like(slot))

    def _measured(self, clips: Any) -> tf.Tensor:
        self.model(clips, training=True)
        return read(self.norms)

    def _one_step(self, momentum: float) -> Any:
        def step(clips: Any, labels: Any, rate: tf.Tensor) -> None:
            several = bool(getattr(self.model, "multi_label", False))
            loss_of = cross_entropy(soft=labels.shape.rank == 2, multi_label=several)
            with tf.GradientTape() as tape:
                loss = loss_of(labels, self.model(clips, training=True))
                loss = tf.add_n([loss, *self.model.losses])
            gradients = tape.gradient(loss, self.trained)
            for variable, slot, gradient in zip(self.trained, self.slots, gradients, strict=True):
                if gradient is not None:
                    tf.raw_ops.ResourceApplyKerasMomentum(  # as ``FusedSGD`` of ``training.train``
                        var=variable.handle,
                        accum=slot.handle,
                        lr=tf.cast(rate, variable.dtype),
                        grad=tf.cast(gradient, variable.dtype),
                        momentum=tf.cast(momentum, variable.dtype),
                    )

        return step
