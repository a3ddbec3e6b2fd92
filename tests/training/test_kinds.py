"""train() on templates of seven units, gates per input and a gated classifier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.cost import unit_costs
from vdroppath_tf.layers.gates import named_drops
from vdroppath_tf.space import ProbabilitySpace
from vdroppath_tf.training import Clips

STEPS = tiny.COUNTS[0] // tiny.BATCH  # an epoch
RECIPE = tiny.recipe(0, 2).replace(network="both", drop_layer=True)


class StoppedError(Exception):
    """As a user stops a run."""


@pytest.fixture(scope="module")
def run(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All kinds of gates in one template, trained in one go. Change nothing of it."""
    folder = tmp_path_factory.mktemp("kinds") / "run"
    return tiny.run_template(Clips(motion.manifest("train")), RECIPE, folder)


def test_the_history_has_the_space_and_the_classifiers_gate(run: tiny.Run) -> None:
    space = ProbabilitySpace.from_model(run.model)
    for entry in run.history:
        assert [np.shape(layer) for layer in entry["drop"]] == [(1, 3), (2, 3), (3, 3), (1, 3)]
    for layer, p in zip(run.history[-1]["drop"], space.drop, strict=True):
        np.testing.assert_array_equal(layer, p)
    first, last = (entry["classifier_drop"] for entry in run.history)
    assert 0.1 != first != last == named_drops(run.model)["classifier"]
    assert json.loads(json.dumps(run.history)) == run.history
    (state,) = run.folder.glob("checkpoint-0-00002/state.json")
    assert json.loads(state.read_text())["history"] == run.history


def test_tensorboard_has_every_gate_by_name(run: tiny.Run) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    tags = {tag for tag in events.Tags()["tensors"] if tag.startswith("drop/")}
    paths = [f"{u}/input{n}" for n in (1, 2) for u in ("S", "T", "ST")]
    layers = {"B1.L1": [*paths[:3], "D1"], "B1.L2": [*paths, "D1"], "B2.L1": [*paths[:3], "D1"]}
    layers["T1"] = [f"{u}/input{n}" for n in (1, 2, 3) for u in ("S", "ST")]  # without T and D1
    expected = {f"drop/{layer}/{gate}" for layer, gates in layers.items() for gate in gates}
    assert tags == {*expected, "drop/classifier"}

    def last(name: str) -> float:
        (*_, event) = events.Tensors(name)
        return float(tf.make_ndarray(event.tensor_proto))

    space = ProbabilitySpace.from_model(run.model)
    assert last("drop/B1.L2/T/input2") == pytest.approx(space.drop[1][1, 1], rel=1e-6)
    assert last("drop/T1/ST/input3") == pytest.approx(space.drop[2][2, 2], rel=1e-6)
    assert last("drop/B2.L1/D1") == pytest.approx(space.layer_drop[3], rel=1e-6)
    drops = named_drops(run.model)
    assert last("drop/classifier") == pytest.approx(drops["classifier"], rel=1e-6)
    macs = unit_costs(run.model, tiny.SHAPE).expected_macs(space)
    assert last("expected_macs") == pytest.approx(macs, rel=1e-6)


def test_names_of_shared_gates_have_no_input() -> None:
    drops = named_drops(tiny.kind_template("dense", num_train_examples=4, gate_classifier=False))
    blocks = [f"{layer}/{u}" for layer in ("B1.L1", "B1.L2", "B2.L1") for u in ("S", "T", "ST")]
    assert set(drops) == {*blocks, "T1/S", "T1/ST"}


def test_a_stopped_run_ends_with_the_same_bits(run: tiny.Run, tmp_path: Path) -> None:
    steps: list[int] = []

    def on_step() -> None:
        steps.append(1)
        if len(steps) == STEPS + 1:  # one epoch with gates is behind it, a step is lost
            raise StoppedError

    with pytest.raises(StoppedError):
        tiny.run_template(run.clips, RECIPE, tmp_path / "run", on_step=on_step)
    resumed = tiny.run_template(run.clips, RECIPE, tmp_path / "run")
    assert tiny.state(resumed.model) == tiny.state(run.model)
    assert resumed.history == run.history
