"""Scaling of frames in a graph: sizes as in `scaled_size`, pixels as TensorFlow computes them."""

from __future__ import annotations

import tensorflow as tf


def scaled_sides(sides: tf.Tensor, edge: tf.Tensor | int) -> tf.Tensor:
    """Returns height and width after scaling the shorter side to `edge`, see `scaled_size`.

    Args:
        sides: The height and width, whole numbers `(2,)`.
        edge: The length of the shorter side in pixels, of the dtype of `sides`.
    """
    # tf.round rounds half to even, as Python does
    exact = tf.cast(sides * edge, tf.float64) / tf.cast(tf.reduce_min(sides), tf.float64)
    return tf.maximum(tf.cast(tf.round(exact), sides.dtype), edge)


def resized(frames: tf.Tensor, sides: tf.Tensor | tuple[int, int]) -> tf.Tensor:
    """Scales frames `(n, height, width, channels)` to a height and a width; returns uint8."""
    found = tf.image.resize(frames, tf.cast(sides, tf.int32), "bilinear", antialias=True)
    return tf.saturate_cast(tf.round(found), tf.uint8)
