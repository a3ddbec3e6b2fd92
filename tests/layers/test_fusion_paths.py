"""FusionConv with the branch T, batch norms of its own, and gates per input."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.path import input_slices

WIDTHS = (2, 3, 1)
SHAPE = (2, 4, 5, 6, sum(WIDTHS))
TEMPORAL = (7, (1, 2, 2))


def clips() -> Any:
    return tf.constant(np.random.default_rng(0).standard_normal(SHAPE), tf.float32)


def built(**options: Any) -> Any:
    layer = FusionConv(4, gate={"num_train_examples": 10}, name="fusion", **options)
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
        y, alive, _, temporal, spatial_alive = layer(x)
        s, t, st = mask
        spatial, in_time, both = layer.paths
        np.testing.assert_allclose(y, s * spatial(x) + st * both(x), atol=1e-5)
        np.testing.assert_allclose(temporal, t * in_time(x), atol=1e-5)
        assert temporal.shape == (2, 4, 3, 3, 7)
        assert np.unique(alive).tolist() == [max(mask)]
        assert np.unique(spatial_alive).tolist() == [max(s, st)]


@pytest.mark.parametrize("unit", ["T", "S+T", "T+ST", "S+T+ST"])
def test_a_derived_layer_with_t(unit: str) -> None:
    layer, x = FusionConv(4, branches=("S", "T", "ST"), unit=unit, temporal=TEMPORAL), clips()
    outputs = layer(x)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert [tuple(y.shape) for y in outputs] == [(2, 4, 5, 6, 4)] * (unit != "T") + [
        (2, 4, 3, 3, 7)
    ]
    said = layer.compute_output_spec(keras.KerasTensor(x.shape, "float32"))
    said = said if isinstance(said, tuple) else (said,)
    assert [one.shape for one in said] == [tuple(y.shape) for y in outputs]


@pytest.mark.parametrize("form", ["pre", "post"])
def test_paths_have_batch_norms_of_their_own(form: str) -> None:
    layer, x = built(form=form), clips()
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
    expected = conv(tf.nn.relu(norm(x))) if form == "pre" else tf.nn.relu6(norm(conv(x)))
    np.testing.assert_allclose(layer(x)[0], expected, atol=1e-5)
    before = [n.moving_mean.numpy() for n in layer.norms]
    layer(x, training=True)
    assert all(
        (n.moving_mean.numpy() != old).any() for n, old in zip(layer.norms, before, strict=True)
    )


def test_each_input_has_gates_of_its_own() -> None:
    """A path is the sum of what its inputs give, each with its own factor."""
    layer, x = built(form="pre", widths=WIDTHS), clips()
    assert layer.drop_path.paths == 6
    parts = input_slices(WIDTHS, (1, 1, 1))
    rng = np.random.default_rng(3)
    for _ in range(6):
        mask = rng.integers(0, 2, (3, 2)).astype("float32")
        layer.drop_path.set_mask(mask.ravel())
        y, alive, _ = layer(x)
        expected = np.zeros_like(y)
        for b, (conv, norm) in enumerate(zip(layer.paths, layer.norms, strict=True)):
            h = tf.nn.relu(norm(x)).numpy()
            for i, (start, end) in enumerate(parts):
                only = np.zeros_like(h)
                only[..., start:end] = h[..., start:end]
                expected = expected + mask[i, b] * np.asarray(conv(only))
        np.testing.assert_allclose(y, expected, atol=1e-5)
        assert np.unique(alive).tolist() == [mask.max()]


def test_the_kl_counts_the_weights_of_each_input() -> None:
    layer = built(form="pre", widths=WIDTHS)
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
    layer = FusionConv(4, form="pre", widths=WIDTHS, unit="S@101+ST@010", name="fusion")
    layer.build(SHAPE)
    assert [path.kernel.shape for path in layer.paths] == [(1, 1, 1, 3, 4), (3, 1, 1, 3, 4)]
    assert [norm.gamma.shape for norm in layer.norms] == [(3,), (3,)]
    x = clips()
    kept = tf.concat([x[..., :2], x[..., 5:]], -1)
    conv, norm = layer.paths[0], layer.norms[0]
    st, other = layer.paths[1], layer.norms[1]
    expected = conv(tf.nn.relu(norm(kept))) + st(tf.nn.relu(other(x[..., 2:5])))
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branches": ("S", "T", "ST")}, r"the branch T needs temporal=\(filters, strides\)"),
        ({"branches": ("T",), "temporal": TEMPORAL}, "a template needs the branch S or ST"),
        ({"widths": WIDTHS, "form": "post"}, "gates per input need a path without BN after it"),
        ({"form": "after"}, r"a form of \('plain', 'pre', 'post'\)"),
        ({"widths": WIDTHS, "form": "pre", "unit": "S@10"}, "unit of its own .* 3 inputs have"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FusionConv(4, name="fusion", **options)
