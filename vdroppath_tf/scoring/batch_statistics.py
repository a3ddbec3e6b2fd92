"""Reads, sets, measures and restores the moving statistics of batch norms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.layers.gates import frozen_gates
from vdroppath_tf.models.fusion_model import check_clips

Norms = Sequence[keras.layers.BatchNormalization]


def read(norms: Norms) -> tf.Tensor:
    """Returns all moving means and variances as one vector."""
    return tf.concat([tf.convert_to_tensor(v) for v in moving(norms)], 0)


def assign(norms: Norms, statistics: tf.Tensor) -> None:
    """Sets all moving means and variances from one vector, as ``read`` returns it."""
    for variable, value in parted(norms, statistics):
        variable.assign(value)


def parted(norms: Norms, statistics: tf.Tensor) -> list[tuple[Any, tf.Tensor]]:
    """Returns each variable of moving statistics with its part of the vector."""
    variables = moving(norms)
    parts = tf.split(statistics, [v.shape[0] for v in variables])
    return list(zip(variables, parts, strict=True))


def moving(norms: Norms) -> list[Any]:
    """Returns the variables of moving statistics: the mean and variance of each batch norm."""
    return [v for norm in norms for v in (norm.moving_mean, norm.moving_variance)]


@contextmanager
def of_the_batch(norms: Norms) -> Iterator[None]:
    """While active, a step in training sets the moving statistics to those of its batch.

    This includes frozen batch norms, which otherwise run in training as they do at inference.
    """
    before = [(norm.momentum, norm.trainable) for norm in norms]
    try:
        for norm in norms:
            norm.momentum, norm.trainable = 0.0, True
        yield
    finally:
        for norm, (momentum, trainable) in zip(norms, before, strict=True):
            norm.momentum, norm.trainable = momentum, trainable


@contextmanager
def restored(model: keras.Model) -> Iterator[None]:
    """Restores the moving statistics and the seeds of dropout on exit."""
    norms = batch_norms(model)
    variables = [*moving(norms), *(v for v in model.variables if "seed" in v.path)]
    before = [tf.identity(tf.convert_to_tensor(v)) for v in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def mean_statistics(model: keras.Model, clips: Iterable[Any], batches: int) -> tf.Tensor:
    """Returns the mean, over some batches, of the batch statistics in a model.

    Args:
        model: a derived network, or a template, which runs its hard masks.
        clips: batches ``(clips, labels)``.
        batches: the number of batches to use.

    Raises:
        ValueError: If there are no clips.
    """
    norms = batch_norms(model)

    @tf.function(reduce_retracing=True, autograph=False)
    def measure(batch: Any) -> tf.Tensor:
        model(batch, training=True)
        return read(norms)

    with frozen_gates(model), of_the_batch(norms):  # hard masks, but batch norm in training mode
        some = some_clips(clips, batches, model.input_shape[-1])
        return mean_over(map(measure, some))


def mean_over(values: Iterable[tf.Tensor]) -> tf.Tensor:
    """Returns the mean of tensors of one shape, added in their order."""
    total: Any = 0.0
    count = 0
    for value in values:
        total, count = total + value, count + 1
    return total / count


def some_clips(clips: Iterable[Any], batches: int, channels: int = 3) -> Iterator[Any]:
    """Yields the clips of the first batches, for recalibration.

    Raises:
        ValueError: If there are no batches, or ``batches`` is below 1.
    """
    if batches < 1:
        raise ValueError(f"Batch norm is recalibrated on 1 batch or more. Received: {batches}")
    count = 0
    for batch, _ in clips:
        check_clips(batch, channels)
        count += 1
        yield batch
        if count == batches:
            return
    if not count:
        raise ValueError("There are no training clips to recalibrate batch norm on.")
