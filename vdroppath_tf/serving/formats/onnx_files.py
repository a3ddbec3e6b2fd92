"""ONNX files, by tf2onnx, run by ONNX Runtime."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.serving.formats.kinds import Format
from vdroppath_tf.serving.formats.plain import Run

_OPSET = 17


def write(format: Format, answer: Any, folder: Path, calibration: np.ndarray) -> None:
    """Converts a function to ``model.onnx``."""
    convert = format.needed("tf2onnx.convert")
    logger = logging.getLogger("tf2onnx")
    before, logger.level = logger.level, logging.ERROR
    try:
        convert.from_function(
            answer,
            input_signature=answer.input_signature,
            opset=_OPSET,
            output_path=str(folder / format.file),
        )
    finally:
        logger.level = before


def load(format: Format, folder: Path) -> Run:
    """What runs a file, in this process, on the processor."""
    runtime = format.needed("onnxruntime")
    session = runtime.InferenceSession(
        str(folder / format.file), providers=["CPUExecutionProvider"]
    )
    (given,) = session.get_inputs()

    def run(clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, chances = session.run(["logits", "probabilities"], {given.name: clips})
        return logits, chances

    return run
