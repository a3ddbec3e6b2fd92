"""The sizes of clips, which may be open, and the reshape that rests on them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vdroppath_tf.layers.constants import reshape


def sizes_of(x: tf.Tensor) -> list[Any]:
    """The sizes of ``x``: Python integers where they are known, scalar tensors elsewhere."""
    if x.shape.is_fully_defined():
        return list(x.shape)
    dynamic = tf.shape(x)
    return [dynamic[i] if n is None else n for i, n in enumerate(x.shape)]


def size_of(x: tf.Tensor, axis: int) -> Any:
    """One size of ``x``: a Python integer where it is known, else a scalar tensor."""
    known = x.shape[axis]
    return tf.shape(x)[axis] if known is None else known


def image_sizes(sizes: list[Any]) -> list[Any]:
    """The sizes of the images of clips, see ``images_of``, from those of the clips."""
    batch, time, height, width, channels = sizes
    return [batch, time, height * width, channels]


def images_of(x: tf.Tensor) -> tf.Tensor:
    """Clips as images of time and of all cells of a frame, ``(batch, time, cells, channels)``."""
    return reshape(x, [-1, *image_sizes(sizes_of(x))[1:]])
