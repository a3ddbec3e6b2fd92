"""What importing the package sets, and what it refuses. Each case is a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

UNSET = "<unset>"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        k: v for k, v in os.environ.items() if k not in ("TF_ENABLE_ONEDNN_OPTS", "KERAS_BACKEND")
    }
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**kept, **environment}
    )


def one_dnn(code: str, **environment: str) -> str:
    code += f"\nimport os; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS', '{UNSET}'))"
    done = run(code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def test_one_dnn_is_switched_on() -> None:
    assert one_dnn("import vdroppath_tf") == "1"


def test_the_users_choice_stays() -> None:
    assert one_dnn("import vdroppath_tf", TF_ENABLE_ONEDNN_OPTS="0") == "0"


@pytest.mark.newest
def test_it_is_too_late_once_tensorflow_is_there() -> None:
    assert one_dnn("import tensorflow; import vdroppath_tf") == UNSET


@pytest.mark.parametrize("before", ["", "import keras\n"])
def test_another_backend_is_refused(before: str) -> None:
    """Set for Keras to come, or in a Keras that was imported already."""
    if before:  # a Keras with another backend, without installing one
        before += "keras.config.backend = keras.backend.backend = lambda: 'jax'\n"
        done = run(before + "import vdroppath_tf", KERAS_BACKEND="tensorflow")
    else:
        done = run("import vdroppath_tf", KERAS_BACKEND="jax")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: vdroppath_tf needs Keras with the TensorFlow backend")
    assert "'jax'" in last
    assert "KERAS_BACKEND=tensorflow" in last
