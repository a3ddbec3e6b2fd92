"""FusionConv with the branch T, batch norms of its own, and gates per input."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.branch import input_slices
from vdroppath_tf.layers.fusion import FusionConv

WIDTHS = (2, 3, 1)
SHAPE = (2, 4, 5, 6, sum(WIDTHS))
TEMPORAL = (7, (1, 2, 2))


def clips() -> Any:
    return tf.constant(np.random.default_rng(0).standard_normal(SHAPE), tf.float32)


def built(**options: Any) -> Any:
    layer = FusionConv(
        4, gate={"num_train_examples": 10, "weight_reg": 10.0}, name="fusion", **options
    )
    layer.build(SHAPE)
    rng = np.random.default_rng(1)
    for norm in layer.norms:
        for weight in norm.weights:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return layer


def test_t_goes_round_the_convolution_that_follows() -> None:
    """Its output has the stride and channels it was told; S and ST keep those of the layer."""
    layer, x = built(branches=("S", "T", "ST"), temporal=TEMPORAL), clips()
    for mask in itertools.product((0.0, 1.0), repeat=3):
        layer.drop_path.set_mask(mask)
        outputs = layer(x)
        y, temporal = outputs["output"], outputs["temporal"]
        s, t, st = mask
        spatial, in_time, both = layer.paths
        np.testing.assert_allclose(y, s * spatial(x) + st * both(x), atol=1e-5)
        np.testing.assert_allclose(temporal, t * in_time(x), atol=1e-5)
        assert temporal.shape == (2, 4, 3, 3, 7)
        assert np.unique(outputs["residual_gate"]).tolist() == [max(mask)]
        assert np.unique(outputs["spatial_gate"]).tolist() == [max(s, st)]


@pytest.mark.parametrize("unit", ["T", "S+T", "T+ST", "S+T+ST"])
def test_a_derived_layer_with_t(unit: str) -> None:
    layer, x = FusionConv(4, branches=("S", "T", "ST"), unit=unit, temporal=TEMPORAL), clips()
    shapes = {name: tuple(y.shape) for name, y in layer(x).items()}
    own = {} if unit == "T" else {"output": (2, 4, 5, 6, 4)}
    assert shapes == {**own, "temporal": (2, 4, 3, 3, 7)}
    specs = layer.compute_output_spec(keras.KerasTensor(x.shape, "float32"))
    assert {name: spec.shape for name, spec in specs.items()} == shapes


@pytest.mark.parametrize("kind", [{"before": "relu"}, {"after": "relu6"}], ids=str)
def test_paths_have_batch_norms_of_their_own(kind: dict[str, str]) -> None:
    layer, x = built(**kind), clips()
    names = ["spatial", "spatiotemporal"]
    kernels = [f"fusion/{name}/kernel" for name in names]
    assert [v.path for v in layer.trainable_variables if "kernel" in v.path] == kernels
    assert {v.path.split("/")[1] for v in layer.weights} == {
        "drop_path",
        *names,
        *(f"{name}_bn" for name in names),
    }
    layer.drop_path.set_mask((1.0, 0.0))
    (conv, _), (norm, _) = layer.paths, layer.norms
    expected = conv(tf.nn.relu(norm(x))) if "before" in kind else tf.nn.relu6(norm(conv(x)))
    np.testing.assert_allclose(layer(x)["output"], expected, atol=1e-5)
    before = [n.moving_mean.numpy() for n in layer.norms]
    layer(x, training=True)
    assert all(
        (n.moving_mean.numpy() != old).any() for n, old in zip(layer.norms, before, strict=True)
    )


def test_each_input_has_gates_of_its_own() -> None:
    """A path is the sum of what its inputs give, each with its own factor."""
    layer, x = built(before="relu", widths=WIDTHS), clips()
    assert layer.drop_path.paths == 6
    parts = input_slices(WIDTHS, (1, 1, 1))
    rng = np.random.default_rng(3)
    for _ in range(6):
        mask = rng.integers(0, 2, (3, 2)).astype("float32")
        layer.drop_path.set_mask(mask.ravel())
        outputs = layer(x)
        y = outputs["output"]
        expected = np.zeros_like(y)
        for b, (conv, norm) in enumerate(zip(layer.paths, layer.norms, strict=True)):
            h = tf.nn.relu(norm(x)).numpy()
            for i, (start, end) in enumerate(parts):
                only = np.zeros_like(h)
                only[..., start:end] = h[..., start:end]
                expected = expected + mask[i, b] * np.asarray(conv(only))
        np.testing.assert_allclose(y, expected, atol=1e-5)
        assert np.unique(outputs["residual_gate"]).tolist() == [mask.max()]


def test_the_kl_counts_the_weights_of_each_input() -> None:
    layer = built(before="relu", widths=WIDTHS)
    logits = np.random.default_rng(5).normal(0, 1, 6)
    layer.drop_path.logit.assign(logits)
    layer(clips(), training=True)
    p = 1 / (1 + np.exp(-logits.reshape(3, 2)))
    norms = np.zeros((3, 2))
    for b, conv in enumerate(layer.paths):
        for i, (start, end) in enumerate(input_slices(WIDTHS, (1, 1, 1))):
            norms[i, b] = (np.asarray(conv.kernel)[:, :, :, start:end] ** 2).sum()
    entropy = p * np.log(p) + (1 - p) * np.log(1 - p)
    expected = (entropy + 10.0 * (1 - p) * norms).sum() / 10
    assert float(tf.add_n(layer.losses)) == pytest.approx(expected, rel=1e-4)


def test_a_derived_path_is_a_slice_along_its_inputs() -> None:
    layer = FusionConv(4, before="relu", widths=WIDTHS, unit="S@101+ST@010", name="fusion")
    layer.build(SHAPE)
    assert [path.kernel.shape for path in layer.paths] == [(1, 1, 1, 3, 4), (3, 1, 1, 3, 4)]
    assert [norm.gamma.shape for norm in layer.norms] == [(3,), (3,)]
    x = clips()
    kept = tf.concat([x[..., :2], x[..., 5:]], -1)
    conv, norm = layer.paths[0], layer.norms[0]
    st, other = layer.paths[1], layer.norms[1]
    expected = conv(tf.nn.relu(norm(kept))) + st(tf.nn.relu(other(x[..., 2:5])))
    np.testing.assert_allclose(layer(x)["output"], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branches": ("S", "T", "ST")}, r"the branch T needs temporal=\(filters, strides\)"),
        ({"branches": ("T",), "temporal": TEMPORAL}, "a template needs the branch S or ST"),
        ({"widths": WIDTHS, "after": "relu6"}, "gates per input need a path without BN after it"),
        ({"before": "reul"}, "reul"),
        ({"before": "relu", "after": "relu6"}, "before or after .* before='relu', after='relu6'"),
        ({"widths": WIDTHS, "before": "relu", "unit": "S@10"}, "unit of its own .* 3 inputs have"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FusionConv(4, name="fusion", **options)


def test_every_output_is_a_tensor_of_its_own() -> None:
    """One symbolic tensor under two names would be the last of them under both."""
    gate = {"drop_layer": True}
    layer = FusionConv(4, branches=("S", "T", "ST"), temporal=TEMPORAL, gate=gate, name="fusion")
    outputs = layer(keras.Input(SHAPE[1:]))
    names = {"output", "temporal", "residual_gate", "spatial_gate", "weight_prior"}
    assert set(outputs) == names
    assert len({id(tensor) for tensor in outputs.values()}) == len(names)
