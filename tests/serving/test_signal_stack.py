"""A process that has used OpenVINO handles signals afterwards, whichever thread frees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("openvino")

FREED_ELSEWHERE = """if True:
    import faulthandler, gc, signal, sys, threading
    from pathlib import Path
    import numpy as np, openvino
    from openvino import opset13
    from vdroppath_tf.serving.formats.kinds import OPENVINO
    from vdroppath_tf.serving.formats.openvino_files import load

    if sys.argv[2] == "faulthandler":
        faulthandler.enable()
    clip = opset13.parameter([1, 3], np.float32)
    answers = [opset13.relu(clip), opset13.softmax(clip, 1)]
    for answer, name in zip(answers, ("logits", "probabilities")):
        answer.output(0).get_tensor().set_names({name})
    folder = Path(sys.argv[1])
    openvino.save_model(openvino.Model(answers, [clip]), folder / OPENVINO.file)
    held = [load(OPENVINO, folder)]
    print(held[0](np.ones((1, 3), "float32"))[0].tolist())

    def free():
        held.clear()
        gc.collect()

    thread = threading.Thread(target=free)
    thread.start()
    thread.join()
    signal.signal(signal.SIGTERM, lambda *_: print("handled"))
    signal.raise_signal(signal.SIGTERM)
"""


@pytest.mark.parametrize("stack", ["faulthandler", "none"])
def test_a_signal_after_another_thread_freed_it(stack: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FREED_ELSEWHERE, str(tmp_path), stack]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[[1.0, 1.0, 1.0]]\nhandled\n"), done.stderr
