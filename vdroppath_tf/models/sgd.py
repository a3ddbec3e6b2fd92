"""SGD whose step is one operation a variable."""

from __future__ import annotations

import weakref
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class FusedSGD(keras.optimizers.SGD):
    """``keras.optimizers.SGD``, computed by TensorFlow's own operations.

    Keras writes a step with momentum as some ten operations a variable, which for a network of
    hundreds of variables are a third of the graph of a training step. TensorFlow has each as one:
    ``m = momentum * m - rate * gradient``, then ``w += m`` (or, with ``nesterov``,
    ``w += momentum * m - rate * gradient``). Arguments are those of ``keras.optimizers.SGD``.
    """

    # the momentum as a tensor of each graph: a constant for each variable would be an operation
    _constants: Any = None

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        value = variable.value if isinstance(variable, keras.Variable) else variable
        rate = tf.cast(learning_rate, value.dtype)
        gradient = tf.cast(gradient, value.dtype)
        slot = None
        if self.momentum:
            slot = self.momentums[self._get_variable_index(variable)]
        if slot is None:
            tf.raw_ops.ResourceApplyGradientDescent(var=value.handle, alpha=rate, delta=gradient)
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=value.handle,
            accum=slot.value.handle,
            lr=rate,
            grad=gradient,
            momentum=self._momentum_as(value.dtype),
            use_nesterov=self.nesterov,
        )

    def _momentum_as(self, dtype: tf.DType) -> tf.Tensor:
        if tf.executing_eagerly():
            return tf.constant(self.momentum, dtype)
        if self._constants is None:
            self._constants = weakref.WeakKeyDictionary()
        known = self._constants.setdefault(tf.compat.v1.get_default_graph(), {})
        if dtype not in known:
            known[dtype] = tf.constant(self.momentum, dtype)
        return known[dtype]
