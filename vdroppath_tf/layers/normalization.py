"""The batch norm of every network: eps 1e-5, momentum 0.9, statistics of all replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.constants import constant

EPSILON = 1e-5
MOMENTUM = 0.9  # the share of moving statistics that a step keeps
FUSED = ("float32", "float16", "bfloat16")  # what TensorFlow's operation normalises


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """``keras.layers.BatchNormalization`` that trains as one operation where one replica runs.

    Its name is Keras' own, as weights in ``.keras`` files lie under the name of a layer's class:
    with another one, no file from before this class could be loaded.

    Keras computes synchronised moments from some thirty small operations. Where there is nothing
    to synchronise, TensorFlow's own operation gives the same values, gradients and moving
    statistics. All else, several replicas among it, is left to Keras.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        if mask is not None or not self.fuses(inputs, training):
            return super().call(inputs, training=training, mask=mask)
        statistics = self.moving_mean, self.moving_variance
        y, (mean, variance), _ = fused_batch_norm(
            inputs,
            (self.gamma, self.beta),
            None if self.momentum == 0.0 else statistics,
            momentum=self.momentum,
            epsilon=self.epsilon,
        )
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return y

    def fuses(self, inputs: tf.Tensor, training: bool | None) -> bool:
        """Whether these clips are normalised by their own moments, with no replica to ask."""
        own = training and self.trainable and _replicas() == 1
        return bool(own) and self.axis in (-1, 4) and _fits(inputs)


def batch_norm(*, name: str, **options: Any) -> BatchNormalization:
    """A ``BatchNormalization`` as in the authors' networks (momentum in Keras' convention)."""
    return BatchNormalization(
        momentum=MOMENTUM, epsilon=EPSILON, synchronized=True, name=name, **options
    )


def fused_batch_norm(
    x: tf.Tensor, affine: Any, statistics: Any, *, momentum: float, epsilon: float
) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor], Sequence[tf.Tensor]]:
    """A batch norm of clips in training, by one operation.

    Args:
        x: ``(batch, time, height, width, channels)``, of a dtype of ``FUSED``.
        affine: scale and shift of the channels, float32.
        statistics: moving mean and variance, or None where the batch's own replace them.
        momentum: of the moving statistics.
        epsilon: added to the variance.

    Returns:
        The normalised clips, the new moving mean and variance (over n, as Keras has it), and what
        the operation keeps for its gradient.
    """
    # the operation divides the variance by n - 1 where it hands it out
    ratio = _over_all(x)
    moving: Any = (constant((), tf.float32),) * 2
    if statistics is not None:
        moving = statistics[0], statistics[1] * _tensor(1.0 / ratio)
    y, mean, variance, *reserved = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=affine[0],
        offset=affine[1],
        mean=moving[0],
        variance=moving[1],
        epsilon=epsilon,
        exponential_avg_factor=1.0 if statistics is None else 1.0 - momentum,
        data_format="NDHWC",
        is_training=True,
    )
    return y, (mean, variance * _tensor(ratio)), reserved


def follow(norms: Sequence[BatchNormalization], mean: tf.Tensor, variance: tf.Tensor) -> None:
    """Moves the statistics of norms that have seen one batch towards its moments.

    Args:
        norms: Batch norms, of one momentum.
        mean: of the channels of the batch.
        variance: likewise, over n.
    """
    count = len(norms)
    variables = [norm.moving_mean for norm in norms] + [norm.moving_variance for norm in norms]
    new, momentum = [mean] * count + [variance] * count, norms[0].momentum
    if momentum != 0.0:  # a few operations for all of them
        kept, given = (constant(share, tf.float32) for share in (momentum, 1.0 - momentum))
        old = tf.stack([tf.convert_to_tensor(variable) for variable in variables])
        new = tf.unstack(old * kept + tf.stack(new) * given)
    for variable, value in zip(variables, new, strict=True):
        variable.assign(value)


def _over_all(x: tf.Tensor) -> Any:
    """``(n - 1) / n`` of the n values of a channel, a number where n is known; 1 where n is 1."""
    sizes = x.shape[:-1]
    if sizes.is_fully_defined():
        count = math.prod(sizes)
        return max(count - 1, 1) / max(count, 1)
    total = tf.cast(tf.size(x, tf.int64), tf.float32) / float(x.shape[-1])
    return tf.maximum(total - 1.0, 1.0) / tf.maximum(total, 1.0)


def _tensor(value: Any) -> tf.Tensor:
    return constant(value, tf.float32) if isinstance(value, float) else value


def _replicas() -> int:
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def _fits(x: tf.Tensor) -> bool:
    """Whether these are clips of a dtype that the operation takes, and not none of them."""
    return len(x.shape) == 5 and x.dtype.name in FUSED and x.shape[0] != 0
