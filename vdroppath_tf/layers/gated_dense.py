"""GatedDense: a classifier whose input features are dropped with one learned probability."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.names import named
from vdroppath_tf.spaces.prior import FORMER_WEIGHT_REG, with_strength


@keras.saving.register_keras_serializable(package="vdroppath_tf")
@named
class GatedDense(keras.layers.Dense):
    """A ``Dense`` layer behind variational dropout of its features, as in the authors' code.

    All features share one trainable logit; each has noise of its own, and the entropy of the KL
    counts once for each. At inference every feature is on, unless a random strategy draws them.

    Example:
    ```python
    layer = vdroppath_tf.layers.GatedDense(4, gate={"num_train_examples": 100})
    layer(np.zeros((2, 8), "float32")).shape  # (2, 4)
    ```

    Args:
        units: int, how many logits there are.
        gate: dict, options of ``VariationalDropPath``. Defaults to its defaults.
        activation: str, name of the activation. Defaults to ``None``, which leaves logits.
        use_bias: bool, whether there is a bias. Defaults to ``True``.
        name: str, name of the layer. Defaults to a number behind ``gated_dense``.
        dtype: Precision of the layer, or its policy. Defaults to the global policy.
        trainable: bool, whether its weights are trained. Defaults to ``True``.

    Call arguments:
        inputs: ``(batch, features)``.
        training: bool.

    Output shape:
        ``(batch, units)``.
    """

    def __init__(
        self,
        units: int,
        *,
        gate: dict[str, Any] | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        own: dict[str, Any] = {"name": name, "dtype": dtype, "trainable": trainable}
        super().__init__(units, activation=activation, use_bias=use_bias, **own)
        self.gate = with_strength(gate or {})  # files name the one in force
        fixed = {"drop_layer": False, "has_residual": False, "name": "drop_path"}
        self.drop_path = VariationalDropPath(1, **{**self.gate, **fixed})

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
        names = ("name", "dtype", "trainable", "units", "activation", "use_bias")
        config = super().get_config()
        return {n: config[n] for n in names} | {"gate": self.drop_path.updated(self.gate)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> GatedDense:
        gate = with_strength(config.get("gate") or {}, FORMER_WEIGHT_REG)
        config = {**config, "gate": gate}
        made: GatedDense = super(keras.layers.Dense, cls).from_config(config)  # Dense adds its own
        return made
