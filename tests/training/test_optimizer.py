"""GateSGD is SGD, but for the gates."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.gates import freeze_gates
from vdroppath_tf.training.optimizer import GateSGD, is_gate
from vdroppath_tf.zoo import template_micro

CLIPS = np.random.default_rng(0).integers(0, 256, (4, 4, 16, 16, 3)).astype("uint8")
LABELS = np.arange(4)


class Weights(keras.layers.Layer):
    """One ordinary weight and the two kinds of gate, all 1 at the start."""

    def build(self, input_shape: Any = None) -> None:
        names = ("kernel", "logit", "layer_logit")
        self.all = [self.add_weight(name=name, shape=(2,), initializer="ones") for name in names]


def moved(optimizer: Any, gradients: list[float], steps: int = 1) -> np.ndarray:
    """How far the three weights went."""
    layer = Weights()
    layer.build()
    for _ in range(steps):
        pairs = [(tf.fill((2,), g), v) for g, v in zip(gradients, layer.all, strict=True)]
        optimizer.apply_gradients(pairs)
    return np.array([1 - v.value.numpy()[0] for v in layer.all])


def test_gates_move_as_much_further() -> None:
    np.testing.assert_allclose(moved(GateSGD(0.1, 3.0), [1.0, 1.0, 2.0]), [0.1, 0.3, 0.6], 1e-5)
    np.testing.assert_allclose(moved(GateSGD(0.1, 0.0), [1.0, 1.0, 1.0]), [0.1, 0.0, 0.0], 1e-5)


def test_in_a_graph_the_rate_of_all_gates_is_one_product() -> None:
    layer = Weights()
    layer.build()
    optimizer = GateSGD(0.1, 3.0)
    optimizer.build(layer.all)
    update = tf.function(lambda: optimizer.apply([tf.ones(2)] * 3))
    kinds = [op.type for op in update.get_concrete_function().graph.get_operations()]
    assert kinds.count("Mul") == 1
    update()
    found = [1 - v.value.numpy()[0] for v in layer.all]
    np.testing.assert_allclose(found, [0.1, 0.3, 0.3], 1e-5)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_sgds(nesterov: bool) -> None:
    options: dict[str, Any] = {"momentum": 0.9, "nesterov": nesterov}
    plain = moved(keras.optimizers.SGD(0.1, **options), [1.0, 1.0, 1.0], steps=3)
    ours = moved(GateSGD(0.1, 4.0, **options), [1.0, 1.0, 1.0], steps=3)
    np.testing.assert_allclose(ours, plain * [1, 4, 4], rtol=1e-5)


def test_both_follow_one_schedule() -> None:
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.1, 0.01])
    found = moved(GateSGD(schedule, 2.0), [1.0, 1.0, 1.0], steps=2)
    np.testing.assert_allclose(found, [0.11, 0.22, 0.22], rtol=1e-5)


def test_weight_decay_leaves_gates_alone() -> None:
    found = moved(GateSGD(0.1, 2.0, weight_decay=0.5), [0.0, 0.0, 0.0])
    np.testing.assert_allclose(found, [0.05, 0.0, 0.0], rtol=1e-5)


def test_the_users_own_exceptions_from_weight_decay_stay() -> None:
    optimizer = GateSGD(0.1, 2.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["kernel"])
    np.testing.assert_allclose(moved(optimizer, [0.0, 0.0, 0.0]), [0.0, 0.0, 0.0], atol=1e-7)


def step(model: Any, optimizer: Any) -> dict[str, np.ndarray]:
    """Changes of one step on the same noise."""
    keras.utils.set_random_seed(0)
    before = {v.path: v.value.numpy().copy() for v in model.trainable_variables}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, run_eagerly=True)
    model.train_on_batch(CLIPS, LABELS)
    return {v.path: v.value.numpy() - before[v.path] for v in model.trainable_variables}


def test_in_a_template() -> None:
    model = template_micro(clip_shape=(4, 16, 16), num_train_examples=4)
    start = model.get_weights()
    plain = step(model, keras.optimizers.SGD(0.01))
    model.set_weights(start)
    ours = step(model, GateSGD(0.01, 5.0))
    assert {path.split("/")[-1] for path in ours if is_gate(path)} == {"logit"}
    for path, change in ours.items():
        factor = 5.0 if is_gate(path) else 1.0
        np.testing.assert_allclose(change, factor * plain[path], rtol=1e-3, atol=1e-6)


def test_frozen_gates_and_weight_decay() -> None:
    """No gate among the variables: nothing to leave out of the decay, and nothing fails."""
    model = template_micro(clip_shape=(4, 16, 16))
    freeze_gates(model)
    changes = step(model, GateSGD(0.01, 5.0, weight_decay=0.1))
    assert not [path for path in changes if is_gate(path)]
    assert np.abs(changes["stem_conv/kernel"]).max() > 0


def test_half_precision_wraps_it() -> None:
    optimizer = keras.mixed_precision.LossScaleOptimizer(GateSGD(0.1, 3.0), initial_scale=2.0)
    np.testing.assert_allclose(moved(optimizer, [2.0, 2.0, 2.0]), [0.1, 0.3, 0.3], rtol=1e-5)


def test_the_config_holds_every_argument() -> None:
    optimizer = GateSGD(0.3, 7.0, momentum=0.8, nesterov=True, weight_decay=0.1, clipnorm=1.0)
    config = optimizer.get_config()
    parameters = inspect.signature(GateSGD).parameters.values()
    assert {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} <= set(config)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is GateSGD
    assert again.get_config() == config
    assert (again.gate_multiplier, again.momentum, again.weight_decay) == (7.0, 0.8, 0.1)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("stage1_block1_fusion/drop_path/logit", True),
        ("fusion/drop_path/layer_logit", True),
        ("logits/kernel", False),
        ("logit/kernel", False),
        ("fusion/spatial/kernel", False),
    ],
)
def test_what_is_a_gate(path: str, expected: bool) -> None:
    assert is_gate(path) is expected
