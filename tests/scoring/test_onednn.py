"""With oneDNN on, which is the default here, TensorFlow fuses operations; none may abort."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.layers.convolve import convolve
from vdroppath_tf.models.families import FAMILIES, family_of

NETWORKS = ("nano", "nano_groups", "nano_dense", "nano_inputs", "nano_mobile")
SCORE = """
import sys
import numpy as np
import tensorflow as tf
import tiny  # which adds the networks
from vdroppath_tf import scoring, zoo
from vdroppath_tf.derivation import derive

rng = np.random.default_rng(0)
clips = rng.integers(0, 256, (4, 4, 16, 16, 3)).astype("uint8")
for name in sys.argv[1:]:
    for branches in (("S", "ST"), ("S", "T", "ST"))[: 1 + (name == "nano_mobile")]:
        network = zoo.get_model(f"template_{name}", 4, branches=branches)
        tiny.draw_norms(network, seed=0)  # else grappler may drop what would be fused
        two = [" ".join([unit] * len(network.gates)) for unit in ("S", "S+ST")]
        data = tf.data.Dataset.from_tensor_slices((clips, np.arange(4))).batch(2)
        scores = scoring.evaluate_strategies(network, two, data)
        network.predict(clips, verbose=0)
        derive(network, two[0]).predict(clips, verbose=0)
        print(name, len(scores), flush=True)
"""


def test_a_network_of_every_family_is_scored() -> None:
    """In a process of its own, as an abort of TensorFlow ends the process that it happens in."""
    tried = {family_of(name).name for name in NETWORKS}
    assert tried == {family.name for family in FAMILIES}
    tests = str(Path(tiny.__file__).parent)
    paths = os.pathsep.join([tests, *filter(None, sys.path)])
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", SCORE, *NETWORKS],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = [f"{name} 2" for name in (*NETWORKS, "nano_mobile")]  # with T too
    assert (done.returncode, done.stdout.splitlines()) == (0, expected), done.stderr[-2000:]


@pytest.mark.parametrize("strides", [(1, 1, 1), (1, 2, 2), (2, 2, 1)])
@pytest.mark.parametrize("size", [3, 5])
def test_a_strided_depthwise_convolution(size: int, strides: tuple[int, int, int]) -> None:
    """Padded by half the kernel on all sides, whatever the stride."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 7, 8, 3)).astype("float32")
    kernel = rng.normal(size=(1, size, size, 1, 3)).astype("float32")
    half = size // 2
    padded = np.pad(x, [(0, 0), (0, 0), (half, half), (half, half), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))
    every = np.einsum("bthwcij,ijc->bthwc", windows, kernel[0, :, :, 0])
    t, h, w = strides
    np.testing.assert_allclose(
        convolve(tf.constant(x), kernel, strides), every[:, ::t, ::h, ::w], rtol=1e-4, atol=1e-5
    )


IMPORT = """
import tensorflow
import vdroppath_tf
from tensorflow.python.util import _pywrap_util_port
print(_pywrap_util_port.IsMklEnabled())
"""


def imported(code: str, *paths: Path, **variables: str) -> tuple[str, str]:
    """What a process prints that imports TensorFlow first, and what it logs."""
    kept = {name: v for name, v in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    path = os.pathsep.join([*map(str, paths), *filter(None, sys.path)])
    environment = {**kept, "PYTHONPATH": path, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip(), done.stderr


def test_tensorflow_that_was_imported_first_leaves_it_as_this_processor_has_it() -> None:
    on, lines = imported(IMPORT)
    assert on in ("True", "False")
    assert ("Import vdroppath_tf before TensorFlow" in lines) == (on == "False")


@pytest.mark.parametrize(
    ("enabled", "variables", "warned"),
    [
        ("False", {}, True),
        ("True", {}, False),
        ("False", {"TF_ENABLE_ONEDNN_OPTS": "0"}, False),  # as the user wants it
    ],
)
def test_a_warning_where_it_is_off_and_would_have_been_on(
    enabled: str, variables: dict[str, str], warned: bool, tmp_path: Path
) -> None:
    """With a stand-in for TensorFlow, on a processor on which it is off or on by default."""
    folder = tmp_path / "tensorflow" / "python" / "util"
    folder.mkdir(parents=True)
    for package in (folder, *folder.parents[:2]):
        (package / "__init__.py").touch()
    text = f"def IsMklEnabled(): return {enabled}"
    (folder / "_pywrap_util_port.py").write_text(text)
    code = "import platform; platform.machine = lambda: 'x86_64'\n" + IMPORT
    on, lines = imported(code, tmp_path, **variables)
    assert on == enabled
    assert lines.count("set the environment variable TF_ENABLE_ONEDNN_OPTS=1") == warned
    assert warned or not lines


REMAPPED = """
import sys
import tensorflow as tf
from vdroppath_tf.layers.convolve import convolve

kernel = tf.Variable(tf.ones((3, 3, 3, 3, 8)))

@tf.function(input_signature=[tf.TensorSpec((None, 4, 8, 8, 3))])
def gradient(clips):
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(convolve(clips, kernel, (1, 2, 2), training=sys.argv[1] == "True"))
    return tape.gradient(y, kernel)

gradient(tf.ones((2, 4, 8, 8, 3)))
"""


def test_the_graph_of_a_training_step_can_be_optimised() -> None:
    """A Pad that the gradient reads too is one that TensorFlow fails to fuse, with an error."""
    path = os.pathsep.join(filter(None, sys.path))
    shown = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "0", "PYTHONPATH": path}
    command = [sys.executable, "-c", REMAPPED, "True"]
    done = subprocess.run(
        command, env={**os.environ, **shown}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "remapper failed" not in done.stderr
