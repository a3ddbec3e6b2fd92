"""The variables that Keras would make in the first training step, made before it.

A function that makes variables while TensorFlow traces it is traced again without them. That is
twice the time until a first step ends, and the memory of two graphs.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def build_optimizer(model: keras.Model) -> None:
    """Makes the slots of a model's optimizer, if it has one without them and weights to train."""
    optimizer = model.optimizer
    if optimizer is None or optimizer.built or not model.trainable_variables:
        return
    with model.distribute_strategy.scope():
        optimizer.build(model.trainable_variables)


def build_metrics(model: keras.Model, batch: Any) -> None:
    """Makes the variables of a model's compiled metrics.

    Args:
        model: A compiled model. Nothing is done where it has more than one output.
        batch: A batch as ``fit`` takes it, or the shapes and dtypes of one: ``(clips, labels)`` or
            ``(clips, labels, sample_weight)``. Nothing is done where labels have no shape.
    """
    metrics = model._compile_metrics
    if metrics is None or metrics.built or len(getattr(model, "outputs", ())) != 1:
        return
    labels = keras.utils.unpack_x_y_sample_weight(batch)[1]
    if not hasattr(labels, "shape") or not hasattr(labels, "dtype"):
        return
    dtype = tf.as_dtype(labels.dtype).name
    metrics.build(keras.KerasTensor(labels.shape, dtype), model.outputs[0])
