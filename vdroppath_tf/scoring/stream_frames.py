"""The frames of a stream as they arrive, and the answers of a network for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named


@named
@dataclass(frozen=True, eq=False)
class StreamAnswer:
    """The answer of a network for one window of a stream.

    Attributes:
        first: int, the number of the window's first frame in the stream, from 0.
        last: int, the number of its last frame.
        probabilities: ``(classes,)``, a softmax, or sigmoids if a clip has several classes.

    Example:
    ```python
    network = vdroppath_tf.zoo.derived_micro("S S S S ST ST")
    stream = StreamingClassifier(network, (32, 32), window=16, hop=4)
    for answer in stream.push(np.zeros((24, 32, 32, 3), "uint8")):
        print(answer.first, answer.last, answer.probabilities)
    ```
    """

    first: int
    last: int
    probabilities: np.ndarray


class StreamFrames:
    """A queue of frames.

    Args:
        shape: the shape of a frame, ``(height, width, channels)``.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.waiting = np.zeros((0, *shape), "uint8")

    def add(self, frames: Any) -> None:
        """Appends uint8 frames ``(n, height, width, channels)``; raises a ValueError for others."""
        frames = np.asarray(frames)
        if frames.shape[1:] != self.shape or frames.dtype != np.uint8:
            raise ValueError(
                f"Frames must be uint8 of shape (n, {', '.join(map(str, self.shape))}). "
                f"Received: {frames.dtype} of shape {frames.shape}"
            )
        self.waiting = np.concatenate([self.waiting, frames])

    def take(self, count: int) -> np.ndarray | None:
        """Removes and returns the first ``count`` frames; returns None while there are fewer."""
        if len(self.waiting) < count:
            return None
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken


def chances(logits: tf.Tensor, *, several: bool) -> np.ndarray:
    """Returns the probabilities of one clip: a softmax, or sigmoids if it has several classes."""
    found: np.ndarray = (tf.sigmoid(logits) if several else tf.nn.softmax(logits))[0].numpy()
    return found
