"""What `pipeline` does with whole batches in tf.data: made ahead, evened out, in a fixed order."""

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
    """Shape and type of the labels of so many rows, see `labels.empty_labels`."""
    if manifest.multi_label:
        return tf.TensorSpec((rows, manifest.num_classes), tf.float32)
    return tf.TensorSpec((rows,), tf.int64)


def map_batches(
    positions: tf.data.Dataset,
    load: Callable[[np.int64], Batch],
    clip_shape: tuple[int, ...],
    kind: tf.TensorSpec,
) -> tf.data.Dataset:
    """(clips, labels of a kind, position), made ahead and in order.

    TensorFlow keeps a function that a data set calls for as long as the process lives, and with it
    would keep the videos in memory and the threads that decode. So it is given one that borrows
    `load`, which the data set itself keeps: an iterator keeps its data set, and that its inputs.
    """
    kept = weakref.ref(load)

    def borrowed(position: np.int64) -> Batch:
        found = kept()
        if found is None:
            raise RuntimeError("The data set of these clips is gone. Keep it while it is read.")
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
    """As many batches, which help each other out: the next one's clips are there before one goes.

    The first is as full as it can be, as replicas want one that can be shared out evenly. Of the
    others each leaves one video to the next, unless it has no other.

    Args:
        clips: batches of `batch_size` clips or fewer, any of them empty.
        batch_size: clips in a batch.
        each: clips of a video, which stay together.
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
    """The same clips in a fixed order.

    Args:
        clips: batches.
        whole: whether they are whole batches, not one host's parts of them.
    """
    options = tf.data.Options()
    options.deterministic = True
    # Running ahead behind the count of passes would count them early.
    options.experimental_optimization.inject_prefetch = False
    options.experimental_optimization.map_parallelization = False
    policies = tf.data.experimental.AutoShardPolicy
    # What is one host's part already is not to be divided again.
    options.experimental_distribute.auto_shard_policy = policies.DATA if whole else policies.OFF
    return clips.with_options(options)
