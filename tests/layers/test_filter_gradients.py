"""Gradients written by hand are those that TensorFlow derives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.layers import convolve as forms
from vdroppath_tf.layers.filter_gradients import temporal_in_training
from vdroppath_tf.models.objectives import cross_entropy

RNG = np.random.default_rng(0)


def plain(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, kernel, 1, "SAME")


def gradients(function: Any, x: tf.Tensor, kernel: tf.Tensor, dy: tf.Tensor) -> Any:
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = function(x, kernel)
    return [y, *tape.gradient(y, [x, kernel], dy)]


def tensors(shape: Any, size: int, filters: int, dtype: str = "float32") -> Any:
    shapes = shape, (size, 1, shape[-1], filters), (*shape[:3], filters)
    return [tf.cast(RNG.standard_normal(one).astype("float32"), dtype) for one in shapes]


def close(found: Any, expected: Any, error: float) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        one, other = (np.asarray(tf.cast(value, "float64")) for value in (one, other))
        np.testing.assert_allclose(one, other, rtol=0, atol=error * max(1.0, np.abs(other).max()))


@settings(max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 9), st.integers(1, 7)),
    size=st.sampled_from([3, 5, 7]),
    filters=st.integers(1, 5),
)
def test_of_a_convolution_over_time(shape: Any, size: int, filters: int) -> None:
    """Fewer frames than the kernel has are among them."""
    own = tensors(shape, size, filters)
    close(gradients(temporal_in_training, *own), gradients(plain, *own), 1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_in_half_precision(dtype: str) -> None:
    """Sums are those of float32, rounded once: to one part of 256, or of 2,048."""
    own = tensors((2, 5, 49, 6), 3, 4, dtype)
    found = gradients(temporal_in_training, *own)
    exact = gradients(plain, *(tf.cast(one, "float32") for one in own))
    rounding = {"bfloat16": 2.0**-8, "float16": 2.0**-11}[dtype]
    close(found[:2], gradients(plain, *own)[:2], 1e-5)
    close(found[2:], [tf.cast(exact[2], dtype)], rounding)
    assert np.mean(np.asarray(found[2] == tf.cast(exact[2], dtype))) > 0.98


def test_of_second_order() -> None:
    x, kernel, dy = tensors((2, 4, 6, 3), 3, 2)
    found: list[Any] = []
    for function in (temporal_in_training, plain):
        with tf.GradientTape() as outer:
            outer.watch([x, kernel])
            _, dx, dkernel = gradients(function, x, kernel, dy)
            total = tf.reduce_sum(tf.sin(dx)) + tf.reduce_sum(tf.sin(dkernel))
        found.append(outer.gradient(total, [x, kernel]))
    close(found[0], found[1], 1e-5)


@pytest.mark.parametrize("noise", ["sample", "batch"])
def test_a_network_trains_on_them(noise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every gradient of a template equals that of the same network without them."""
    ran: list[Any] = []

    def noted(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        ran.append(kernel.shape)
        return temporal_in_training(x, kernel)

    clips = RNG.integers(0, 256, (2, *tiny.SHAPE, 3)).astype("float32")
    found: list[Any] = []
    for own in (noted, plain):
        monkeypatch.setattr(forms, "temporal_in_training", own)
        model = tiny.template(num_train_examples=8, noise=noise, seed=1)
        tiny.draw_norms(model, seed=0)
        for weight in model.trainable_variables:
            if weight.path.endswith("kernel"):
                draws = np.random.default_rng(2).normal(0, 0.3, weight.shape)
                weight.assign(draws.astype("float32"))
        with tf.GradientTape() as tape:
            loss = cross_entropy()(np.array([0, 1]), model(clips, training=True))
        found.append(tape.gradient(loss, [v.value for v in model.trainable_variables]))
    assert len(ran) == tiny.LAYERS
    close(found[0], found[1], 1e-5)
    ran.clear()
    monkeypatch.setattr(forms, "temporal_in_training", noted)
    model(clips, training=False)
    assert not ran
