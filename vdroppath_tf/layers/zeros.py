"""Zeros: what stands in a concatenation for a layer that a strategy has dropped."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class Zeros(keras.layers.Layer):
    """Zeros of the size of the input, with a number of channels of their own.

    Args:
        filters: channels.

    Call arguments:
        inputs: ``(batch, time, height, width, channels)``.

    Output shape:
        ``(batch, time, height, width, filters)``.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([tf.shape(inputs)[:-1], [self.filters]], 0)
        zeros = tf.zeros(shape, self.compute_dtype)
        return tf.ensure_shape(zeros, (*inputs.shape[:-1], self.filters))

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor((*inputs.shape[:-1], self.filters), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
