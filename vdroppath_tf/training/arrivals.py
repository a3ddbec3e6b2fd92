"""Measures how long the network waits for the clips of each step."""

from __future__ import annotations

import collections
import time

import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named


@named
class Arrivals:
    """Records when a stream delivers its batches; steps consume them in the same order.

    The time is recorded after all prefetching, so it is the moment at which a waiting step gets its
    clips. If a distribution strategy prefetches for its devices, a batch may have been available
    before its step began: then the step has not waited.
    """

    def __init__(self) -> None:
        self._times: collections.deque[float] = collections.deque()

    def behind(self, clips: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the same stream, which records the time of each batch."""

        def arrive(*batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
            noted = tf.numpy_function(self._note, [], tf.int64)
            with tf.control_dependencies([noted]):
                return tuple(tf.identity(part) for part in batch)

        return clips.map(arrive)

    def _note(self) -> np.int64:
        self._times.append(time.perf_counter())
        return np.int64(0)

    def clear(self) -> None:
        """Forgets the batches so far: Keras reads one only to learn the shapes."""
        self._times.clear()

    def waited(self, began: float, steps: int = 1) -> float | None:
        """Returns the seconds that the next steps waited for the first of their batches.

        Args:
            began: When the steps began, by ``time.perf_counter``.
            steps: The number of steps in one call of the training function.

        Returns:
            The seconds, 0 or more; None if no batch was recorded.
        """
        taken = [self._times.popleft() for _ in range(min(steps, len(self._times)))]
        return max(0.0, taken[0] - began) if taken else None
