"""Bias-free 3D convolution, run in the form that is fastest for its kernel.

A kernel that is 1 in time or 1 in space is a 2D convolution (or a matrix product) of reshaped
clips. The reshape is free and reaches the mature 2D kernels of every device; the numbers are those
of ``Conv3D``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.losses import add_replica_loss
from vdroppath_tf.names import named

Triple = tuple[int, int, int]


def _dims(x: tf.Tensor) -> list[Any]:
    """The sizes of ``x``: Python integers where they are known, scalar tensors elsewhere."""
    dynamic = tf.shape(x)
    return [dynamic[i] if n is None else n for i, n in enumerate(x.shape)]


def _subsample(x: tf.Tensor, strides: Sequence[int]) -> tf.Tensor:
    """Every ``strides``-th frame, row and column; what a convolution of size 1 sees."""
    if tuple(strides) == (1, 1, 1):
        return x
    t, h, w = strides
    return x[:, ::t, ::h, ::w]


def _pointwise(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """``1 x 1 x 1`` as one matrix product over all cells (batched, its gradient is far slower)."""
    *sizes, c = _dims(x)
    return tf.linalg.matmul(tf.reshape(x, [math.prod(sizes), c]), kernel[0, 0, 0])


def _spatial(x: tf.Tensor, kernel: tf.Tensor, strides: Sequence[int]) -> tf.Tensor:
    """``1 x h x w`` as a 2D convolution of frames, ``(batch * time, height, width, channels)``."""
    b, t, h, w, c = _dims(x)
    options = {
        "strides": list(strides[1:]),
        "padding": _padding(kernel.shape[1:3], strides[1:]),
    }
    return _grouped(tf.reshape(x, [b * t, h, w, c]), kernel[0], options)


def _grouped(x: tf.Tensor, kernel: tf.Tensor, options: dict[str, Any]) -> tf.Tensor:
    """A 2D convolution whose groups are as many as the kernel's depth goes into the channels."""
    groups = x.shape[-1] // kernel.shape[2]
    if groups == x.shape[-1] == kernel.shape[-1]:  # one channel in, one out: depthwise
        kernel = tf.reshape(kernel, [*kernel.shape[:2], groups, 1])
        strides = [1, *options["strides"], 1]
        return tf.nn.depthwise_conv2d(x, kernel, strides, options["padding"])
    if groups == 1 or tf.config.list_logical_devices("GPU"):
        return tf.nn.conv2d(x, kernel, **options)
    # TensorFlow has no gradient of a grouped convolution on CPUs
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
    return tf.concat([tf.nn.conv2d(one, own, **options) for one, own in parts], -1)


def _temporal(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """``t x 1 x 1`` as a 2D convolution of ``(batch, time, height * width, channels)``."""
    b, t, h, w, c = _dims(x)
    return tf.nn.conv2d(
        tf.reshape(x, [b, t, h * w, c]),
        kernel[:, :, 0],
        strides=[stride, 1],
        padding=_padding([kernel.shape[0], 1], [stride, 1]),
    )


def _padding(sizes: Sequence[int], strides: Sequence[int]) -> str | list[list[int]]:
    """Half the kernel on both sides; with stride 1 that is ``"SAME"``, with more it is not."""
    if all(s == 1 for s in strides):
        return "SAME"
    return [[0, 0], *([k // 2, k // 2] for k in sizes), [0, 0]]


def convolve(
    x: tf.Tensor,
    kernel: tf.Tensor,
    strides: Sequence[int] = (1, 1, 1),
    then: Sequence[Callable[[tf.Tensor], tf.Tensor]] = (),
) -> tf.Tensor:
    """3D convolution with zero padding of half the (odd) kernel on both sides.

    Args:
        x: clips, ``(batch, time, height, width, channels)``.
        kernel: ``(time, height, width, channels / groups, filters)``, odd sizes. Several groups
            are for kernels of one frame.
        strides: of time, height and width.
        then: what is done to each channel of the result. It sees axes merged, channels last, right
            after the operation that convolves, so that TensorFlow can run both as one.

    Returns:
        ``(batch, time', height', width', filters)`` with ``n' = ceil(n / stride)``.
    """
    batch, *sizes, _ = _dims(x)
    strided = [(n + s - 1) // s for n, s in zip(sizes, strides, strict=True)]
    # said here, since oneDNN gives an empty batch the wrong shape
    shape = [batch, *strided, kernel.shape[-1]]
    y = _in_fastest_form(x, kernel, strides)
    for step in then:
        y = step(y)
    return tf.reshape(y, shape)


def _in_fastest_form(x: tf.Tensor, kernel: tf.Tensor, strides: Sequence[int]) -> tf.Tensor:
    """The numbers of ``convolve``, in an order of axes that reshapes to its result."""
    t, h, w = kernel.shape[:3]
    if (t, h, w) == (1, 1, 1):
        return _pointwise(_subsample(x, strides), kernel)
    if t == 1:
        return _spatial(_subsample(x, (strides[0], 1, 1)), kernel, strides)
    if (h, w) == (1, 1):
        return _temporal(_subsample(x, (1, *strides[1:])), kernel, strides[0])
    pads = [[0, 0], *([k // 2, k // 2] for k in (t, h, w)), [0, 0]]
    return tf.nn.conv3d(tf.pad(x, pads), kernel, [1, *strides, 1], "VALID")


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

    def build(self, input_shape: Sequence[int | None]) -> None:
        channels = input_shape[-1]
        if channels is None or channels % self.groups:
            raise ValueError(f"{self.path}: {channels} channels do not make {self.groups} groups.")
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer="he_normal",
        )

    def call(self, inputs: tf.Tensor, weight_prior: tf.Tensor | None = None) -> tf.Tensor:
        if weight_prior is not None:
            kernel = tf.cast(self.kernel, "float32")
            prior = tf.cast(weight_prior, "float32") * tf.reduce_sum(kernel**2)
            add_replica_loss(self, prior)
        return convolve(inputs, tf.convert_to_tensor(self.kernel), self.strides)

    def compute_output_spec(self, inputs: Any, weight_prior: Any = None) -> Any:
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
        }
