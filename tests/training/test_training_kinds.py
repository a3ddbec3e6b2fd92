"""What training keeps and logs of seven units, gates per input, D1 and a gated classifier."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from event_files import events_of, pictures, scalars

from vdroppath_tf.cli import main
from vdroppath_tf.cost import unit_costs
from vdroppath_tf.layers.gates import named_drops
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.tensorboard import picture_of
from vdroppath_tf.zoo import get_model


def history_of(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "history.json").read_text())


def test_the_history_has_the_space_and_the_classifiers_gate(kinds_run: Path) -> None:
    history, space = history_of(kinds_run), ProbabilitySpace.load(kinds_run / "space.json")
    for entry in history:
        assert [np.shape(layer) for layer in entry["drop"]] == [(1, 3), (2, 3), (3, 3), (1, 3)]
    for layer, p in zip(history[-1]["drop"], space.drop, strict=True):
        np.testing.assert_array_equal(layer, p)
    model = keras.saving.load_model(kinds_run / "template.keras")
    first, last = (entry["classifier_drop"] for entry in history)
    assert 0.1 != first != last == named_drops(model)["classifier"]
    state = json.loads((kinds_run / "checkpoint-0-00002" / "state.json").read_text())
    assert state["history"] == history


def test_tensorboard_has_every_gate_by_name(kinds_run: Path) -> None:
    events = events_of(kinds_run / "tensorboard")
    tags = {tag for tag in events.Tags()["tensors"] if tag.startswith("drop/")}
    paths = [f"{u}/input{n}" for n in (1, 2) for u in ("S", "T", "ST")]
    layers = {"B1.L1": [*paths[:3], "D1"], "B1.L2": [*paths, "D1"], "B2.L1": [*paths[:3], "D1"]}
    layers["T1"] = [f"{u}/input{n}" for n in (1, 2, 3) for u in ("S", "ST")]  # without T and D1
    expected = {f"drop/{layer}/{gate}" for layer, gates in layers.items() for gate in gates}
    assert tags == {*expected, "drop/classifier"}

    def last(name: str) -> float:
        return scalars(events, name)[2]

    space = ProbabilitySpace.load(kinds_run / "space.json")
    assert last("drop/B1.L2/T/input2") == pytest.approx(space.drop[1][1, 1], rel=1e-6)
    assert last("drop/T1/ST/input3") == pytest.approx(space.drop[2][2, 2], rel=1e-6)
    assert last("drop/B2.L1/D1") == pytest.approx(space.layer_drop[3], rel=1e-6)
    assert last("drop/classifier") == pytest.approx(history_of(kinds_run)[-1]["classifier_drop"])
    costs = unit_costs(keras.saving.load_model(kinds_run / "template.keras"), tiny.SHAPE)
    assert last("expected_macs") == pytest.approx(costs.expected_macs(space), rel=1e-6)
    ((step, picture),) = pictures(events, "marginals").items()  # --picture_every=2
    assert step == 2
    np.testing.assert_array_equal(picture, picture_of(space))
    drawn = np.array([costs.of(strategy)[1] for strategy in space.sample(1000)])
    error = drawn.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - costs.expected_macs(space)) < 4 * error


def test_names_of_shared_gates_have_no_input() -> None:
    row, options = tiny.KINDS["dense"]  # without the gate that kind_template puts on classifiers
    drops = named_drops(get_model(f"template_{row}", 4, **options))
    blocks = [f"{layer}/{u}" for layer in ("B1.L1", "B1.L2", "B2.L1") for u in ("S", "T", "ST")]
    assert set(drops) == {*blocks, "T1/S", "T1/ST"}


@pytest.mark.slow
def test_a_stopped_run_ends_alike(kinds_run: Path, motion: Any, tmp_path: Path) -> None:
    """As it was when one epoch was behind it: no second checkpoint, nothing written at the end."""
    folder = Path(shutil.copytree(kinds_run, tmp_path / "run"))
    shutil.rmtree(folder / "checkpoint-0-00002")
    (folder / "template.keras").unlink()
    (folder / "history.json").unlink()
    assert main(tiny.train_kinds(motion, folder)) == 0
    assert history_of(folder) == history_of(kinds_run)
    models = [keras.saving.load_model(at / "template.keras") for at in (kinds_run, folder)]
    for one, other in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(*map(tf.convert_to_tensor, (one, other)), err_msg=one.path)


def test_a_checkpoint_holds_every_weight(tmp_path: Path) -> None:
    """Those of batch norms that paths have of their own too, in templates and derived networks."""
    for name, model, other in (
        ("template", *(tiny.kind_template("mobile", num_train_examples=4) for _ in range(2))),
        ("derived", *(tiny.kind_derived("mobile", "S+T ST") for _ in range(2))),
    ):
        for one in (model, other):
            one.compile("sgd", "mse")
            one.optimizer.build(one.trainable_variables)
        for k, weight in enumerate(model.weights):
            weight.assign(np.full(weight.shape, k))
        store = CheckpointStore(tmp_path / name, "{}")
        store.save(model, Position(0, 1))
        store.restore(other)
        assert tiny.state(other) == tiny.state(model)
