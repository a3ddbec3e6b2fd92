"""Losses of one replica: Keras keeps those of all replicas in one list per layer.

Replicas run as threads that take turns wherever they meet (at every assignment of batch-norm
statistics, say), so when one comes to sum up its losses the others' are in the list as well. Their
gradients do not reach it, but their values would be counted n times.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.running_fit import show_kl

_MARK = "_vdroppath_replica_context"


def add_replica_loss(layer: keras.layers.Layer, loss: tf.Tensor) -> None:
    """``layer.add_loss(loss)`` of a part of the KL, with a mark of the replica that computed it."""
    show_kl(layer, loss)
    setattr(loss, _MARK, tf.distribute.get_replica_context())
    layer.add_loss(loss)


def is_marked(loss: Any) -> bool:
    """Whether ``add_replica_loss`` added it: a part of the KL."""
    return hasattr(loss, _MARK)


def of_this_replica(losses: Iterable[Any]) -> list[Any]:
    """Leaves out what another replica added; outside of replicas everything stays."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return list(losses)
    return [loss for loss in losses if getattr(loss, _MARK, context) is context]
