"""A folded network as one function that converters take: clips to logits and probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

Run = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Logits and probabilities of clips."""


def plain_function(model: Any, shape: tuple[int, ...], *, multi_label: bool) -> Any:
    """A ``tf.function`` of a Keras model with built-in operations alone.

    Args:
        model: From clips to logits.
        shape: Frames, height, width and channels of the clips.
        multi_label: Whether probabilities are sigmoids.
    """
    spec = tf.TensorSpec((None, *shape), tf.uint8, name="clips")

    @tf.function(input_signature=[spec], autograph=False)
    def answer(clips: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = tf.identity(model(clips, training=False), name="logits")
        chances = tf.sigmoid(logits) if multi_label else tf.nn.softmax(logits)
        return {"logits": logits, "probabilities": chances}

    return answer
