"""SavedModels of derived networks of every kind are these networks, for TensorFlow alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.derivation import derive
from vdroppath_tf.serving.export import export_saved_model

VIDEO = np.random.default_rng(7).integers(0, 256, (2, *tiny.SHAPE, 3), np.uint8)
STRATEGIES = {
    "units": "T S+T -",
    "mobile": "T+ST T",
    "dense": "T - S+ST S+T+ST",
    "inputs": "S@1 S@01+ST@10 ST@101 ST@1",
    "both": "T@1 S@10+T@11 S@110+ST@011 -",
    "grouped": "S+T ST",  # ResNeXt's 1x3x3
}


def network_of(kind: str) -> Any:
    keras.utils.set_random_seed(2)
    model = tiny.kind_template(kind)
    tiny.draw_norms(model, seed=2)
    return derive(model, STRATEGIES[kind])


@pytest.mark.parametrize("kind", STRATEGIES)
def test_it_says_what_the_network_says(kind: str, tmp_path: Path) -> None:
    network = network_of(kind)
    path = export_saved_model(network, tmp_path / "1")
    found = tf.saved_model.load(str(path)).signatures["serving_default"](video=tf.constant(VIDEO))
    expected = network(VIDEO, training=False).numpy()
    assert np.abs(found["logits"] - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found["probabilities"], tf.nn.softmax(expected), atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3  # the clips are told apart


ALONE = """
import json, sys
import numpy as np
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
logits = serve(video=tf.constant(np.load(sys.argv[2])))["logits"].numpy().tolist()
print(json.dumps([logits, [m for m in sys.modules if m.split(".")[0] == "vdroppath_tf"]]))
"""


@pytest.mark.slow
def test_tensorflow_alone_can_load_it(tmp_path: Path) -> None:
    network = network_of("both")
    export_saved_model(network, tmp_path / "1")
    np.save(tmp_path / "clips.npy", VIDEO)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, "1", "clips.npy"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    logits, foreign = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(logits, network(VIDEO, training=False), atol=1e-5)
    assert foreign == []
