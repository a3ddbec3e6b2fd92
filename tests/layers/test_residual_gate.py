"""The two forms of the residual gate, against arithmetic that is written out here in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.layers import drop_path, noise
from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gates import gates_of, set_strategy
from vdroppath_tf.models.fusion_model import FusionModel

FILE = Path(__file__).parents[1] / "files" / "template_before_rooms.keras"  # of version 0.1.0
TAU = 0.2
LOGITS = np.array([-1.2, 0.4])  # S, ST
# r1 and r2 of three samples: factors far from 0 and 1 in the first two, both paths off in the third
R1 = np.array([[0.40, 0.55], [0.45, 0.50], [0.02, 0.03]])
R2 = np.array([[0.62, 0.45], [0.80, 0.55], [0.90, 0.95]])


def fix(monkeypatch: pytest.MonkeyPatch, *uniform: np.ndarray) -> None:
    """Gates draw these numbers, a row a sample."""
    given = tuple(tf.constant(r.T, tf.float32) for r in uniform)
    monkeypatch.setattr(noise, "two_uniforms", lambda *args: given)


@pytest.fixture
def fixed_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    fix(monkeypatch, R1, R2)


def by_hand(x: np.ndarray, kernels: list[np.ndarray], c: np.ndarray, form: str) -> Any:
    """Values of the gated branch, and the gradients of ``sum(c * values)`` for both logits."""
    drop = 1 / (1 + np.exp(-(LOGITS + np.log(-np.log(R1)) - np.log(-np.log(R2))) / TAU))
    keep = 1 - drop
    s = x @ kernels[0][0]
    padded = np.pad(x, [(0, 0), (1, 1), (0, 0)])
    st = sum(padded[:, k : k + x.shape[1]] @ kernels[1][k] for k in range(3))
    ks, kst = (keep[:, i, None, None] for i in (0, 1))
    both = ks * s + kst * st
    some = 1 - (1 - ks) * (1 - kst) if form == "relaxed" else np.ones_like(ks)
    slopes = [some * s, some * st]
    if form == "relaxed":
        slopes[0] = slopes[0] + (1 - kst) * both
        slopes[1] = slopes[1] + (1 - ks) * both
    # d keep / d logit
    of_logits = [
        (c * slope).sum((1, 2)) * -drop[:, i] * keep[:, i] / TAU for i, slope in enumerate(slopes)
    ]
    return some * both, np.array([one.sum() for one in of_logits]), keep


@pytest.mark.parametrize("form", ["hard", "relaxed"])
@pytest.mark.usefixtures("fixed_noise")
def test_both_forms_are_the_numbers_computed_by_hand(form: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4, 2))
    layer = FusionConv(5, gate={"num_train_examples": 10, "residual_gate": form})
    layer.build((3, 4, 1, 1, 2))
    layer.drop_path.logit.assign(LOGITS)
    kernels = [np.asarray(path.kernel)[:, 0, 0].astype("float64") for path in layer.paths]
    c = rng.normal(size=(3, 4, 5))
    with tf.GradientTape() as tape:
        outputs = layer(tf.constant(x[:, :, None, None], tf.float32), training=True)
        y = (outputs["output"] * outputs["residual_gate"])[:, :, 0, 0]
        loss = tf.reduce_sum(y * c)
    slopes = tape.gradient(loss, layer.drop_path.logit.value)
    values, expected, keep = by_hand(x, kernels, c, form)
    assert 0.05 < keep[:2].min() < keep[:2].max() < 0.95
    assert keep[2].max() < 1e-3
    np.testing.assert_allclose(y, values, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(slopes, expected, rtol=1e-4)


def test_d1_multiplies_the_branch_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    r1 = np.concatenate([R1, [[0.5], [0.4], [0.6]]], 1)
    r2 = np.concatenate([R2, [[0.4], [0.5], [0.7]]], 1)
    fix(monkeypatch, r1, r2)
    logits = np.array([*LOGITS, 0.1])
    drop = 1 / (1 + np.exp(-(logits + np.log(-np.log(r1)) - np.log(-np.log(r2))) / TAU))
    for form in ("hard", "relaxed"):
        gate = {"num_train_examples": 10, "drop_layer": True, "residual_gate": form}
        layer = FusionConv(5, gate=gate)
        layer.build((3, 4, 1, 1, 2))
        layer.drop_path.logit.assign(LOGITS)
        layer.drop_path.layer_logit.assign(0.1)
        found = np.ravel(layer(tf.zeros((3, 4, 1, 1, 2)), training=True)["residual_gate"])
        some = 1 - drop[:, 0] * drop[:, 1] if form == "relaxed" else 1
        np.testing.assert_allclose(found, some * (1 - drop[:, 2]), rtol=1e-4, atol=1e-8)


def test_what_s_and_st_feed_has_the_same_choice() -> None:
    x = tf.zeros((64, 4, 1, 1, 2))
    for form in ("hard", "relaxed"):
        gate = {"num_train_examples": 10, "initial_drop": 0.5, "residual_gate": form}
        layer = FusionConv(5, branches=("S", "T", "ST"), temporal=(5, (1, 1, 1)), gate=gate)
        layer.build(x.shape)
        found = layer(x, training=True)
        for name in ("residual_gate", "spatial_gate"):
            assert (np.unique(found[name]).tolist() == [1.0]) == (form == "hard")


@pytest.mark.parametrize("form", ["hard", "relaxed"])
def test_an_empty_layer_is_its_shortcut_in_both_forms(form: str) -> None:
    """Under a hard mask the factor stays, at inference and where training runs the mask."""
    layer = FusionConv(4, gate={"num_train_examples": 10, "residual_gate": form})
    layer.build((2, 3, 2, 2, 3))
    x = tf.ones((2, 3, 2, 2, 3))
    layer.drop_path.trainable = False
    for mask, expected in (((0, 0), 0.0), ((1, 0), 1.0), ((1, 1), 1.0)):
        layer.drop_path.set_mask(mask)
        for training in (False, True):
            assert np.unique(layer(x, training=training)["residual_gate"]).tolist() == [expected]


def test_templates_compute_as_published_unless_told_otherwise() -> None:
    assert {gate.residual_gate for gate in gates_of(tiny.template())} == {"hard"}
    assert {gate.residual_gate for gate in gates_of(tiny.template(kl="paper"))} == {"hard"}
    other = tiny.template(residual_gate="relaxed")
    assert {gate.residual_gate for gate in gates_of(other)} == {"relaxed"}


@pytest.mark.parametrize("form", ["hard", "relaxed"])
def test_files_keep_the_form(form: str, tmp_path: Any) -> None:
    model = tiny.template(residual_gate=form, num_train_examples=8)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert {gate.residual_gate for gate in gates_of(again)} == {form}
    assert again.architecture == model.architecture
    layer = FusionConv.from_config(model.get_layer("stage1_block1_fusion").get_config())
    assert layer.drop_path.residual_gate == form


def test_what_is_older_than_the_choice_has_the_relaxed_form() -> None:
    config = tiny.template(residual_gate="relaxed").get_config()
    assert "residual_gate" not in config["architecture"]["gates"]  # as it was described then
    old = FusionModel.from_config(config)
    assert {gate.residual_gate for gate in gates_of(old)} == {"relaxed"}
    assert gates_of(keras.saving.load_model(FILE))[0].residual_gate == "relaxed"
    layer = {"filters": 4, "gate": {"num_train_examples": 10}}
    assert FusionConv.from_config(layer).drop_path.residual_gate == "relaxed"
    assert VariationalDropPath.from_config({"paths": 2}).residual_gate == "relaxed"


def test_the_forms_differ_in_training_only() -> None:
    rng = np.random.default_rng(1)
    clips = rng.integers(0, 256, (3, *tiny.SHAPE, 3)).astype("float32")
    models = [
        tiny.template(residual_gate=form, num_train_examples=8) for form in drop_path.RESIDUAL_GATES
    ]
    for model in models:
        tiny.draw_norms(model, seed=0)
        for gate in gates_of(model):
            gate.logit.assign([0.5, 0.2])
    models[1].set_weights(models[0].get_weights())
    for strategy in ("mode", "S - ST"):
        for model in models:
            set_strategy(model, strategy)
        np.testing.assert_array_equal(models[0](clips), models[1](clips))
    assert np.abs(models[0](clips, training=True) - models[1](clips, training=True)).max() > 1e-3
