"""LiteRT's files (formerly TensorFlow Lite), of built-in operations alone."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.serving.formats.kinds import Format
from vdroppath_tf.serving.formats.plain import Run


def write(format: Format, answer: Any, folder: Path, calibration: np.ndarray) -> None:
    """Converts a function to ``model.tflite``."""
    module = tf.Module()
    module.weights = list(answer.get_concrete_function().variables)
    # by way of a SavedModel, or else the file has no signature: outputs without names
    with tempfile.TemporaryDirectory() as place:
        tf.saved_model.save(module, place, {"serving_default": answer})
        converter = tf.lite.TFLiteConverter.from_saved_model(place)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        content = converter.convert()
    (folder / format.file).write_bytes(content)


def load(format: Format, folder: Path) -> Run:
    """What runs a file, in this process, on the processor."""
    litert = format.needed("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(model_path=str(folder / format.file))
    alone = threading.Lock()
    (given,) = interpreter.get_input_details()
    classes = sorted(interpreter.get_signature_list()["serving_default"]["outputs"])
    if classes != ["logits", "probabilities"]:
        raise ValueError(f"{folder / format.file}: gives {classes}. Export it again.")
    at: dict[str, int] = {}
    seen: list[tuple[int, ...]] = []

    def run(clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with alone:
            if seen != [clips.shape]:
                interpreter.resize_tensor_input(given["index"], clips.shape)
                interpreter.allocate_tensors()
                seen[:] = [clips.shape]
                at.update(_outputs(interpreter))
            interpreter.set_tensor(given["index"], clips)
            interpreter.invoke()
            found = [interpreter.get_tensor(at[name]) for name in ("logits", "probabilities")]
            return found[0], found[1]

    return run


def _outputs(interpreter: Any) -> dict[str, int]:
    """The numbers of the outputs by name: those of a signature, in the order of its names."""
    details = interpreter.get_output_details()
    runner = interpreter.get_signature_runner("serving_default")
    names = {name: detail["name"] for name, detail in runner.get_output_details().items()}
    by_tensor = {detail["name"]: detail["index"] for detail in details}
    return {name: by_tensor[tensor] for name, tensor in names.items()}
