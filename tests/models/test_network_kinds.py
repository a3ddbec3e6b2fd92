"""What holds for every family and every kind of template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf

import vdroppath_tf
from vdroppath_tf import cost
from vdroppath_tf.layers.gates import fusion_layers, gates_of, set_strategy
from vdroppath_tf.models.build import architecture_of, build
from vdroppath_tf.models.families import fusion_layers_of, row_in
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

# Those that have the most in them learn in a graph, whose tracing is what takes the time.
TRACED = ("dense, per input, T, D1", "next, T, conv, strides", "mobile, T, D1")


@pytest.fixture(scope="module", params=rows.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def template(kind: str) -> Any:
    return rows.template(kind, num_train_examples=10)


@pytest.fixture(scope="module")
def networks(template: Any) -> dict[FusionStrategy, Any]:
    """Those of the mode, and of draws that have every unit among them often enough."""
    space = ProbabilitySpace.from_model(template)
    strategies = [space.mode(), *space.sample(3, seed=3)]
    return {strategy: vdroppath_tf.derive(template, strategy) for strategy in strategies}


def test_the_masked_template_is_the_derived_network(template: Any, networks: Any) -> None:
    clips = rows.clips()
    for strategy, derived in networks.items():
        set_strategy(template, strategy)
        masked = template.predict(clips, verbose=0)
        scale = max(1.0, float(np.abs(masked).max()))
        difference = np.abs(derived(clips) - masked).max() / scale
        assert difference <= 1e-5, strategy
        assert not gates_of(derived)
        assert architecture_of(derived)["strategy"] == str(strategy)
    set_strategy(template, "mode")


def test_costs_are_those_of_the_derived_network(template: Any, networks: Any) -> None:
    costs = cost.unit_costs(template, rows.SHAPE)
    for strategy, derived in networks.items():
        built = cost.complexity(derived, rows.SHAPE)
        assert costs.of(strategy) == (built.parameters, built.macs), strategy


def test_expected_macs_are_the_mean_over_draws(template: Any) -> None:
    space = ProbabilitySpace.from_model(template)
    costs = cost.unit_costs(template, rows.SHAPE)
    drawn = np.array([costs.of(strategy)[1] for strategy in space.sample(1500, seed=0)])
    error = drawn.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - costs.expected_macs(space)) <= 4 * error


def test_the_mode_runs_without_being_told(template: Any) -> None:
    set_strategy(template, ProbabilitySpace.from_model(template).mode())
    told = template.predict(rows.clips(), verbose=0)
    set_strategy(template, "mode")
    np.testing.assert_array_equal(template.predict(rows.clips(), verbose=0), told)


def test_random_strategies_are_drawn(template: Any) -> None:
    set_strategy(template, "random")
    found = {template.predict(rows.clips(), verbose=0).tobytes() for _ in range(6)}
    set_strategy(template, "mode")
    assert len(found) > 1


def test_spaces_have_the_names_of_the_table(template: Any) -> None:
    space = ProbabilitySpace.from_model(template)
    layers = fusion_layers_of(row_in(template.architecture))
    assert space.layers == tuple(layer.name for layer in layers)
    np.testing.assert_array_equal(space.has_residual, [layer.has_residual for layer in layers])
    assert space.branches == tuple(template.architecture["branches"])
    again = ProbabilitySpace.from_json(space.to_json())
    assert [p.tolist() for p in again.drop] == [p.tolist() for p in space.drop]


def test_gates_and_weights_learn_and_come_back(kind: str, template: Any, tmp_path: Path) -> None:
    """One step: finite, every gate moves; .keras gives the same answers, gates and architecture."""
    model = build(template.architecture, None)
    model.set_weights(template.get_weights())
    before = [gate.logits().numpy() for gate in gates_of(model)]
    model.compile(
        keras.optimizers.SGD(1.0),
        keras.losses.SparseCategoricalCrossentropy(True),
        run_eagerly=kind not in TRACED,
    )
    history = model.fit(rows.clips(2), np.array([0, 1]), batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    for gate, old in zip(gates_of(model), before, strict=True):
        assert (gate.logits().numpy() != old).all(), gate.path
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert json.dumps(again.architecture) == json.dumps(template.architecture)
    clips = rows.clips()
    np.testing.assert_array_equal(again(clips, training=False), model(clips, training=False))


def test_a_training_step_multiplies_by_the_gates_it_drew(template: Any) -> None:
    """The gradient of every kernel and batch norm is there: no path is left out."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(template(rows.clips(), training=True) ** 2) + tf.add_n(template.losses)
    variables = template.trainable_variables
    slopes = tape.gradient(loss, [v.value for v in variables])
    missing = [v.path for v, slope in zip(variables, slopes, strict=True) if slope is None]
    assert missing == []


def test_noise_of_a_batch() -> None:
    """Gates drawn once a batch: every clip has the same factors."""
    model = rows.template("dense, per input", noise="batch", num_train_examples=4)
    keep = np.asarray(fusion_layers(model)[2].drop_path.keep(tf.constant(3), training=True))
    np.testing.assert_array_equal(keep[0], keep[2])
    twice = np.repeat(rows.clips(1), 2, 0)
    one, other = np.asarray(model(twice, training=True))
    np.testing.assert_allclose(one, other, rtol=1e-5)
