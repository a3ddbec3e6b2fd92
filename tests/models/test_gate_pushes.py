"""The record of what pushes gates: exact gradients, known answers, and what keeps it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import rows
import tensorflow as tf

from vdroppath_tf.layers.gates import freeze_gates, gates_of
from vdroppath_tf.layers.losses import is_marked
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.gate_pushes import drop_of, logits_of
from vdroppath_tf.spaces.diagnosis import UNKNOWN, diagnose
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training.optimizer import GateSGD

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (8, 4, 16, 16, 3)).astype("uint8")
LABELS = RNG.integers(0, 4, 8)
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def nothing(y_true: Any, y_pred: Any) -> Any:
    """A loss without a gradient."""
    return tf.reduce_sum(0.0 * y_pred, -1)


def size(y_true: Any, y_pred: Any) -> Any:
    """A loss that falls as paths are dropped."""
    return tf.reduce_mean(y_pred**2, -1)


def trained(model: Any, loss: Any, gate_rate: float, epochs: int = 1, steps: int = 1) -> Any:
    model.compile(GateSGD(0.01, gate_multiplier=gate_rate / 0.01, momentum=0.9), loss)
    model.fit(CLIPS, LABELS, batch_size=8 // steps, epochs=epochs, shuffle=False, verbose=0)
    return model


def space_of(model: Any) -> ProbabilitySpace:
    return ProbabilitySpace.from_model(model)


def test_pushes_are_the_gradients_of_a_step() -> None:
    """Of gates per input with T, D1 and a gated classifier, in the paper's form."""
    gates = {"drop_layer": True, "gate_classifier": True, "kl": "paper", "weight_reg": 3.0}
    options = {"branches": rows.ALL, "share_inputs": False, "blocks": (2, 1)}
    gates["num_train_examples"] = 20
    model = rows.network("dense", num_classes=4, clip_shape=(4, 16, 16), gates=gates, **options)
    twin = FusionModel.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    logits = [logit for gate in gates_of(twin) for logit in logits_of(gate)]
    with tf.GradientTape(persistent=True) as tape:
        answers = twin(CLIPS, training=True)
        kl = tf.add_n([loss for loss in twin.losses if is_marked(loss)])
        task = CROSS_ENTROPY(LABELS, answers)
    trained(model, CROSS_ENTROPY, 1e-6)
    kept = model.kept_pushes()
    assert kept is not None
    assert kept["epochs"] == 1
    for name, loss in (("data", task), ("prior", kl)):
        parts = [np.ravel(part) for part in tape.gradient(loss, logits)]
        expected = -np.concatenate(parts)
        assert np.abs(expected).min() > 0
        np.testing.assert_allclose(kept[f"last_{name}"], expected, rtol=2e-4, atol=1e-7)
        np.testing.assert_allclose(kept[name], 0.01 * expected, rtol=2e-4, atol=1e-9)
    space = space_of(model)
    assert space.pushes is not None
    assert [len(layer) for layer in space.pushes.prior.paths] == [len(p) for p in space.drop]
    last = [np.count_nonzero(values) for values in space.pushes.last_prior.flat()]
    assert sum(last) == len(kept["last_prior"]) - 1  # the classifier is no layer of the space


def test_a_prior_without_data_decides_and_fit_says_so(tmp_path: Path) -> None:
    """The KL's gradient by hand: p (1 - p) (logit - weight_reg ||w||^2) / N, of each path."""
    model = rows.built(
        "tiny", 4, clip_shape=(4, 16, 16), gates={"num_train_examples": 10, "weight_reg": 10.0}
    )
    logit = np.log(0.1 / 0.9)
    norms = [
        [float(tf.reduce_sum(path.kernel**2)) for path in layer.paths]
        for layer in model.layers
        if hasattr(layer, "paths")
    ]
    expected = -0.09 * (logit - 10.0 * np.array(norms)) / 10
    trained(model, nothing, 1e-6)  # too slowly for the gates to move, which is no cause to warn
    np.testing.assert_allclose(model.kept_pushes()["last_prior"], expected.ravel(), rtol=1e-4)
    with warnings.catch_warnings(record=True) as caught:  # pytest.warns raises those of others
        warnings.simplefilter("always")
        trained(model, nothing, 2.0, epochs=2)
    said = [str(one.message) for one in caught if one.category is SpaceWarning]
    assert len(said) == 1
    assert "The prior decided in 2 of 2 layers, the data in 0" in said[0]
    space = space_of(model)
    assert space.pushes is not None
    assert space.pushes.epochs == 3  # the epoch before counts too
    assert all((layer == 0).all() for layer in space.pushes.data.paths)
    found = diagnose(space)
    assert found.moved_by == ("prior", "prior")
    assert found.data_share == (0.0, 0.0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert space_of(loaded).to_json() == space.to_json()
    loaded.gates[0].logit.assign([0.0, 0.0])  # not where the record ends
    assert diagnose(space_of(loaded)).sentences()[-1] == UNKNOWN


def test_data_without_a_prior_decide_and_frozen_gates_say_nothing() -> None:
    gates: Any = {"num_train_examples": 1e12, "prior_strength": 0.0}
    model = rows.built("tiny", 4, clip_shape=(4, 16, 16), gates=gates)
    trained(model, size, 100.0, epochs=2, steps=2)
    found = diagnose(space_of(model))
    assert "data" in found.moved_by
    assert found.count("prior") == 0
    assert min(found.data_share) > 0.99
    before = model.kept_pushes()
    freeze_gates(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SpaceWarning)
        trained(model, size, 1.0)
    assert model.kept_pushes() == before
    np.testing.assert_allclose(drop_of(model), before["ends"])


def test_a_record_of_another_model_is_left_alone() -> None:
    model = rows.built("tiny", 4, clip_shape=(4, 16, 16), gates={"num_train_examples": 10})
    assert model.kept_pushes() is None
    numbers = dict.fromkeys(("data", "prior", "last_data", "last_prior"), [0.0] * 4)
    whole = {**numbers, "since": [0.1] * 4, "ends": [0.1] * 4, "epochs": 2}
    bad: list[Any] = [
        {},
        {**whole, "data": [0.0] * 3},
        {**whole, "data": ["a"] * 4},
        {**whole, "prior": [float("nan")] * 4},
        {**whole, "since": [2.0] * 4},
        {**whole, "epochs": 0},
        {**whole, "epochs": None},
        [],
    ]
    for found in bad:
        model.restore_pushes(found)
        assert space_of(model).pushes is None
    model.restore_pushes(whole)
    assert space_of(model).pushes is not None
