"""A convolution with the batch norm and the ReLU that follow it, as one operation.

As separate operations, each makes a pass over all activations, and in networks with few channels
such passes take about as long as the convolutions. With fixed statistics a batch norm is a factor
and a shift of each channel: the factor is folded into the kernel, and the shift becomes a bias.
When statistics are measured, one operation computes them and normalises. The statistics of a 1x1x1
convolution that expands a few channels to many follow from the means and the covariance of its
input, so that it can be folded as well.
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
    """A deferred convolution: it runs when its result is needed, fused with what follows it.

    Attributes:
        x: the input.
        kernel: ``(time, height, width, channels / groups, filters)``.
        strides: the strides of time, height and width.
        then: the operations on each channel of the result, in order.
    """

    x: tf.Tensor
    kernel: tf.Tensor
    strides: Sequence[int] = (1, 1, 1)
    then: tuple[Callable[[tf.Tensor], tf.Tensor], ...] = ()

    @classmethod
    def of(cls, layer: Any, x: tf.Tensor) -> Convolved:
        """Creates the deferred call of a ``Convolution`` layer."""
        dtype = layer.compute_dtype
        return cls(tf.cast(x, dtype), tf.cast(layer.kernel, dtype), layer.strides)

    @cached_property
    def result(self) -> tf.Tensor:
        return convolve(self.x, self.kernel, self.strides, self.then)

    def followed_by(self, what: Callable[[tf.Tensor], tf.Tensor]) -> Convolved:
        return dataclasses.replace(self, then=(*self.then, what))

    @property
    def widens(self) -> bool:
        """Whether the output's statistics are cheaper to compute from the input's covariance.

        True for a 1x1x1 convolution in float32 that at least doubles the channels, if its input has
            several times as many positions per clip as channels: multiplying the covariance by the
            kernel costs as much as convolving that many positions.
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
        """Returns mean and variance of the channels of a 1x1x1 convolution without running it."""
        channels = self.x.shape[-1]
        frames = tf.reshape(self.x, [-1, self.x.shape[2] * self.x.shape[3], channels])
        sums = tf.linalg.matmul(tf.ones_like(frames[..., :1]), frames, transpose_a=True)
        products = tf.linalg.matmul(frames, frames, transpose_a=True)
        # frame by frame, then in float64: the subtraction may cancel most digits
        means, products = (_mean(part, frames) for part in (sums, products))
        covariance = products - tf.linalg.matmul(means, means, transpose_a=True)
        kernel = tf.cast(tf.reshape(self.kernel, self.kernel.shape[3:]), tf.float64)
        variance = tf.reduce_sum(kernel * tf.linalg.matmul(covariance, kernel), 0)
        mean = tf.linalg.matmul(means, kernel)[0]
        return tf.cast(mean, tf.float32), tf.cast(tf.maximum(variance, 0.0), tf.float32)

    def folded(self, norm: keras.layers.BatchNormalization) -> Convolved:
        """Returns the convolution with a batch norm of fixed statistics folded in."""
        factor = norm.gamma * tf.math.rsqrt(norm.moving_variance + norm.epsilon)
        shift = norm.beta - norm.moving_mean * factor
        own = dataclasses.replace(self, kernel=self.kernel * factor)
        return own.followed_by(partial(tf.nn.bias_add, bias=shift))


def _mean(sums: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """Returns the mean over all positions from sums over the positions of each frame, float64."""
    count = tf.cast(tf.shape(frames)[0] * frames.shape[1], tf.float64)
    return tf.reduce_sum(tf.cast(sums, tf.float64), 0) / count


def normalized(
    norm: keras.layers.BatchNormalization, value: tf.Tensor | Convolved, training: bool
) -> Any:
    """Applies a batch norm to a tensor or to a deferred convolution."""
    waits = isinstance(value, Convolved)
    if training and waits and value.widens:
        mean, variance = value.statistics()
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)
        return value.folded(norm)
    if training:
        own = partial(measured, norm)
        return value.followed_by(own) if waits else own(value)
    if waits and not value.then and norm.compute_dtype == "float32":  # else kernels would round
        return value.folded(norm)
    return norm(value.result if waits else value, training=False)


def measured(norm: keras.layers.BatchNormalization, x: tf.Tensor) -> tf.Tensor:
    """Applies a batch norm in training, and sets its moving statistics to those of the batch."""
    # as one frame of a clip: TensorFlow's own sums over images are less exact
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
