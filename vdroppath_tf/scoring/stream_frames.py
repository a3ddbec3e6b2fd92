"""Frames of a stream as they come, and what is said of some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named


@named
@dataclass(frozen=True, eq=False)
class StreamAnswer:
    """What a network says of one window of a stream.

    Attributes:
        first: int, the number of the window's first frame in the stream, from 0.
        last: int, that of its last frame.
        probabilities: ``(classes,)``, a softmax, or sigmoids where a clip has several classes.
    """

    first: int
    last: int
    probabilities: np.ndarray


class StreamFrames:
    """Frames that wait until there are enough of them.

    Args:
        shape: ``(height, width, channels)`` of a frame.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.waiting = np.zeros((0, *shape), "uint8")

    def add(self, frames: Any) -> None:
        """Takes ``(n, height, width, channels)`` uint8; a ValueError says what else was given."""
        frames = np.asarray(frames)
        if frames.shape[1:] != self.shape or frames.dtype != np.uint8:
            raise ValueError(
                f"Frames must be uint8 of shape (n, {', '.join(map(str, self.shape))}). "
                f"Received: {frames.dtype} of shape {frames.shape}"
            )
        self.waiting = np.concatenate([self.waiting, frames])

    def take(self, count: int) -> np.ndarray | None:
        """The first ``count`` of them; None while there are fewer."""
        if len(self.waiting) < count:
            return None
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken


def chances(logits: tf.Tensor, *, several: bool) -> np.ndarray:
    """The probabilities of one clip: a softmax, or sigmoids where it has several classes."""
    found: np.ndarray = (tf.sigmoid(logits) if several else tf.nn.softmax(logits))[0].numpy()
    return found
