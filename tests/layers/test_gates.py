"""The gates of a whole template: strategies without retracing, freezing, reading the space."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gates import (
    freeze_gates,
    fusion_layers,
    restored_gates,
    set_strategy,
    strategy_masks,
)
from vdroppath_tf.models.families import fusion_layers_of
from vdroppath_tf.spaces.layer_gates import read_gates
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo import derived_micro, template_micro

CLIPS = np.random.default_rng(0).integers(0, 256, (4, 4, 16, 16, 3)).astype("uint8")


@pytest.fixture(scope="module")
def template() -> Any:
    return template_micro(clip_shape=(4, 16, 16), num_train_examples=4)


@pytest.fixture(autouse=True)
def _mode(template: Any) -> Any:
    yield
    set_strategy(template, "mode")
    freeze_gates(template, False)
    for layer in fusion_layers(template):
        layer.drop_path.logit.assign([-2.2, -2.2])


def masks(model: Any) -> np.ndarray:
    return np.array([np.asarray(layer.drop_path.mask) for layer in fusion_layers(model)])


def test_the_layers_stand_in_the_order_of_the_network(template: Any) -> None:
    names = [f"stage1_block{b + 1}_fusion" for b in range(6)]
    assert [layer.name for layer in fusion_layers(template)] == names
    assert [layer.name for layer in fusion_layers_of("micro")] == names


def test_a_strategy_does_not_retrace(template: Any) -> None:
    traces = 0
    call = template.call

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal traces
        traces += 1
        return call(*args, **kwargs)

    template.call = counted
    template.predict_function = None
    found, traced = [], []
    for strategy in ("mode", "all", "random", "S S S S S S", "ST - S S+ST - -", "- - - - - -"):
        set_strategy(template, strategy)
        found.append(template.predict(CLIPS, verbose=0))
        traced.append(traces)
    template.call = call
    template.predict_function = None
    assert traced[0] >= 1
    assert set(traced) == {traced[0]}
    np.testing.assert_array_equal(found[0], found[1])  # p = .1: the mode is every path on
    for one, other in itertools.pairwise(found[3:]):
        assert np.abs(one - other).max() > 1e-3


def test_named_masks(template: Any) -> None:
    np.testing.assert_array_equal(strategy_masks(template, "all"), np.ones((6, 2)))
    text = "S ST S+ST - S S"
    expected = [[1, 0], [0, 1], [1, 1], [0, 0], [1, 0], [1, 0]]
    for strategy in (text, FusionStrategy.parse(text), FusionStrategy.parse(text, "micro")):
        set_strategy(template, strategy)
        np.testing.assert_array_equal(masks(template), expected)


def test_random_is_a_fresh_draw_each_batch(template: Any) -> None:
    for layer in fusion_layers(template):
        layer.drop_path.logit.assign([0.0, 0.0])
    set_strategy(template, "random")
    draws = [template.predict(CLIPS, verbose=0) for _ in range(4)]
    assert len({draw.tobytes() for draw in draws}) > 1
    set_strategy(template, "mode")
    draws = [template.predict(CLIPS, verbose=0) for _ in range(4)]
    assert len({draw.tobytes() for draw in draws}) == 1


def test_the_mode_follows_the_gates(template: Any) -> None:
    rng = np.random.default_rng(1)
    for layer in fusion_layers(template):
        layer.drop_path.logit.assign(rng.normal(0, 2, 2))
    by_itself = template.predict(CLIPS, verbose=0)
    mode = ProbabilitySpace.from_model(template).mode()
    assert len(set(mode)) > 1
    set_strategy(template, mode)
    np.testing.assert_array_equal(template.predict(CLIPS, verbose=0), by_itself)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("S S", r"2 units.*6 fusion layers"),
        (FusionStrategy.uniform("S", 6, "resnet50"), r"'resnet50'.*'micro'"),
        ("S S S+T S S S", r"Layer 3 uses branch 'T'"),
        ("S S X S S S", r"Layer 3.*'X'"),
        ("S@1 S S S S S", r"Layer 'stage1_block1_fusion' uses its inputs differently"),
        ("modes", r"'modes'"),
    ],
)
def test_a_strategy_that_does_not_fit_changes_nothing(
    template: Any, strategy: Any, message: str
) -> None:
    set_strategy(template, "S ST S+ST - S S")
    before = masks(template)
    with pytest.raises(ValueError, match=message):
        set_strategy(template, strategy)
    np.testing.assert_array_equal(masks(template), before)


def without_residual() -> Any:
    """A network whose second fusion layer has no shortcut."""
    x = inputs = keras.Input((2, 4, 4, 3))
    for n, has_residual in enumerate((True, False)):
        gate = {"has_residual": has_residual, "num_train_examples": 4}
        x = FusionConv(3, gate=gate, name=f"layer{n + 1}")(x)["output"]
    return keras.Model(inputs, x, name="chain")


def test_a_layer_without_shortcut_cannot_be_dropped() -> None:
    model = without_residual()
    set_strategy(model, "- ST")
    before = masks(model)
    with pytest.raises(ValueError, match="layer2 cannot be dropped"):
        set_strategy(model, "S -")
    np.testing.assert_array_equal(masks(model), before)
    for layer in fusion_layers(model):
        layer.drop_path.logit.assign([3.0, 4.0])
    set_strategy(model, "mode")
    chosen = [np.asarray(layer.drop_path.hard_mask()).tolist() for layer in fusion_layers(model)]
    assert chosen == [[0, 0], [1, 0]]
    assert list(ProbabilitySpace(**read_gates(model)).mode()) == ["-", "S"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: derived_micro("S S S S S S"),
        lambda: keras.Sequential([keras.layers.Dense(1)], name="plain"),
    ],
)
def test_a_network_without_gates_says_so(make: Any) -> None:
    model = make()
    with pytest.raises(ValueError, match=rf"{model.name!r} has no gated fusion layers"):
        set_strategy(model, "S S S S S S")


def test_frozen_gates_train_deterministically() -> None:
    """Hard masks in training, no KL, no step of the noise, no update of the gates."""
    model = template_micro(clip_shape=(4, 16, 16))
    set_strategy(model, "S ST S+ST - S S")
    freeze_gates(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=True)
    gates = {
        v.path: v.numpy().copy() for layer in fusion_layers(model) for v in layer.drop_path.weights
    }
    kernel = model.get_layer("stage1_block1_fusion").paths[0].kernel.numpy().copy()
    one, other = (np.asarray(model(CLIPS, training=True)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert model.losses == []
    history = model.fit(CLIPS, np.arange(4), batch_size=4, epochs=2, verbose=0).history
    assert history["kl"] == [0.0, 0.0]
    for layer in fusion_layers(model):
        for variable in layer.drop_path.weights:
            np.testing.assert_array_equal(variable, gates[variable.path])
    assert not np.array_equal(model.get_layer("stage1_block1_fusion").paths[0].kernel, kernel)
    assert not [v.path for v in model.trainable_variables if "logit" in v.path]

    freeze_gates(model, False)
    assert len([v.path for v in model.trainable_variables if "logit" in v.path]) == 6


def test_frozen_gates_of_a_whole_layer(template: Any) -> None:
    """Freezing is said layer by layer; the weights beside the gate go on learning."""
    freeze_gates(template)
    layer = fusion_layers(template)[0]
    assert [v.path.split("/")[-2] for v in layer.trainable_variables] == [
        "spatial",
        "spatiotemporal",
    ]


def test_masks_and_freezing_are_given_back(template: Any) -> None:
    set_strategy(template, "S ST S+ST - S S")
    before = masks(template).copy()
    fusion_layers(template)[1].drop_path.trainable = False

    def interrupted() -> None:
        with restored_gates(template):
            set_strategy(template, "all")
            freeze_gates(template)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        interrupted()
    np.testing.assert_array_equal(masks(template), before)
    trainable = [layer.drop_path.trainable for layer in fusion_layers(template)]
    assert trainable == [True, False, True, True, True, True]


def test_the_space_of_a_model() -> None:
    model = template_micro(initial_drop=0.2, drop_layer=True)
    logits = np.linspace(-3, 3, 12).reshape(6, 2)
    for layer, row in zip(fusion_layers(model), logits, strict=True):
        layer.drop_path.logit.assign(row)
        layer.drop_path.layer_logit.assign(row[0] - 1)
    space = ProbabilitySpace.from_model(model)
    np.testing.assert_allclose(np.concatenate(space.drop), 1 / (1 + np.exp(-logits)), rtol=1e-6)
    np.testing.assert_allclose(space.layer_drop, 1 / (1 + np.exp(1 - logits[:, 0])), rtol=1e-6)
    np.testing.assert_array_equal(np.concatenate(space.initial), np.full((6, 2), 0.2))
    np.testing.assert_array_equal(space.initial_layer_drop, np.full(6, 0.2))
    assert space.architecture == "micro"
    assert space.branches == ("S", "ST")
    assert space.layers == tuple(layer.name for layer in fusion_layers(model))
    assert space.has_residual.all()

    plain = ProbabilitySpace.from_model(template_micro())
    np.testing.assert_array_equal(plain.layer_drop, np.zeros(6))
    np.testing.assert_allclose(np.concatenate(plain.drop), np.full((6, 2), 0.1), rtol=1e-6)
    np.testing.assert_allclose(plain.distance_from_start(), np.zeros(6), atol=1e-6)
    assert ProbabilitySpace(**read_gates(without_residual())).has_residual.tolist() == [True, False]


def test_extreme_gates_are_probabilities() -> None:
    model = template_micro()
    fusion_layers(model)[0].drop_path.logit.assign([-1000.0, 1000.0])
    space = ProbabilitySpace.from_model(model)
    assert space.drop[0].tolist() == [[0.0, 1.0]]
    assert tf.reduce_all(tf.math.is_finite(fusion_layers(model)[0].drop_path.hard_mask()))


def test_a_word_that_is_no_strategy_offers_the_nearest(template: Any) -> None:
    for word, near in (("moed", "mode"), ("ALL", "all"), ("radnom", "random")):
        with pytest.raises(ValueError, match=rf"Did you mean '{near}'\?"):
            set_strategy(template, word)
    with pytest.raises(ValueError, match="only set_strategy takes it"):
        strategy_masks(template, "mode")
