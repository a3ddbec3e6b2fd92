"""Zeros: what stands in a concatenation for a layer that a strategy has dropped."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.names import named


@keras.saving.register_keras_serializable(package="vdroppath_tf")
@named
class Zeros(keras.layers.Layer):
    """A layer that gives zeros of the size of its input, with another number of channels.

    Example:
    ```python
    vdroppath_tf.layers.Zeros(8)(np.ones((2, 4, 6, 6, 3), "float32")).shape  # (2, 4, 6, 6, 8)
    ```

    Args:
        filters: int, channels of the output.
        name: str, name of the layer. Defaults to a number behind ``zeros``.
        dtype: Precision of the output, or its policy. Defaults to the global policy.
        trainable: bool, of no effect: the layer has no weights. Defaults to ``True``.

    Call arguments:
        inputs: ``(batch, time, height, width, channels)``.

    Output shape:
        ``(batch, time, height, width, filters)``.
    """

    def __init__(
        self,
        filters: int,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.filters = filters

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([tf.shape(inputs)[:-1], [self.filters]], 0)
        zeros = tf.zeros(shape, self.compute_dtype)
        return tf.ensure_shape(zeros, (*inputs.shape[:-1], self.filters))

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor((*inputs.shape[:-1], self.filters), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
