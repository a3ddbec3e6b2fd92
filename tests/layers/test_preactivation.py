"""Paths that share their input in one operation, against Keras' batch norms and autodiff."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers import normalization
from vdroppath_tf.layers.convolve import convolve
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.preactivation import Path, normalized_paths

SHAPES = [(2, 3, 4, 5, 6), (1, 1, 7, 3, 1), (3, 5, 1, 1, 7)]
NAMES = {"S": "spatial", "T": "temporal", "ST": "spatiotemporal"}


def layer_of(shape: tuple[int, ...], branches: str, dtype: str = "float32") -> Any:
    """A derived layer, with weights and statistics that tell its branches apart."""
    options: Any = {"temporal": (3, (1, 1, 1))} if "T" in branches.split("+") else {}
    every = tuple(NAMES) if options else ("S", "ST")
    layer = FusionConv(
        3, branches=every, unit=branches, before="relu", name="fusion", dtype=dtype, **options
    )
    layer.build(shape)
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        name = weight.path.split("/")[-1]
        low, high = (0.5, 2.0) if name in ("gamma", "moving_variance") else (-1.0, 1.0)
        weight.assign(rng.uniform(low, high, weight.shape))
    return layer


def by_autodiff(layer: FusionConv, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """The same by what Keras' batch norm does, and gradients that TensorFlow knows."""
    outputs = {}
    for name, branch in zip(layer.wanted, layer._branches.values(), strict=True):
        y = tf.nn.relu(keras.layers.BatchNormalization.call(branch.norm, x, training=True))
        outputs[name] = convolve(y, tf.cast(branch.convolution.kernel, y.dtype))
    spatial = [y for name, y in outputs.items() if name != "T"]
    return {"output": tf.add_n(spatial), **({"temporal": outputs["T"]} if "T" in outputs else {})}


def results(layer: Any, x: tf.Tensor, call: Any) -> dict[str, np.ndarray]:
    """Outputs, gradients and moving statistics of one training call, in float32."""
    rng = np.random.default_rng(2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = call(x)
        weights = {name: rng.normal(size=y.shape) for name, y in sorted(outputs.items())}
        loss = tf.add_n(
            [tf.reduce_sum(tf.cast(outputs[name], tf.float32) * w) for name, w in weights.items()]
        )
    variables = {v.path: v.value for v in layer.trainable_variables}
    gradients = tape.gradient(loss, {"x": x, **variables})
    state = {v.path: tf.convert_to_tensor(v) for v in layer.non_trainable_variables}
    found = {**outputs, **{f"d {name}": g for name, g in gradients.items()}, **state}
    return {name: np.asarray(tf.cast(value, tf.float32)) for name, value in found.items()}


def clips(shape: tuple[int, ...], dtype: str = "float32") -> tf.Tensor:
    return tf.constant(np.random.default_rng(1).normal(0.3, 1.5, shape), dtype)


def compare(ours: dict[str, Any], theirs: dict[str, Any], bound: float) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        scale = max(np.abs(theirs[name]).max(), 1.0)
        np.testing.assert_allclose(value / scale, theirs[name] / scale, atol=bound, err_msg=name)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("branches", ["S+ST", "S+T+ST", "ST"])
def test_values_gradients_and_statistics(shape: tuple[int, ...], branches: str) -> None:
    layer, other = layer_of(shape, branches), layer_of(shape, branches)
    ours = results(layer, clips(shape), lambda x: layer(x, training=True))
    compare(ours, results(other, clips(shape), lambda x: by_autodiff(other, x)), 1e-5)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("batch", [2, None])
def test_gates_of_samples_and_of_the_batch(rows: int, batch: int | None) -> None:
    """A gate of 0 has a gradient too: nothing is divided by it."""
    rng = np.random.default_rng(3)
    shapes = [(4,), (4,), (3, 1, 1, 4, 2), (rows, 1, 1, 1, 1)]
    parts = [tf.constant(rng.normal(size=shape), tf.float32) for shape in shapes]
    parts[3] *= tf.constant([0.0, 1.0][2 - rows :])[:, None, None, None, None]
    specs = [tf.TensorSpec((batch, 3, 2, 5, 4)), *(tf.TensorSpec(shape) for shape in shapes[:3])]
    specs.append(tf.TensorSpec((None if batch is None else rows, 1, 1, 1, 1)))

    def plain(x: tf.Tensor, scale: Any, shift: Any, kernel: Any, gate: Any) -> tf.Tensor:
        mean, variance = tf.nn.moments(x, [0, 1, 2, 3])
        y = tf.nn.batch_normalization(x, mean, variance, shift, scale, 1e-5)
        return convolve(tf.nn.relu(y), kernel) * gate

    def ours(x: tf.Tensor, *weights: Any) -> tf.Tensor:
        return normalized_paths(x, [Path(*weights)], 1e-5)[0][0]

    found = []
    for run in (ours, plain):

        @tf.function(input_signature=specs, autograph=False)  # as Keras traces it
        def step(*given: tf.Tensor, run: Any = run) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(given)
                y = run(*given)
                loss = tf.reduce_sum(y**3 + y)
            return y, tape.gradient(loss, given)

        y, gradients = step(clips((2, 3, 2, 5, 4)), *parts)
        found.append({str(n): np.asarray(one) for n, one in enumerate([y, *gradients])})
    compare(found[0], found[1], 1e-5)


def test_half_precision_rounds_as_autodiff_does() -> None:
    shape = SHAPES[0]
    layer, other = (layer_of(shape, "S+ST", "mixed_bfloat16") for _ in range(2))
    x = clips(shape, "bfloat16")
    ours = results(layer, x, lambda x: layer(x, training=True))
    compare(ours, results(other, x, lambda x: by_autodiff(other, x)), 2.0**-6)


def check_gradient(found: np.ndarray, other: Any, x: tf.Tensor) -> None:
    """Compares the gradient of the sum of cubes of a layer's output with autodiff's."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(by_autodiff(other, x)["output"] ** 3)
    expected = tape.gradient(loss, x).numpy()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5)


def test_of_parts_in_a_graph_with_open_sizes() -> None:
    """A dense layer's input is a concatenation, which is made again of its parts."""
    shape = SHAPES[0]
    layer, other = layer_of(shape, "S+ST"), layer_of(shape, "S+ST")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None, 2))] * 3)
    def step(*parts: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(parts)
            whole = tf.concat([tf.concat(parts[:2], -1), parts[2]], 4)
            loss = tf.reduce_sum(layer(whole, training=True)["output"] ** 3)
        return tape.gradient(loss, parts)

    x = clips(shape)
    check_gradient(np.concatenate(step(*tf.split(x, 3, -1)), -1), other, x)
    for one, two in zip(layer.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_concatenation_of_clips_is_kept_as_it_is() -> None:
    shape = SHAPES[0]
    layer, other = layer_of(shape, "S+ST"), layer_of(shape, "S+ST")

    @tf.function(autograph=False)
    def step(*parts: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(parts)
            whole = tf.concat(parts, 0)
            loss = tf.reduce_sum(layer(whole, training=True)["output"] ** 3)
        return tape.gradient(loss, parts)

    x = clips(shape)
    check_gradient(np.concatenate(step(x[:1], x[1:]), 0), other, x)


def test_its_input_alone_is_kept_for_the_gradient() -> None:
    """No clips that the forward pass makes are needed by the backward pass."""
    layer = layer_of((2, 3, 4, 5, 6), "S+ST")

    @tf.function(input_signature=[tf.TensorSpec((2, 3, 4, 5, 3))] * 2)
    def step(*parts: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(parts)
            with tf.name_scope("forward"):
                total = tf.reduce_sum(layer(tf.concat(parts, -1), training=True)["output"])
        return tape.gradient(total, parts)

    operations = step.get_concrete_function().graph.get_operations()
    kept = {
        tensor.name
        for op in operations
        if not op.name.startswith("forward/")
        for tensor in op.inputs
        if tensor.op.name.startswith("forward/") and (tensor.shape.num_elements() or 0) >= 360
    }
    assert not kept
    assert sum(op.type == "Relu" for op in operations) == 4  # two of them for the gradient


def test_several_replicas_are_left_to_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = SHAPES[0]
    layer, other = layer_of(shape, "S+ST"), layer_of(shape, "S+ST")
    ours = results(layer, clips(shape), lambda x: layer(x, training=True))
    monkeypatch.setattr(normalization, "_replicas", lambda: 2)
    monkeypatch.setattr("vdroppath_tf.layers.branch.normalized_paths", None)
    compare(results(other, clips(shape), lambda x: other(x, training=True)), ours, 1e-5)


def test_frozen_norms_stay_as_they_are() -> None:
    layer = layer_of(SHAPES[0], "S+ST")
    before = [norm.moving_mean.numpy() for norm in layer.norms]
    layer.norms[1].trainable = False
    x = clips(SHAPES[0])
    (s, st), (own, frozen) = layer.paths, layer.norms
    expected = s(tf.nn.relu(own(x, training=True))) + st(tf.nn.relu(frozen(x)))
    own.moving_mean.assign(before[0])
    np.testing.assert_allclose(layer(x, training=True)["output"], expected, atol=1e-5)
    assert (own.moving_mean.numpy() != before[0]).any()
    np.testing.assert_array_equal(frozen.moving_mean, before[1])
