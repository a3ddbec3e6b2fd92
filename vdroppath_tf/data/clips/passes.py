"""Counts the passes over a data set, independently of how often Keras starts one."""

from __future__ import annotations

import threading

import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named


@named
class Passes:
    """The positions (epoch * steps + step) of every pass, and the number of completed passes.

    Keras starts more passes than it finishes (to learn shapes), and prefetching runs ahead. A pass
    therefore counts when its last batch is delivered, after all prefetching.

    Args:
        start: The position of the first pass.
        skip: The number of positions to skip in it; the data set can then be read only once.
        length: The number of positions in a pass; None for an endless one.

    Example:
        ```python
        list(Passes(start=0, skip=0, length=3).positions().as_numpy_iterator())  # [0, 1, 2]
        ```
    """

    def __init__(self, start: int, skip: int, length: int | None) -> None:
        self._start, self._skip, self._length = start, skip, length
        self._completed = 0
        self._lock = threading.Lock()

    def positions(self) -> tf.data.Dataset:
        """Returns the positions of the next pass, int64."""
        first = self._start + self._skip
        if self._length is None:
            return tf.data.Dataset.range(first, np.iinfo(np.int64).max)
        length = self._length

        def one_pass(_: tf.Tensor) -> tf.data.Dataset:
            start = tf.ensure_shape(tf.numpy_function(self._next_start, [], tf.int64), ())
            return tf.data.Dataset.range(start + self._skip, start + length)

        return tf.data.Dataset.from_tensors(0).flat_map(one_pass)

    def deliver(self, clips: tf.data.Dataset) -> tf.data.Dataset:
        """Maps (clips, labels, position) to (clips, labels), and counts the completed passes."""
        if self._length is None:
            clips = clips.map(lambda clip, label, _: (clip, label))
            return clips.apply(
                tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            )
        length, start = self._length, self._start

        def hand_over(
            clip: tf.Tensor, label: tf.Tensor, position: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            last = tf.equal((position - start) % length, length - 1)
            done = tf.cond(
                last,
                lambda: tf.numpy_function(self._complete, [], tf.int64),
                lambda: tf.constant(0, tf.int64),
            )
            with tf.control_dependencies([done]):
                return tf.identity(clip), tf.identity(label)

        cardinality = tf.data.experimental.assert_cardinality(length - self._skip)
        return clips.map(hand_over).apply(cardinality)

    def _next_start(self) -> np.int64:
        with self._lock:
            if self._completed and self._skip:
                raise ValueError(
                    "a data set that starts inside an epoch (first_step) can be read only once. "
                    "Make the next one with first_step=0, or an endless one with epochs=None."
                )
            return np.int64(self._start + self._completed * (self._length or 0))

    def _complete(self) -> np.int64:
        with self._lock:
            self._completed += 1
            return np.int64(self._completed)
