"""A convolution with the batch norm and the ReLU that follow it, as one operation.

Each of them alone is a pass over all activations, and on networks as narrow as ours such passes
take about as long as the convolutions. With fixed statistics a batch norm is a factor and a shift
of each channel: the factor goes into the kernel, and the shift is a bias. While statistics are
measured, one operation finds them and normalises; but those of a 1x1x1 that makes many channels
from few follow from the means and the covariance of the few, and then it is folded as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.convolve import convolve


@dataclasses.dataclass(frozen=True)
class Convolved:
    """A convolution that runs when its result is asked for, with what has followed it by then.

    Attributes:
        x: its input.
        kernel: ``(time, height, width, channels / groups, filters)``.
        strides: of time, height and width.
        then: what is done to each channel of the result, in this order.
    """

    x: tf.Tensor
    kernel: tf.Tensor
    strides: Sequence[int] = (1, 1, 1)
    then: tuple[Callable[[tf.Tensor], tf.Tensor], ...] = ()

    @classmethod
    def of(cls, layer: Any, x: tf.Tensor) -> Convolved:
        """Of a ``Convolution``."""
        dtype = layer.compute_dtype
        return cls(tf.cast(x, dtype), tf.cast(layer.kernel, dtype), layer.strides)

    @cached_property
    def result(self) -> tf.Tensor:
        return convolve(self.x, self.kernel, self.strides, self.then)

    def followed_by(self, what: Callable[[tf.Tensor], tf.Tensor]) -> Convolved:
        return dataclasses.replace(self, then=(*self.then, what))

    @property
    def widens(self) -> bool:
        """Whether its output's statistics are had more cheaply from its input's covariance.

        A 1x1x1 to at least twice the channels, in float32, whose input has several cells a clip for
        each of its channels: the product of covariance and kernel costs as much as that many cells.
        """
        channels, filters = self.kernel.shape[3:]
        sizes = self.x.shape[1:4]
        return (
            tuple(self.kernel.shape[:3]) == (1, 1, 1)
            and tuple(self.strides) == (1, 1, 1)
            and not self.then
            and self.x.dtype == tf.float32
            and filters >= 2 * channels
            and sizes.is_fully_defined()
            and sizes.num_elements() >= 4 * channels
        )

    def statistics(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and variance of each channel of what a 1x1x1 gives, which need not run for it."""
        channels = self.x.shape[-1]
        frames = tf.reshape(self.x, [-1, self.x.shape[2] * self.x.shape[3], channels])
        sums = tf.linalg.matmul(tf.ones_like(frames[..., :1]), frames, transpose_a=True)
        products = tf.linalg.matmul(frames, frames, transpose_a=True)
        # frame by frame, then in float64: what is left of the subtraction may be small
        means, products = (_mean(part, frames) for part in (sums, products))
        covariance = products - tf.linalg.matmul(means, means, transpose_a=True)
        kernel = tf.cast(tf.reshape(self.kernel, self.kernel.shape[3:]), tf.float64)
        variance = tf.reduce_sum(kernel * tf.linalg.matmul(covariance, kernel), 0)
        mean = tf.linalg.matmul(means, kernel)[0]
        return tf.cast(mean, tf.float32), tf.cast(tf.maximum(variance, 0.0), tf.float32)

    def folded(self, norm: keras.layers.BatchNormalization) -> Convolved:
        """With a batch norm of fixed statistics."""
        factor = norm.gamma * tf.math.rsqrt(norm.moving_variance + norm.epsilon)
        shift = norm.beta - norm.moving_mean * factor
        own = dataclasses.replace(self, kernel=self.kernel * factor)
        return own.followed_by(partial(tf.nn.bias_add, bias=shift))


def _mean(sums: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """Sums over the cells of each frame as the mean over all cells, in float64."""
    count = tf.cast(tf.shape(frames)[0] * frames.shape[1], tf.float64)
    return tf.reduce_sum(tf.cast(sums, tf.float64), 0) / count


def normalized(
    norm: keras.layers.BatchNormalization, value: tf.Tensor | Convolved, training: bool
) -> Any:
    """A batch norm of a tensor, or of a convolution that has not run yet."""
    waits = isinstance(value, Convolved)
    if training and waits and value.widens:
        mean, variance = value.statistics()
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)
        return value.folded(norm)
    if training:
        own = partial(measured, norm)
        return value.followed_by(own) if waits else own(value)
    if waits and not value.then and norm.compute_dtype == "float32":  # or kernels would be rounded
        return value.folded(norm)
    return norm(value.result if waits else value, training=False)


def measured(norm: keras.layers.BatchNormalization, x: tf.Tensor) -> tf.Tensor:
    """A batch norm in training, whose moving statistics become those of the batch."""
    # as one frame of a clip: of images TensorFlow's own sums are less exact
    flat = tf.reshape(x, [1, 1, -1, 1, x.shape[-1]])
    nothing = tf.zeros([0])
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=flat,
        scale=norm.gamma,
        offset=norm.beta,
        mean=nothing,
        variance=nothing,
        epsilon=norm.epsilon,
        data_format="NDHWC",
        is_training=True,
    )
    count = tf.cast(tf.shape(flat)[2], tf.float32)
    norm.moving_mean.assign(mean)
    norm.moving_variance.assign(variance * (count - 1.0) / count)  # over n, not n - 1
    return tf.reshape(y, tf.shape(x))
