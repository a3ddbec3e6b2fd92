"""GatedDense: a classifier whose input features are dropped with one learned probability."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.drop_path import VariationalDropPath


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class GatedDense(keras.layers.Dense):
    """A ``Dense`` layer behind variational dropout of its features, as in the authors' code.

    All features share one trainable logit; each has noise of its own, and the entropy of the KL
    counts once for each. At inference every feature is on, unless a random strategy draws them.

    Args:
        units: logits.
        gate: options of ``VariationalDropPath``.

    Call arguments:
        inputs: ``(batch, features)``.
        training: bool.

    Output shape:
        ``(batch, units)``.
    """

    def __init__(self, units: int, *, gate: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.gate = dict(gate or {})
        own = {**self.gate, "drop_layer": False, "has_residual": False}
        self.drop_path = VariationalDropPath(1, name="drop_path", **own)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.drop_path.build()

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        features = inputs.shape[-1]
        keep = self.drop_path.feature_keep(tf.shape(inputs)[0], features, training)
        norm = tf.reduce_sum(tf.cast(self.kernel, "float32") ** 2)
        self.drop_path.add_kl(norm[None], training=training, features=features)
        return super().call(inputs * tf.cast(keep, inputs.dtype), training=training)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        return keras.KerasTensor((*inputs.shape[:-1], self.units), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gate": self.drop_path.updated(self.gate)}
