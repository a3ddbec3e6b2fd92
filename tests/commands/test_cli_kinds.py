"""The commands on a template of seven units whose inputs and classifier have gates of their own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.cli import main
from vdroppath_tf.derivation import derive
from vdroppath_tf.spaces.space import ProbabilitySpace

UNITS = ("S+T+ST", "S+T", "S+ST", "S", "T+ST", "T", "ST", "-")


def call(capfd: pytest.CaptureFixture[str], *arguments: Any) -> tuple[str, str]:
    """What a command line that goes well says on stdout and stderr."""
    capfd.readouterr()
    code = main([str(argument) for argument in arguments])
    out, error = capfd.readouterr()
    assert code == 0, error
    return out, error


def line_of(text: str, name: str) -> list[str]:
    """The columns of a row; of several rows of the name the last."""
    return [row for row in text.splitlines() if row.startswith(name)][-1].split("|")


def test_space_shows_means_over_inputs_and_says_so(
    kinds_run: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = f"--model={kinds_run}/template.keras"
    out, _ = call(capfd, "space", model, f"--out={tmp_path}/space.json")
    assert (tmp_path / "space.json").read_bytes() == (kinds_run / "space.json").read_bytes()
    space = ProbabilitySpace.load(tmp_path / "space.json")
    head = out.splitlines()[0]
    assert tuple(head.split("|")[1].split()[2:]) == UNITS
    marginals = space.marginals()
    for n, name in enumerate(space.layers):
        found = [float(value) for value in line_of(out, name)[1].split()]
        np.testing.assert_allclose(found, [marginals[u][n] for u in UNITS], atol=6e-4)
        assert len(out.splitlines()[1 + n]) == len(head)  # columns stand below their heads
    assert "means over inputs (see --inputs)" in out
    assert re.search(r"^classifier: each feature is dropped with p = 0\.\d{3}$", out, re.MULTILINE)
    assert f"mode: {space.mode()}" in out
    assert "input 1" not in out


def test_space_shows_each_input_where_asked(
    kinds_run: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, _ = call(capfd, "space", f"--model={kinds_run}/template.keras", "--inputs")
    space = ProbabilitySpace.load(kinds_run / "space.json")
    units, sampling = list(space.marginals()), space.unit_probabilities(form="sampling")
    _, *blocks = re.split("^(?=[BT]\\d)", out, flags=re.MULTILINE)
    for n, block in enumerate(blocks):
        inputs = len(space.drop[n])
        for k in range(inputs):
            found = [float(value) for value in line_of(block, f"  input {k + 1}")[2].split()]
            own = dict(zip(units, sampling[n][k], strict=True))
            np.testing.assert_allclose(found, [own[u] for u in UNITS], atol=6e-4)
        assert f"input {inputs + 1}" not in block
    assert "see --inputs" not in out


def test_inputs_that_share_their_gates_cannot_be_shown(
    chain: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["space", f"--model={chain}/run/template.keras", "--inputs"]) == 1
    assert "share its gates" in capfd.readouterr().err


def test_evaluate_derive_export_predict(
    kinds_run: Path, motion: Any, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The best of the scores, as text, goes through all of them."""
    for name in ("template.keras", "recipe.json", "labels.txt"):
        shutil.copy(kinds_run / name, tmp_path)
    model, data = f"--model={tmp_path}/template.keras", motion.folder
    text = "T@1 S@10+ST@11 S@110+ST@001 -"
    scores = f"{tmp_path}/scores.json"
    line = ["evaluate", model, f"--data={data}/validation.txt", f"--strategy={text}"]
    out, _ = call(capfd, *line, f"--out={scores}")
    assert f"  {text}\n" in out
    assert "one strategy: nothing was chosen" in out
    assert json.loads(Path(scores).read_text())["scores"][0]["strategy"] == text
    derived = tmp_path / "derived.keras"
    _, said = call(capfd, "derive", model, f"--scores={scores}", f"--out={derived}")
    assert f"Strategy: {text}" in said
    network = keras.saving.load_model(derived)
    clip = np.random.default_rng(0).integers(0, 256, (2, *tiny.SHAPE, 3), np.uint8)
    template = keras.saving.load_model(tmp_path / "template.keras")
    np.testing.assert_allclose(network(clip), derive(template, text)(clip), atol=1e-5)
    call(capfd, "export", f"--model={derived}", f"--out={tmp_path}/served/1")
    served = tf.saved_model.load(f"{tmp_path}/served/1").signatures["serving_default"]
    np.testing.assert_allclose(served(video=clip)["logits"], network(clip), atol=1e-5)
    file = motion.manifest("test").entries[0].path
    out, _ = call(capfd, "predict", f"--model={tmp_path}/served/1", file)
    assert out.startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("S@1 S@1 S@111 S@1", "'B1.L2' has 2 inputs. Expected masks of that length"),
        ("S S T S", "T1 has no branch 'T'"),
        ("S S - S", "T1 cannot be dropped"),
    ],
)
def test_strategies_that_do_not_fit(
    kinds_run: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, strategy: str, message: str
) -> None:
    line = ["derive", f"--model={kinds_run}/template.keras", f"--strategy={strategy}"]
    assert main([*line, f"--out={tmp_path}/x.keras"]) == 1
    assert message in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
