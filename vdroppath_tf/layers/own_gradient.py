"""Functions with a gradient of their own, which are forgotten with the graph that they are in.

``tf.custom_gradient`` registers one for each use in a graph until the process ends, and with it
holds the whole graph: every model that was trained would stay in memory.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops

from vdroppath_tf.layers.constants import kept_by

_KEPT = "_vdroppath_gradients"  # by a graph


def own_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """``tf.custom_gradient``, whose gradient lives as long as the graph that it is for."""
    custom = tf.custom_gradient(function)

    @tf.autograph.experimental.do_not_convert
    def called(*arguments: Any) -> Any:
        found = custom(*arguments)
        if not tf.executing_eagerly():
            _keep_in_graph(tf.nest.flatten(found)[0].op)
        return found

    return called


def _keep_in_graph(op: tf.Operation) -> None:
    """Makes the graph keep what the registry kept of a use of ``tf.custom_gradient``."""
    entry = ops.gradient_registry._registry[op.get_attr("_gradient_op_type").decode()]
    (kind,) = (name for name, kept in entry.items() if callable(kept))
    kept_by(op.graph, _KEPT, list).append(entry[kind])
    known = weakref.ref(entry[kind])

    def borrowed(op: tf.Operation, *gradients: Any) -> Any:
        gradient = known()
        if gradient is None:
            raise RuntimeError(f"The graph of {op.name} is gone, and its gradient with it.")
        return gradient(op, *gradients)

    entry[kind] = borrowed
