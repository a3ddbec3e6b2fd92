"""Steps of `pipeline` on whole batches in tf.data: prefetching, rebatching, a fixed order."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.loader import Batch
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.names import named

_AHEAD = 2  # batches made while one is used; their clips are decoded in parallel


def label_kind(manifest: Manifest, rows: int | None) -> tf.TensorSpec:
    """Returns the shape and dtype of the labels of `rows` clips, see `labels.empty_labels`."""
    if manifest.multi_label:
        return tf.TensorSpec((rows, manifest.num_classes), tf.float32)
    return tf.TensorSpec((rows,), tf.int64)


def map_batches(
    positions: tf.data.Dataset,
    load: Callable[[np.int64], Batch],
    clip_shape: tuple[int, ...],
    kind: tf.TensorSpec,
) -> tf.data.Dataset:
    """Maps positions to (clips, labels, position), prefetched and in order.

    TensorFlow keeps a function that a data set calls for the life of the process, which would also
    keep the videos in memory and the decoding threads. It therefore receives a function with a weak
    reference to `load`; the data set holds the strong one, and an iterator holds its data set.
    """
    kept = weakref.ref(load)

    def borrowed(position: np.int64) -> Batch:
        found = kept()
        if found is None:
            raise RuntimeError("The data set of these clips was deleted. Keep it while it is read.")
        return found(position)

    def make(position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        clips, labels = tf.numpy_function(borrowed, [position], (tf.uint8, kind.dtype))
        clips.set_shape((kind.shape[0], *clip_shape))
        labels.set_shape(kind.shape)
        return clips, labels, position

    made = positions.map(make, num_parallel_calls=_AHEAD, deterministic=True)
    made._vdroppath_load = load
    return made.prefetch(_AHEAD)


def even_out(clips: tf.data.Dataset, batch_size: int, each: int) -> tf.data.Dataset:
    """Regroups batches after bad videos were left out, without changing their number.

    The first batch is as full as possible, since it is divided among replicas. Each of the others
    leaves one video to the next batch, unless it has no other.

    Args:
        clips: Batches of `batch_size` clips or fewer, any of them empty.
        batch_size: The number of clips in a batch.
        each: The number of clips of a video, which stay together.
    """
    count = clips.cardinality()
    spec = clips.element_spec
    nothing = tuple(tf.zeros((0, *part.shape[1:]), part.dtype) for part in spec)

    def hand_on(waiting: Any, place_and_new: Any) -> tuple[Any, Any]:
        place, new = place_and_new
        clips, labels = (tf.concat(parts, 0) for parts in zip(waiting, new, strict=True))
        there = tf.shape(labels, tf.int64)[0]
        some = tf.maximum(there - each, tf.minimum(there, each))
        ready = tf.minimum(tf.where((place == 1) | (place == count), there, some), batch_size)
        ready = tf.where(place == 0, tf.zeros_like(ready), ready)
        return (clips[ready:], labels[ready:]), (clips[:ready], labels[:ready])

    ended = clips.concatenate(tf.data.Dataset.from_tensors(nothing)).enumerate()
    return ended.scan(nothing, hand_on).skip(1)


@named
def with_options(clips: tf.data.Dataset, *, whole: bool = True) -> tf.data.Dataset:
    """Sets the options of a data set of clips: a fixed order, and how it may be sharded.

    Args:
        clips: The data set of batches.
        whole: Whether batches are whole, not one host's parts of them. Defaults to True.

    Returns:
        The data set with the options.
    """
    options = tf.data.Options()
    options.deterministic = True
    # Prefetching after the counter of passes would count them too early.
    options.experimental_optimization.inject_prefetch = False
    options.experimental_optimization.map_parallelization = False
    policies = tf.data.experimental.AutoShardPolicy
    # One host's part of a batch must not be divided again.
    options.experimental_distribute.auto_shard_policy = policies.DATA if whole else policies.OFF
    return clips.with_options(options)
