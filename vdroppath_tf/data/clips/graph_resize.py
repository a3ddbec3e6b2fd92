"""Scaling of frames inside a graph: the sizes of `scaled_size`, the pixels of TensorFlow."""

from __future__ import annotations

import tensorflow as tf


def scaled_sides(sides: tf.Tensor, edge: tf.Tensor | int) -> tf.Tensor:
    """Height and width of frames whose shorter side is scaled to `edge`, see `scaled_size`.

    Args:
        sides: height and width, whole numbers `(2,)`.
        edge: pixels, of the type of `sides`.
    """
    # rounds half to even, as Python does
    exact = tf.cast(sides * edge, tf.float64) / tf.cast(tf.reduce_min(sides), tf.float64)
    return tf.maximum(tf.cast(tf.round(exact), sides.dtype), edge)


def resized(frames: tf.Tensor, sides: tf.Tensor | tuple[int, int]) -> tf.Tensor:
    """Frames `(n, height, width, channels)` scaled to a height and a width, uint8."""
    found = tf.image.resize(frames, tf.cast(sides, tf.int32), "bilinear", antialias=True)
    return tf.saturate_cast(tf.round(found), tf.uint8)
