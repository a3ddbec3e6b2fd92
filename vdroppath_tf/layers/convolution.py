"""The bias-free 3D convolution of every network as a Keras layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.convolve import Triple, convolve
from vdroppath_tf.layers.losses import add_replica_loss
from vdroppath_tf.names import named


@keras.saving.register_keras_serializable(package="vdroppath_tf")
@named
class Convolution(keras.layers.Layer):
    """A bias-free 3D convolution (``convolve``), He-normal.

    Example:
    ```python
    layer = vdroppath_tf.layers.Convolution(8, (1, 3, 3), strides=(1, 2, 2))
    layer(np.zeros((2, 4, 6, 6, 3), "float32")).shape  # (2, 4, 3, 3, 8)
    ```

    Args:
        filters: int, channels of the output.
        kernel_size: Odd sizes ``(time, height, width)``. Defaults to ``(1, 1, 1)``.
        strides: Strides ``(time, height, width)``. Defaults to ``(1, 1, 1)``.
        groups: int, groups of channels, convolved apart; as many as channels make it depthwise.
            More than one needs a kernel of one frame and more than one pixel. Defaults to 1.
        name: str, name of the layer. Defaults to a number behind ``convolution``.
        dtype: Precision of the layer, or its policy. Defaults to the global policy.
        trainable: bool, whether its kernel is trained. Defaults to ``True``.

    Call arguments:
        inputs: ``(batch, time, height, width, channels)``.
        weight_prior: scalar tensor, optional: ``weight_prior * ||kernel||^2`` joins the loss. It is
            how the gate that drops a whole layer (D1) reaches the kernel it drops (Eq. 5).
        training: bool, whether gradients will be taken; the output is the same.

    Output shape:
        ``(batch, ceil(time / st), ceil(height / sh), ceil(width / sw), filters)``.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Triple = (1, 1, 1),
        strides: Triple = (1, 1, 1),
        groups: int = 1,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        if any(k < 1 or k % 2 == 0 for k in kernel_size) or len(kernel_size) != 3:
            raise ValueError(f"kernel_size must be three odd numbers. Received: {kernel_size}")
        if any(s < 1 for s in strides) or len(strides) != 3:
            raise ValueError(f"strides must be three numbers of 1 or more. Received: {strides}")
        spatial = kernel_size[0] == 1 and tuple(kernel_size) != (1, 1, 1)
        if groups < 1 or filters % groups or (groups > 1 and not spatial):
            raise ValueError(
                "groups must divide filters, and more than one needs a kernel of one frame and "
                f"more than one pixel. Received: {groups} of {filters}, kernel {kernel_size}"
            )
        self.filters, self.groups = filters, groups
        self.kernel_size = tuple(kernel_size)
        self.strides = tuple(strides)
        self.network: str | None = None  # of a network's first layer, what the network is

    def build(self, input_shape: Sequence[int | None]) -> None:
        channels = input_shape[-1]
        if channels is None or channels % self.groups:
            raise ValueError(f"{self.path}: {channels} channels do not make {self.groups} groups.")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer="he_normal",
        )

    def call(
        self, inputs: tf.Tensor, weight_prior: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        if weight_prior is not None:
            add_replica_loss(self, self.prior(weight_prior))
        kernel = tf.convert_to_tensor(self.kernel)
        return convolve(inputs, kernel, self.strides, training=bool(training))

    def prior(self, weight_prior: tf.Tensor) -> tf.Tensor:
        """What the kernel adds to the loss for a coefficient of ``||kernel||^2``, float32."""
        kernel = tf.cast(self.kernel, "float32")
        return tf.cast(weight_prior, "float32") * (2.0 * tf.nn.l2_loss(kernel))

    def compute_output_spec(
        self, inputs: Any, weight_prior: Any = None, training: bool = False
    ) -> Any:
        batch, *sizes, _ = inputs.shape
        strided = (n if n is None else -(-n // s) for n, s in zip(sizes, self.strides, strict=True))
        return keras.KerasTensor((batch, *strided, self.filters), self.compute_dtype)

    def macs(self, input_shape: Sequence[int]) -> int:
        """Multiply-adds for one clip whose input here is ``(time, height, width, channels)``."""
        *sizes, channels = input_shape
        cells = 1
        for n, s, k in zip(sizes, self.strides, self.kernel_size, strict=True):
            cells *= -(-n // s) * k
        return cells * (channels // self.groups) * self.filters

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "groups": self.groups,
            **({} if self.network is None else {"network": self.network}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Convolution:
        made: Convolution = super().from_config({k: config[k] for k in config if k != "network"})
        made.network = config.get("network")
        return made
