"""OpenVINO's files, in single precision or quantised to 8 bits."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.serving.formats.kinds import OPENVINO_INT8, Format, Run, one_by_one
from vdroppath_tf.serving.formats.signal_stack import own_signal_stack


def write(format: Format, answer: Any, folder: Path, calibration: np.ndarray) -> None:
    """Converts a function to ``model.xml`` and ``model.bin``.

    Args:
        format: The format, with or without quantisation.
        answer: The function.
        folder: The folder to write to.
        calibration: The clips that set the ranges of 8 bits.
    """
    with _unwatched(), own_signal_stack():
        openvino = format.needed("openvino")
        model = openvino.convert_model(answer.get_concrete_function())
        if format is OPENVINO_INT8:
            nncf = format.needed("nncf")
            clips = nncf.Dataset([clip[None] for clip in calibration])
            model = nncf.quantize(model, clips, subset_size=len(calibration))
    openvino.save_model(model, str(folder / format.file), compress_to_fp16=False)


@contextlib.contextmanager
def _unwatched() -> Iterator[None]:
    """Keeps OpenVINO and NNCF from reporting their use to their makers.

    They do so without asking, unless the variables of a build server are set.
    """
    before = {name: os.environ.get(name) for name in _WATCHED}
    os.environ.update(_WATCHED)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_WATCHED = {"CI": "true", "NNCF_CI": "1"}


def load(format: Format, folder: Path) -> Run:
    """Returns a function that runs a file in this process, on the CPU."""
    openvino = format.needed("openvino")
    # Without the hint, OpenVINO computes in bfloat16 on processors that support it.
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    with own_signal_stack():
        core = openvino.Core()
        model = core.read_model(str(folder / format.file))
        _, *sizes = model.input().partial_shape
        model.reshape([1, *sizes])
        request = core.compile_model(model, "CPU", settings).create_infer_request()
    alone = threading.Lock()

    def answer(clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with alone:
            found = request.infer([clip])
            return found["logits"].copy(), found["probabilities"].copy()

    return one_by_one(answer)
