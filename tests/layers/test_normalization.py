"""The fused batch norm against Keras': values, gradients, moving statistics."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.normalization import BatchNormalization, batch_norm

SHAPES = [(2, 3, 4, 5, 6), (1, 1, 7, 3, 1), (3, 5, 1, 1, 7)]


def pair(shape: tuple[int, ...], dtype: str = "float32", **options: Any) -> list[Any]:
    """Ours and Keras', built alike, with scales, shifts and statistics of their own."""
    kept = {"momentum": 0.9, "epsilon": 1e-5, "synchronized": True, "dtype": dtype}
    layers = [
        kind(**{**kept, **options})
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    rng = np.random.default_rng(0)
    values = [rng.uniform(0.5, 2.0, shape[-1]), *rng.normal(size=(2, shape[-1]))]
    for layer in layers:
        layer.build(shape)
        layer.set_weights([*values, rng.uniform(0.5, 2.0, shape[-1])])
    layers[1].set_weights(layers[0].get_weights())
    return layers


def results(layer: Any, x: tf.Tensor, weights: tf.Tensor) -> dict[str, np.ndarray]:
    """Values, gradients and moving statistics of one training call."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        loss = tf.reduce_sum(tf.cast(y, tf.float32) * weights)
    gradients = tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])
    found = {"y": y, "x": gradients[0], "gamma": gradients[1], "beta": gradients[2]}
    found |= {"mean": layer.moving_mean, "variance": layer.moving_variance}
    return {name: np.asarray(tf.cast(value, tf.float32)) for name, value in found.items()}


def clips(shape: tuple[int, ...], dtype: str = "float32") -> tuple[tf.Tensor, tf.Tensor]:
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(0.3, 1.5, shape), dtype)
    return x, tf.constant(rng.normal(size=shape), tf.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_values_gradients_and_statistics_are_keras(shape: tuple[int, ...], momentum: float) -> None:
    ours, theirs = (results(layer, *clips(shape)) for layer in pair(shape, momentum=momentum))
    for name, value in ours.items():
        scale = max(np.abs(theirs[name]).max(), 1.0)
        bound = 1e-6 if name in ("mean", "variance") else 1e-5
        np.testing.assert_allclose(value / scale, theirs[name] / scale, atol=bound, err_msg=name)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_rounds_as_keras_does(policy: str) -> None:
    """Statistics are of float32 in both; what is rounded may differ by its last place."""
    shape = SHAPES[0]
    step = 2.0**-7 if "bfloat" in policy else 2.0**-10
    x, weights = clips(shape, "bfloat16" if "bfloat" in policy else "float16")
    ours, theirs = (results(layer, x, weights) for layer in pair(shape, policy))
    for name, value in ours.items():
        scale = max(np.abs(theirs[name]).max(), 1.0)
        bound = step if name in ("y", "x") else 1e-5
        np.testing.assert_allclose(value / scale, theirs[name] / scale, atol=bound, err_msg=name)


def test_a_graph_with_open_sizes_gives_the_same() -> None:
    shape = SHAPES[0]
    x, _ = clips(shape)
    ours, theirs = pair(shape)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None, 6))])
    def step(x: tf.Tensor) -> tf.Tensor:
        return ours(x, training=True)

    np.testing.assert_allclose(step(x), theirs(x, training=True), atol=1e-5)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_one_value_a_channel_has_no_variance() -> None:
    ours, theirs = pair((1, 1, 1, 1, 3))
    x = tf.constant([[[[[1.0, -2.0, 3.0]]]]])
    # Keras subtracts two products that are some hundred times the difference
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_what_does_not_train_is_keras() -> None:
    """Inference, and a frozen norm in training: neither measures anything."""
    shape = SHAPES[0]
    ours, theirs = pair(shape)
    x, _ = clips(shape)
    for trainable, training in ((True, False), (False, True)):
        ours.trainable = theirs.trainable = trainable
        np.testing.assert_array_equal(ours(x, training=training), theirs(x, training=training))
    np.testing.assert_array_equal(ours.moving_mean, theirs.moving_mean)


def test_it_is_one_operation_in_training_and_saved_under_its_name() -> None:
    layer = batch_norm(name="norm")
    layer.build((2, 3, 4, 5, 6))
    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(
        tf.TensorSpec((2, 3, 4, 5, 6))
    )
    kinds = [op.type for op in graph.graph.get_operations()]
    assert kinds.count("FusedBatchNormV3") == 1
    assert len(kinds) <= 20, kinds  # 8 of them what goes in and out
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is BatchNormalization
    assert again.get_config() == layer.get_config()
