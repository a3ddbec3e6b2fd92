"""Sums in a form that TensorFlow merges into the convolution before them."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class AddAtOnce(keras.layers.Layer):
    """The sum of all inputs, as one operation.

    TensorFlow merges a convolution with its bias, a sum of two and a ReLU. It does so for ``Add``
    only if it can prove that both have the same shape, which it cannot for the number of clips
    after a reshape, and always for ``AddN``.
    """

    def call(self, inputs: Any) -> Any:
        return tf.add_n(list(inputs))
