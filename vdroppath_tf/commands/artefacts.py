"""What a command can ask for the classes of videos: a network, or what one was exported as."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdroppath_tf import serving, training

if TYPE_CHECKING:
    import numpy as np


class KerasNetwork:
    """A ``.keras`` file as the artefacts of ``vdroppath export`` are: it gives probabilities.

    Args:
        path: The file.

    Raises:
        ValueError: See ``training.load_model``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._model, recipe, self.labels = training.load_model(path)
        self.sampling = recipe.evaluation  # as vdroppath export keeps it
        self.channels = int(self._model.input_shape[-1])
        self.multi_label = bool(getattr(self._model, "multi_label", False))

    def answer(self, clips: Any) -> np.ndarray:
        """``(batch, classes)`` for uint8 clips ``(batch, time, height, width, channels)``."""
        import tensorflow as tf

        logits = tf.cast(self._model(tf.constant(clips), training=False), tf.float32)
        return (tf.sigmoid if self.multi_label else tf.nn.softmax)(logits).numpy()


def open_artefact(path: str) -> Any:
    """A ``.keras`` file or an exported artefact, loaded.

    Raises:
        ValueError: If it is neither.
    """
    if Path(path).is_file():
        return KerasNetwork(path)
    return serving.load_artefact(path)
