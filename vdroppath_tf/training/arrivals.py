"""When the clips of each step were there: how long a network waited for them."""

from __future__ import annotations

import collections
import time

import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named


@named
class Arrivals:
    """Notes when a stream hands over its batches; steps take them in the same order.

    The note is made behind everything that runs ahead, so it is the moment at which a step that
    waits gets its clips. Where a strategy fetches ahead for its devices, a batch may have been
    there before its step began: then the step has not waited.
    """

    def __init__(self) -> None:
        self._times: collections.deque[float] = collections.deque()

    def behind(self, clips: tf.data.Dataset) -> tf.data.Dataset:
        """The same stream, noted."""

        def arrive(*batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
            noted = tf.numpy_function(self._note, [], tf.int64)
            with tf.control_dependencies([noted]):
                return tuple(tf.identity(part) for part in batch)

        return clips.map(arrive)

    def _note(self) -> np.int64:
        self._times.append(time.perf_counter())
        return np.int64(0)

    def clear(self) -> None:
        """Forgets the batches so far: Keras takes one to learn shapes, and gives it to no step."""
        self._times.clear()

    def waited(self, began: float, steps: int = 1) -> float | None:
        """Seconds that the next steps waited for the first of their batches.

        Args:
            began: When they began, by ``time.perf_counter``.
            steps: How many there are in one call of the training function.

        Returns:
            The seconds, 0 or more; None where nobody noted the batches.
        """
        taken = [self._times.popleft() for _ in range(min(steps, len(self._times)))]
        return max(0.0, taken[0] - began) if taken else None
