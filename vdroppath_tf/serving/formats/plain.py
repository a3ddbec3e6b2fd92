"""A folded network as one function for converters: from clips to logits and probabilities."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def plain_function(model: Any, shape: tuple[int | None, ...], *, multi_label: bool) -> Any:
    """Returns a ``tf.function`` of a Keras model with built-in operations only.

    Args:
        model: The model, from clips to logits.
        shape: The batch, frames, height, width and channels of the clips.
        multi_label: Whether probabilities are sigmoids.
    """
    spec = tf.TensorSpec(shape, tf.uint8, name="clips")

    @tf.function(input_signature=[spec], autograph=False)
    def answer(clips: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = tf.identity(model(clips, training=False), name="logits")
        chances = tf.sigmoid(logits) if multi_label else tf.nn.softmax(logits)
        return {"logits": logits, "probabilities": chances}

    return answer
