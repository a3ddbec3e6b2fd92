"""What runs as one operation, and for several layers, gives what the layers give one by one."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.layers.gates import restored_gates, set_strategy, strategy_masks
from vdroppath_tf.layers.normalization import batch_norm
from vdroppath_tf.scoring import walk
from vdroppath_tf.scoring.batch_statistics import assign, mean_statistics, moving, restored
from vdroppath_tf.scoring.cutting import cut
from vdroppath_tf.scoring.folding import Convolved, normalized
from vdroppath_tf.scoring.walk import StrategyTree
from vdroppath_tf.spaces.space import ProbabilitySpace

RNG = np.random.default_rng(2)
FORMS: list[dict[str, Any]] = [
    {"kernel_size": (1, 1, 1)},
    {"kernel_size": (1, 1, 1), "strides": (2, 2, 2)},
    {"kernel_size": (3, 1, 1)},
    {"kernel_size": (3, 1, 1), "strides": (2, 1, 1)},
    {"kernel_size": (1, 3, 3), "strides": (1, 2, 2)},
    {"kernel_size": (1, 3, 3), "groups": 2},
    {"kernel_size": (1, 3, 3), "groups": 6},
    {"kernel_size": (3, 3, 3), "strides": (1, 2, 2)},
]


def layers_of(form: dict[str, Any], dtype: str = "float32") -> tuple[Any, Any, Any]:
    convolution = Convolution(6, dtype=dtype, **form)
    norm = batch_norm(name="norm", dtype=dtype)
    norm.build((None, None, None, None, 6))
    for weight in norm.weights:
        weight.assign(RNG.uniform(0.5, 2.0, weight.shape))
    convolution.build((None, 5, 7, 6, 6))
    return convolution, norm, RNG.normal(0, 1, (3, 5, 7, 6, 6)).astype("float32")


@pytest.mark.parametrize("limit", [None, 6.0])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_convolution_norm_and_relu_are_one(form: dict[str, Any], limit: float | None) -> None:
    convolution, norm, x = layers_of(form)
    relu = keras.layers.ReLU(max_value=limit)
    for training in (False, True):
        expected = relu(norm(convolution(x), training=training))
        waiting = normalized(norm, Convolved.of(convolution, x), training)
        found = waiting.followed_by(relu).result
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)
        assert np.ptp(expected) > 0.5  # or equality would say little


def test_moving_statistics_become_those_of_the_batch() -> None:
    for count in (2, 50):
        _, norm, _ = layers_of({})
        x = RNG.normal(30, 2, (1, count, 1, 1, 6)).astype("float32")
        y = normalized(norm, tf.constant(x), training=True)
        np.testing.assert_allclose(norm.moving_mean, x.mean((0, 1, 2, 3)), rtol=1e-5)
        np.testing.assert_allclose(norm.moving_variance, x.var((0, 1, 2, 3)), rtol=1e-4)
        np.testing.assert_allclose(y, norm(x, training=False), rtol=1e-3, atol=1e-4)


def test_moments_of_many_values_have_few_rounding_errors() -> None:
    """TensorFlow's own operation is off by 3e-6 and more here, for it adds all in float32."""
    x = RNG.normal(5, 1, (16, 8, 28, 28, 6)).astype("float32")
    norm = batch_norm(name="norm")
    norm.build((None, None, None, None, 6))
    normalized(norm, tf.constant(x), training=True)
    wide = x.astype("float64")
    np.testing.assert_allclose(norm.moving_mean, wide.mean((0, 1, 2, 3)), rtol=3e-7)
    np.testing.assert_allclose(norm.moving_variance, wide.var((0, 1, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, -1.03, 30.1])
def test_channels_that_never_vary_are_not_off_by_rounding(value: float) -> None:
    """Their mean and variance are off by the last digit at most, and those of zeros by nothing."""
    _, norm, _ = layers_of({})
    x = np.full((2, 4, 9, 7, 6), value, "float32")
    normalized(norm, tf.constant(x), training=True)
    np.testing.assert_allclose(norm.moving_mean, x[0, 0, 0, 0], rtol=2.5e-7)
    np.testing.assert_allclose(norm.moving_variance, 0, atol=(2.5e-7 * value) ** 2)


@pytest.mark.parametrize("offset", [0.0, 20.0])
def test_a_widening_convolution_is_measured_by_its_input(offset: float) -> None:
    """Against float64; an input far from zero leaves little of the squares."""
    convolution, norm = Convolution(24), batch_norm(name="norm")
    for layer, channels in ((convolution, 6), (norm, 24)):
        layer.build((None, 5, 9, 8, channels))
    for weight in norm.weights:
        weight.assign(RNG.uniform(0.5, 2.0, weight.shape))
    x = (RNG.normal(0, 1, (3, 5, 9, 8, 6)) + offset).astype("float32")
    waiting = Convolved.of(convolution, x)
    assert waiting.widens
    y = x.astype("float64") @ np.asarray(convolution.kernel, "float64")[0, 0, 0]
    found = normalized(norm, waiting, training=True).result
    np.testing.assert_allclose(norm.moving_mean, y.mean((0, 1, 2, 3)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, y.var((0, 1, 2, 3)), rtol=1e-4)
    scaled = (y - y.mean((0, 1, 2, 3))) / np.sqrt(y.var((0, 1, 2, 3)) + norm.epsilon)
    np.testing.assert_allclose(found, scaled * norm.gamma + norm.beta, atol=2e-4)


def test_other_convolutions_are_measured_by_their_output() -> None:
    x = tf.zeros((2, 4, 6, 6, 6))
    kernels = {
        "as wide": (1, 1, 1, 6, 11),
        "in time": (3, 1, 1, 6, 24),
        "in space": (1, 3, 3, 6, 24),
    }
    for name, shape in kernels.items():
        assert not Convolved(x, tf.zeros(shape)).widens, name
    wide = tf.zeros((1, 1, 1, 6, 24))
    assert Convolved(x, wide).widens
    assert not Convolved(x, wide, (1, 2, 2)).widens
    assert not Convolved(x[:, :, :2, :2], wide).widens  # few cells
    assert not Convolved(tf.cast(x, "bfloat16"), tf.cast(wide, "bfloat16")).widens


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_kernels_of_half_precision_are_not_scaled(dtype: str) -> None:
    """Their batch norm runs as a layer, which computes in float32 as in a pass of its own."""
    convolution, norm, x = layers_of({"kernel_size": (1, 1, 1)}, dtype)
    norm.gamma.assign(tf.fill(norm.gamma.shape, 1e6))
    norm.moving_variance.assign(tf.fill(norm.gamma.shape, 1e12))
    found = normalized(norm, Convolved.of(convolution, x), training=False)
    np.testing.assert_array_equal(found, norm(convolution(x), training=False))


def test_frozen_weights_are_arguments_too() -> None:
    """Or segments that share a function would run with those of the first."""
    model = rows.template("mobile")
    model.trainable = False
    for segment in cut(model):
        given_ones = {id(v) for v in (*segment.weights, *moving(segment.norms))}
        layers = [step.layer for step in segment.steps if step.layer is not segment.fusion]
        assert {id(v) for layer in layers for v in layer.weights} <= given_ones


def test_equal_segments_share_a_function_and_not_their_weights() -> None:
    model = rows.randomized(rows.network("even"))
    strategy = "ST ST ST ST"
    tree = StrategyTree(model, [strategy_masks(model, strategy)])
    ((_, found),) = tree.logits(rows.clips(), [0])
    assert len(tree._functions) == len(tree.segments) - 2  # the second, third and fourth are one
    with restored_gates(model):
        set_strategy(model, strategy)
        close(found, model(rows.clips(), training=False))


def untraced(self: Any, segment: Any, branches: Any, training: bool, arguments: Any) -> Any:
    return walk._computation(segment, branches, training)


@pytest.mark.parametrize("kind", list(rows.KINDS))
def test_trees_of_every_kind_are_the_template(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits with the model's statistics, and with those measured on a batch."""
    monkeypatch.setattr(StrategyTree, "_function", untraced)  # tracing is what takes the time
    model, clips = rows.template(kind), rows.clips()
    space = ProbabilitySpace.from_model(model)
    # Behind dropped layers channels may never vary. A norm divides them, and the rounding of their
    # mean by either side, by the square root of its epsilon.
    within = 1e-4 if "D1" in kind else 1e-5

    @settings(max_examples=2)
    @given(st.integers(0, 999))
    def check(seed: int) -> None:
        (strategy,) = space.sample(1, seed=seed)
        tree = StrategyTree(model, [strategy_masks(model, strategy)])
        ((_, statistics),) = tree.measure(clips, [0])
        ((_, plain),) = tree.logits(clips, [0])
        ((_, own),) = tree.logits(clips, [0], statistics)
        set_strategy(model, strategy)
        close(plain, model(clips, training=False))
        with restored(model):
            assign(batch_norms(model), mean_statistics(model, [(clips, None)], 1))
            close(own, model(clips, training=False), within)
        assert np.abs(plain - own).max() > 1e-3  # or equality would say little

    tf.config.run_functions_eagerly(True)
    try:
        check()
    finally:
        tf.config.run_functions_eagerly(False)


def close(found: Any, expected: Any, within: float = 1e-5) -> None:
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=within * scale)
