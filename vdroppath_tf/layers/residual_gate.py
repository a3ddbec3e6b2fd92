"""The product of a branch and a factor of the gates, which is left out where the factor is 1."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from vdroppath_tf.layers.together import is_ones


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class GateProduct(keras.layers.Multiply):
    """``keras.layers.Multiply`` of a branch and a factor that ``FusionConv`` gave.

    While gates are relaxed the published arithmetic has no such factor (see ``residual_gate`` of
    ``VariationalDropPath``); then what comes in goes out.
    """

    def call(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        branch, factor = inputs
        return branch if is_ones(factor) else super().call(inputs)
