"""A convolution with the batch norm and the ReLU that follow it, as one operation.

As separate operations, each makes a pass over all activations, and in networks with few channels
such passes take about as long as the convolutions. With fixed statistics a batch norm is a factor
and a shift of each channel: the factor is folded into the kernel, and the shift becomes a bias.
When statistics are measured, they are summed up frame by frame, and one operation normalises. The
statistics of a 1x1x1 convolution that expands a few channels to many follow from the means and the
covariance of its input, so that it can be folded as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.constants import reshape
from vdroppath_tf.layers.convolve import convolve
from vdroppath_tf.layers.sizes import sizes_of


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
    def cells(self) -> Any:
        """The number of positions in a frame of the result."""
        _, _, height, width, _ = sizes_of(self.x)
        _, down, right = self.strides
        return -(-height // down) * -(-width // right)

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
        cells = self.x.shape[2] * self.x.shape[3]
        frames = reshape(self.x, [-1, cells, channels])
        products = tf.linalg.matmul(frames, frames, transpose_a=True)
        # frame by frame, then in float64: the subtraction may cancel most digits
        means = over_frames(tf.reduce_mean(frames, 1, keepdims=True))
        products = over_frames(products)
        covariance = products / cells - tf.linalg.matmul(means, means, transpose_a=True)
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
    if training and waits:
        return value.followed_by(partial(measured, norm, value.cells))
    if training:
        _, _, height, width, _ = sizes_of(value)
        return tf.reshape(measured(norm, height * width, value), tf.shape(value))
    if waits and not value.then and norm.compute_dtype == "float32":  # else kernels would round
        return value.folded(norm)
    return norm(value.result if waits else value, training=False)


def measured(norm: keras.layers.BatchNormalization, cells: Any, x: tf.Tensor) -> tf.Tensor:
    """Applies a batch norm in training, and sets its moving statistics to those of the batch.

    Args:
        norm: the batch norm.
        cells: the number of positions in a frame.
        x: the frames, with any of their axes merged, channels last.

    Returns:
        ``(frames, cells, 1, channels)``.
    """
    frames = reshape(x, [-1, cells, 1, x.shape[-1]])
    mean, variance = moments(frames, cells)
    norm.moving_mean.assign(mean)
    norm.moving_variance.assign(variance)
    # with the moments given, TensorFlow runs it and a ReLU behind it as one pass
    return tf.raw_ops.FusedBatchNormV3(
        x=frames,
        scale=norm.gamma,
        offset=norm.beta,
        mean=mean,
        variance=variance,
        epsilon=norm.epsilon,
        is_training=False,
    ).y


def moments(frames: tf.Tensor, cells: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns mean and variance of each channel of ``(frames, cells, 1, channels)``, in float32.

    TensorFlow's batch norm sums up all values of a channel in float32. Sums of single frames, added
    in float64, have a tenth of its error and take less time. Channels of zeros, as those of dropped
    layers, have a mean and a variance of exactly zero: an error would be divided by the square root
    of the norm's epsilon.
    """
    x = tf.cast(reshape(frames, [-1, cells, frames.shape[-1]]), tf.float32)
    mean, variance = _mean_and_variance(x)
    cancels = tf.reduce_any(variance < 0.1 * tf.square(mean))
    # most networks never need it, and it takes longer
    mean, variance = tf.cond(cancels, lambda: _about(x, mean), lambda: (mean, variance))
    return tf.cast(mean, tf.float32), tf.cast(variance, tf.float32)


def _mean_and_variance(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns them in float64, without the digits that float32 squares far from zero lose."""
    mean, square = (over_frames(tf.reduce_mean(part, 1)) for part in (x, tf.square(x)))
    return mean, tf.maximum(square - tf.square(mean), 0.0)


def _about(x: tf.Tensor, mean: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns mean and variance from the differences to a mean that is about right."""
    start = tf.cast(mean, tf.float32)
    rest, variance = _mean_and_variance(tf.nn.bias_add(x, -start))
    return tf.cast(start, tf.float64) + rest, variance


def over_frames(means: tf.Tensor) -> tf.Tensor:
    """Returns the mean of the means of frames, in float64."""
    return tf.reduce_mean(tf.cast(means, tf.float64), 0)
