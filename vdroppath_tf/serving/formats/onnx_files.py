"""ONNX files, by tf2onnx, run by ONNX Runtime."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.serving.formats.kinds import Format, Run, one_by_one, usable_cores

_OPSET = 17
_BATCH = "batch"


def write(format: Format, answer: Any, folder: Path, calibration: np.ndarray) -> None:
    """Converts a function to ``model.onnx``."""
    convert = format.needed("tf2onnx.convert")
    logger = logging.getLogger("tf2onnx")
    before, logger.level = logger.level, logging.ERROR
    try:
        signature = answer.input_signature
        model, _ = convert.from_function(answer, input_signature=signature, opset=_OPSET)
    finally:
        logger.level = before
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = _BATCH  # its name was a number
    (folder / format.file).write_bytes(model.SerializeToString())


def load(format: Format, folder: Path) -> Run:
    """Returns a function that runs a file in this process, on the CPU."""
    runtime = format.needed("onnxruntime")
    options = runtime.SessionOptions()
    options.add_free_dimension_override_by_name(_BATCH, 1)
    options.intra_op_num_threads = usable_cores()
    # threads that wait in a loop take the time of those that decode videos meanwhile
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = runtime.InferenceSession(
        str(folder / format.file), options, providers=["CPUExecutionProvider"]
    )
    (given,) = session.get_inputs()
    return one_by_one(lambda clip: session.run(["logits", "probabilities"], {given.name: clip}))
