"""Constants that are made once a graph: each use of a number would be an operation of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_KEPT = "_vdroppath_constants"  # by a graph: tensors that others kept would keep it


def constant(value: Any, dtype: Any) -> tf.Tensor:
    """``tf.constant``; in a graph the same tensor for the same value.

    Args:
        value: a number, or a tuple of numbers.
        dtype: of the tensor.
    """
    dtype = tf.as_dtype(dtype)
    if tf.executing_eagerly():
        return tf.constant(value, dtype)
    graph = tf.compat.v1.get_default_graph()
    made = kept_by(graph, _KEPT, dict)
    key = (dtype, value)
    if key not in made:
        with tf.control_dependencies(None):  # it may be used before what is computed here
            made[key] = tf.constant(value, dtype)
    return made[key]


def kept_by(graph: tf.Graph, name: str, make: Callable[[], Any]) -> Any:
    """An attribute of a graph, made at its first use; it goes with the graph."""
    if not hasattr(graph, name):
        setattr(graph, name, make())
    return getattr(graph, name)


def reshape(x: tf.Tensor, shape: Any) -> tf.Tensor:
    """``tf.reshape``, with a shape that other reshapes of the graph share where it is known."""
    known = all(isinstance(n, int) for n in shape)
    return tf.reshape(x, constant(tuple(shape), tf.int32) if known else list(shape))
