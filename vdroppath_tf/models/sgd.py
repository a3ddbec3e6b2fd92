"""SGD whose step is one operation a variable."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.constants import constant

_SUMMED = "_vdroppath_summed"  # marks a gradient that was added up over the replicas


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class FusedSGD(keras.optimizers.SGD):
    """``keras.optimizers.SGD``, computed by TensorFlow's own operations.

    Keras writes a step with momentum as some ten operations a variable, which for a network of
    hundreds of variables are a third of the graph of a training step. TensorFlow has each as one:
    ``m = momentum * m - rate * gradient``, then ``w += m`` (or, with ``nesterov``,
    ``w += momentum * m - rate * gradient``). Arguments are those of ``keras.optimizers.SGD``.
    """

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
            momentum=constant(self.momentum, value.dtype),
            use_nesterov=self.nesterov,
        )

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        # read once, not for each variable
        rate = tf.convert_to_tensor(learning_rate)
        super()._backend_update_step(grads, trainable_variables, rate)

    def _clip_gradients(self, grads: Any) -> Any:
        clips = self.clipnorm or self.global_clipnorm or self.clipvalue
        if not clips or not _several():
            return super()._clip_gradients(grads)
        # Keras clips what each replica has: n replicas would take other steps than one
        grads = [grad for grad, _ in self._all_reduce_sum_gradients([(g, None) for g in grads])]
        clipped = super()._clip_gradients(grads)
        for grad in clipped:
            setattr(grad, _SUMMED, True)
        return clipped

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        pairs = list(grads_and_vars)
        if not _several() or all(getattr(grad, _SUMMED, False) for grad, _ in pairs):
            return pairs  # there is nothing to add up
        # TensorFlow packs the gradients of a call into one tensor; in a network of float64 those of
        # the gates are float32
        summed: dict[int, Any] = {}
        dtypes = [None if grad is None else grad.dtype for grad, _ in pairs]
        for dtype in dict.fromkeys(each for each in dtypes if each is not None):
            own = [n for n, each in enumerate(dtypes) if each == dtype]
            found = super()._all_reduce_sum_gradients([pairs[n] for n in own])
            summed |= dict(zip(own, found, strict=True))
        return [summed.get(n, pair) for n, pair in enumerate(pairs)]


def _several() -> bool:
    """Whether this is one of several replicas."""
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1
