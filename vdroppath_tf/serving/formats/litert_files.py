"""LiteRT's files (formerly TensorFlow Lite), with built-in operations only."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.serving.formats.kinds import Format, Run, one_by_one, usable_cores


def write(format: Format, answer: Any, folder: Path, calibration: np.ndarray) -> None:
    """Converts a function to ``model.tflite``."""
    import tensorflow as tf  # needed for writing, but not for running the file

    module = tf.Module()
    module.weights = list(answer.get_concrete_function().variables)
    # Only by way of a SavedModel does the file have a signature, and outputs names.
    with tempfile.TemporaryDirectory() as place:
        tf.saved_model.save(module, place, {"serving_default": answer})
        converter = tf.lite.TFLiteConverter.from_saved_model(place)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        content = converter.convert()
    (folder / format.file).write_bytes(content)


def load(format: Format, folder: Path) -> Run:
    """Returns a function that runs a file in this process, on the CPU."""
    litert = format.needed("ai_edge_litert.interpreter")
    file = str(folder / format.file)
    interpreter = litert.Interpreter(model_path=file, num_threads=usable_cores())  # default: one
    runner, alone = interpreter.get_signature_runner("serving_default"), threading.Lock()

    def answer(clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with alone:
            found = runner(clips=clip)
            return found["logits"].copy(), found["probabilities"].copy()

    return one_by_one(answer)
