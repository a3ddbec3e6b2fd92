"""FusionConv: one merged convolution, the residual gate, D1's weights, shapes, what it saves."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gated_dense import GatedDense
from vdroppath_tf.layers.zeros import Zeros

SHAPE = (3, 5, 4, 6, 3)
D1: dict[bool, set[str]] = {True: {"weight_prior"}, False: set()}  # outputs it adds


def clips(seed: int = 0) -> Any:
    return tf.constant(np.random.default_rng(seed).standard_normal(SHAPE), tf.float32)


def template(name: str = "fusion", **gate: Any) -> Any:
    layer = FusionConv(4, gate={"num_train_examples": 10, **gate}, name=name)
    layer.build(SHAPE)
    return layer


def same_kernels(source: Any, target: Any) -> None:
    for one, other in zip(source.paths, target.paths, strict=True):
        other.kernel.assign(one.kernel)


def gated_sum(layer: Any, x: Any, factors: Any) -> Any:
    """What the paths give by themselves, each by its own convolution, times its factor."""
    parts = [path(x) * factors[:, i, None, None, None, None] for i, path in enumerate(layer.paths)]
    return tf.add_n(parts)


def with_gradients(function: Any, x: Any, layer: Any) -> list[Any]:
    variables = [path.kernel.value for path in layer.paths]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function()
        total = tf.reduce_sum(y * tf.sin(tf.range(tf.size(y), dtype=tf.float32) + 0.5)[0] + y**2)
    return [y, *tape.gradient(total, [x, *variables])]


def close(found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        scale = max(float(np.abs(other).max()), 1.0)
        np.testing.assert_allclose(np.asarray(one) / scale, np.asarray(other) / scale, atol=1e-5)


@pytest.mark.parametrize("mask", list(itertools.product((0.0, 1.0), repeat=2)))
def test_the_merged_convolution_is_the_sum_of_the_paths(mask: tuple[float, float]) -> None:
    layer, x = template(), clips()
    layer.drop_path.set_mask(mask)
    found = with_gradients(lambda: layer(x)["output"], x, layer)
    factors = tf.constant([mask] * SHAPE[0])
    close(found, with_gradients(lambda: gated_sum(layer, x, factors), x, layer))


def test_noise_of_a_batch_merges_exactly() -> None:
    """In training too: the merged kernel is made with the same noise, and the gates learn alike."""
    layer, twin, x = template(noise="batch"), template(noise="batch"), clips()
    same_kernels(layer, twin)
    for one in (layer, twin):
        one.drop_path.logit.assign([0.3, -0.2])  # so that neither factor is near 0 or 1

    def unmerged() -> Any:
        return gated_sum(twin, x, twin.drop_path.keep(tf.constant(SHAPE[0]), training=True))

    with tf.GradientTape() as tape:
        found = with_gradients(lambda: layer(x, training=True)["output"], x, layer)
        loss = tf.reduce_sum(found[0] ** 2)
    with tf.GradientTape() as tape_of_twin:
        expected = with_gradients(unmerged, x, twin)
        loss_of_twin = tf.reduce_sum(expected[0] ** 2)
    close(found, expected)
    slopes = [
        tape.gradient(loss, layer.drop_path.logit.value),
        tape_of_twin.gradient(loss_of_twin, twin.drop_path.logit.value),
    ]
    assert np.abs(slopes[0]).min() > 1e-3
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-4)


def test_samples_have_their_own_factors() -> None:
    layer, twin, x = (
        template(drop_layer=True, residual_gate="relaxed"),
        template(drop_layer=True),
        clips(),
    )
    same_kernels(layer, twin)
    outputs = layer(x, training=True)
    y, residual_gate = outputs["output"], outputs["residual_gate"]
    keep = twin.drop_path.keep(tf.constant(SHAPE[0]), training=True)
    close([y], [gated_sum(twin, x, keep)])
    keep = np.asarray(keep)
    expected = (1 - (1 - keep[:, 0]) * (1 - keep[:, 1])) * keep[:, 2]
    assert residual_gate.shape == (SHAPE[0], 1, 1, 1, 1)
    np.testing.assert_allclose(np.asarray(residual_gate).ravel(), expected, rtol=1e-6)


@pytest.mark.parametrize(("mask", "expected"), [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((1, 1), 1)])
@pytest.mark.parametrize("drop_layer", [False, True])
def test_the_residual_gate_is_0_only_without_paths(
    mask: tuple[int, int], expected: int, drop_layer: bool
) -> None:
    layer = template(drop_layer=drop_layer)
    layer.drop_path.set_mask(mask)
    residual_gate = np.asarray(layer(clips())["residual_gate"])
    np.testing.assert_array_equal(residual_gate, np.full((SHAPE[0], 1, 1, 1, 1), float(expected)))


def test_d1_reaches_the_next_convolution() -> None:
    """Eq. 5 with D1: its entropy here, its ||w||^2 at the 3x3 it drops, each exactly once."""
    layer = template(drop_layer=True, weight_reg=5.0)
    layer.drop_path.layer_logit.assign(-1.5)
    following = Convolution(4, (1, 3, 3), name="conv")
    outputs = layer(clips(), training=True)
    prior = outputs["weight_prior"]
    following(outputs["output"], weight_prior=prior)
    p = 1 / (1 + np.exp(1.5))
    norm = float((np.asarray(following.kernel) ** 2).sum())
    assert float(prior) == pytest.approx(5.0 * (1 - p) / 10, rel=1e-5)
    assert float(following.losses[0]) == pytest.approx(5.0 * (1 - p) / 10 * norm, rel=1e-5)

    q = layer.drop_path.initial_drop
    entropies = [x * np.log(x) + (1 - x) * np.log(1 - x) for x in (q, q, p)]
    norms = [float((np.asarray(path.kernel) ** 2).sum()) for path in layer.paths]
    expected = (sum(entropies) + 5.0 * (1 - q) * sum(norms)) / 10
    assert float(tf.add_n(layer.losses)) == pytest.approx(expected, rel=1e-5)

    assert float(layer(clips(), training=False)["weight_prior"]) == 0.0
    layer.drop_path.trainable = False
    assert float(layer(clips(), training=True)["weight_prior"]) == 0.0


def test_the_kl_takes_the_kernels_as_they_are() -> None:
    layer = template(kl="paper", weight_reg=3.0)
    layer(clips(), training=True)
    q = 0.1
    norms = sum(float((np.asarray(path.kernel) ** 2).sum()) for path in layer.paths)
    expected = (2 * q * np.log(q) + 4.5 * (1 - q) * norms) / 10
    assert float(tf.add_n(layer.losses)) == pytest.approx(expected, rel=1e-5)
    layer(clips(), training=False)
    assert layer.losses == []


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("noise", ["sample", "batch"])
@pytest.mark.parametrize("drop_layer", [False, True])
def test_shapes_are_said_in_advance(training: bool, noise: str, drop_layer: bool) -> None:
    layer = template(noise=noise, drop_layer=drop_layer)
    found = layer(clips(), training=training)
    said = layer.compute_output_spec(keras.KerasTensor(SHAPE))
    assert set(found) == set(said) == {"output", "residual_gate"} | D1[drop_layer]
    for name, one in found.items():
        assert tuple(one.shape) == said[name].shape
        assert one.dtype.name == said[name].dtype
    opened = layer.compute_output_spec(keras.KerasTensor((None, None, None, 6, 3)))
    assert opened["output"].shape == (None, None, None, 6, 4)
    assert opened["residual_gate"].shape == (None, 1, 1, 1, 1)


def test_what_is_not_gated_has_no_gate() -> None:
    assert set(template(has_residual=False)(clips())) == {"output"}


@pytest.mark.parametrize("noise", ["sample", "batch"])
@pytest.mark.parametrize("training", [False, True])
def test_an_empty_batch_passes(noise: str, training: bool) -> None:
    """What a replica gets of a last batch that is too small for all of them."""
    outputs = template(noise=noise)(tf.zeros((0, *SHAPE[1:])), training=training)
    assert outputs["output"].shape == (0, *SHAPE[1:4], 4)
    assert outputs["residual_gate"].shape == (0, 1, 1, 1, 1)


@pytest.mark.parametrize("unit", ["S", "ST", "S+ST"])
def test_a_derived_layer_has_its_paths_only(unit: str) -> None:
    layer = FusionConv(4, unit=unit, name="fusion")
    x = clips()
    outputs = layer(x)
    y = outputs["output"]
    assert set(outputs) == {"output"}
    names = {"S": ["spatial"], "ST": ["spatiotemporal"], "S+ST": ["spatial", "spatiotemporal"]}
    assert [v.path for v in layer.weights] == [f"fusion/{name}/kernel" for name in names[unit]]
    close([y], [tf.add_n([path(x) for path in layer.paths])])
    said = layer.compute_output_spec(keras.KerasTensor(SHAPE))["output"]
    assert (said.shape, said.dtype) == (tuple(y.shape), "float32")
    np.testing.assert_array_equal(y, layer(x, training=True)["output"])
    assert layer.losses == []


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("noise", ["sample", "batch"])
def test_half_precision_keeps_the_gates_whole(policy: str, noise: str) -> None:
    half = policy.removeprefix("mixed_")
    keras.config.set_dtype_policy(policy)  # conftest puts float32 back
    layer = template(noise=noise, drop_layer=True)
    dtypes = {"output": half, "residual_gate": half, "weight_prior": "float32"}
    outputs = layer(clips(), training=True)
    assert {name: y.dtype.name for name, y in outputs.items()} == dtypes
    assert {v.dtype for v in layer.trainable_variables} == {"float32"}
    assert layer.losses[0].dtype == tf.float32
    said = layer.compute_output_spec(keras.KerasTensor(SHAPE))
    assert {name: spec.dtype for name, spec in said.items()} == dtypes


@pytest.mark.parametrize("options", [{"unit": "T"}, {"unit": "-"}, {"branches": ("S", "X")}])
def test_unknown_branches_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=r"fusion: a fusion layer needs.*\['S', 'T', 'ST'\].*Received"
    ):
        FusionConv(4, name="fusion", **options)


def test_a_branch_outside_the_layer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fusion: .*Received: branches=\('S',\), unit='ST'"):
        FusionConv(4, branches=("S",), unit="ST", name="fusion")


def test_inputs_with_paths_of_their_own_are_refused() -> None:
    """Rather than building S+ST for every input without a word."""
    with pytest.raises(ValueError, match=r"S@101\+ST@011"):
        FusionConv(4, unit="S@101+ST@011", name="fusion")


def test_a_misspelt_gate_option_is_refused() -> None:
    with pytest.raises(TypeError, match=r"tempreature.*Did you mean 'temperature'"):
        FusionConv(4, gate={"tempreature": 0.5})


def signature_of(layer: type) -> set[str]:
    parameters = inspect.signature(layer).parameters.values()
    return {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}


@pytest.mark.parametrize(
    "layer",
    [
        Convolution(6, (5, 7, 7), (2, 2, 1), name="conv"),
        FusionConv(6, branches=("ST",), gate={"seed": 3, "noise": "batch"}, name="fusion"),
        FusionConv(6, unit="ST+S", name="fusion"),
        FusionConv(6, before="relu", widths=(2, 1), trainable=False, name="fusion"),
        FusionConv(6, after="relu6", dtype="mixed_float16", name="fusion"),
        VariationalDropPath(3, seed=5, num_train_examples=8, name="gate"),
        GatedDense(3, gate={"seed": 3}, activation="relu", use_bias=False, name="classifier"),
        Zeros(3, name="zeros"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_configs_hold_every_argument(layer: Any) -> None:
    config = layer.get_config()
    assert signature_of(type(layer)) <= set(config)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == config
    for name in signature_of(type(layer)) - {"dtype"}:
        assert getattr(again, name) == getattr(layer, name)
    assert again.dtype_policy == layer.dtype_policy


def test_a_config_keeps_what_changed_since() -> None:
    """N that the user set, not one that `fit` counted, and gates that were frozen."""
    layer = FusionConv(4, name="fusion")
    layer.drop_path.counted_examples = 5
    assert FusionConv.from_config(layer.get_config()).drop_path.num_train_examples is None
    layer.drop_path.num_train_examples = 12
    layer.drop_path.trainable = False
    again = FusionConv.from_config(layer.get_config())
    assert again.drop_path.num_train_examples == 12
    assert again.drop_path.trainable is False
    layer.drop_path.trainable = True
    assert FusionConv.from_config(layer.get_config()).drop_path.trainable is True
