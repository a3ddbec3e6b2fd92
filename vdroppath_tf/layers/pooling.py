"""Max-pooling in half precision on processors too."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class MaxPooling(keras.layers.MaxPooling3D):
    """``keras.layers.MaxPooling3D``, in float32 where TensorFlow has none in half precision.

    That is on CPUs. The largest of some numbers is the same number in float32, so nothing changes.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if inputs.dtype.size >= 4 or tf.config.list_logical_devices("GPU"):
            return super().call(inputs)
        return tf.cast(super().call(tf.cast(inputs, tf.float32)), inputs.dtype)
