"""`convolve` gives Conv3D's numbers in every form it takes, and its layer says the right shape."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.convolve import convolve

Triple = tuple[int, int, int]
KERNELS: list[Triple] = [
    *((1, 1, 1), (3, 1, 1), (1, 3, 3), (3, 3, 3)),
    *((5, 7, 7), (1, 3, 1), (1, 1, 5), (3, 1, 3), (5, 1, 1), (1, 7, 7)),
]
STRIDES: list[Triple] = [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 2), (3, 1, 2)]


def reference(x: Any, kernel: Any, strides: Triple) -> Any:
    """The plain form: pad by half the kernel on both sides, then Conv3D."""
    pads = [[0, 0], *([k // 2, k // 2] for k in kernel.shape[:3]), [0, 0]]
    return tf.nn.conv3d(tf.pad(x, pads), kernel, [1, *strides, 1], "VALID")


def close(found: Any, expected: Any) -> None:
    scale = max(float(np.abs(expected).max()), 1.0)
    np.testing.assert_allclose(np.asarray(found) / scale, np.asarray(expected) / scale, atol=3e-6)


def values_and_gradients(convolution: Any, x: Any, kernel: Any, strides: Triple) -> Any:
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = convolution(x, kernel, strides)
        weights = tf.reshape(tf.range(tf.size(y), dtype=tf.float32), tf.shape(y))
        total = tf.reduce_sum(y * tf.sin(weights))
    return [y, *tape.gradient(total, [x, kernel])]


def example(size: Triple, kernel_size: Triple, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, *size, 3)).astype("float32")
    return tf.constant(x), tf.constant(rng.standard_normal((*kernel_size, 3, 4)).astype("float32"))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("strides", STRIDES)
@pytest.mark.parametrize("kernel_size", KERNELS)
def test_every_form_is_conv3d(kernel_size: Triple, strides: Triple, training: bool) -> None:
    """Odd and even sizes at once: 5 frames of 6 x 7."""
    x, kernel = example((5, 6, 7), kernel_size)
    found = values_and_gradients(partial(convolve, training=training), x, kernel, strides)
    expected = values_and_gradients(reference, x, kernel, strides)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        close(one, other)


@pytest.mark.parametrize("kernel_size", [(1, 1, 1), (3, 1, 1), (1, 3, 3), (3, 3, 3)])
@pytest.mark.parametrize("open_sizes", ["batch", "all"])
def test_sizes_may_be_unknown_while_tracing(kernel_size: Triple, open_sizes: str) -> None:
    shape = [None, 4, 6, 5, 3] if open_sizes == "batch" else [None, None, None, None, 3]
    strides, in_training = (1, 2, 2), partial(convolve, training=True)
    traced = tf.function(
        lambda x, kernel: values_and_gradients(in_training, x, kernel, strides),
        input_signature=[tf.TensorSpec(shape), tf.TensorSpec([*kernel_size, 3, 4])],
    )
    for seed in range(2):
        x, kernel = example((4, 6, 5), kernel_size, seed)
        expected = values_and_gradients(reference, x, kernel, strides)
        for one, other in zip(traced(x, kernel), expected, strict=True):
            close(one, other)


@pytest.mark.parametrize("strides", [(1, 1, 1), (2, 2, 2)])
@pytest.mark.parametrize("kernel_size", KERNELS[:4])
def test_an_empty_batch_keeps_its_shape(kernel_size: Triple, strides: Triple) -> None:
    """TensorFlow's oneDNN kernels give it the shape of the input."""
    kernel = example((5, 6, 7), kernel_size)[1]
    sizes = [-(-n // s) for n, s in zip((5, 6, 7), strides, strict=True)]
    for training in (False, True):
        y = convolve(tf.zeros((0, 5, 6, 7, 3)), kernel, strides, training=training)
        assert y.shape == (0, *sizes, 4)


@settings(max_examples=25)
@given(
    size=st.tuples(*[st.integers(1, 6)] * 3),
    kernel_size=st.sampled_from(KERNELS),
    strides=st.tuples(*[st.integers(1, 3)] * 3),
)
def test_any_size_and_stride(size: Triple, kernel_size: Triple, strides: Triple) -> None:
    x, kernel = example(size, kernel_size)
    found = convolve(x, kernel, strides)
    assert found.shape[1:4] == tuple(-(-n // s) for n, s in zip(size, strides, strict=True))
    close(found, reference(x, kernel, strides))


@pytest.mark.parametrize("strides", STRIDES)
@pytest.mark.parametrize("kernel_size", KERNELS[:5])
def test_the_layer_knows_its_shape_and_its_work(kernel_size: Triple, strides: Triple) -> None:
    layer = Convolution(4, kernel_size, strides)
    x = tf.ones((2, 5, 6, 7, 3))
    y = layer(x)
    spec = layer.compute_output_spec(keras.KerasTensor((2, 5, 6, 7, 3)))
    assert (spec.shape, spec.dtype) == (tuple(y.shape), "float32")
    open_spec = layer.compute_output_spec(keras.KerasTensor((None, None, 6, None, 3)))
    assert open_spec.shape == (None, None, y.shape[2], None, 4)
    # one multiply-add per output value and kernel cell
    outputs = int(np.prod(y.shape[1:]))
    assert layer.macs((5, 6, 7, 3)) == outputs * int(np.prod(kernel_size)) * 3


def test_the_weights_start_he_normal() -> None:
    layer = Convolution(64, (1, 3, 3))
    layer.build((None, 4, 8, 8, 32))
    kernel = np.asarray(layer.kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 32)), rel=0.03)
    assert [v.path for v in layer.weights] == [f"{layer.name}/kernel"]


def test_the_weight_prior_joins_the_loss() -> None:
    layer = Convolution(4, (1, 3, 3))
    x = tf.ones((1, 2, 4, 4, 3))
    layer(x)
    assert layer.losses == []
    layer(x, weight_prior=tf.constant(0.5))
    assert float(layer.losses[0]) == pytest.approx(0.5 * (np.asarray(layer.kernel) ** 2).sum())


@pytest.mark.parametrize("kernel_size", [(2, 1, 1), (3, 3), (0, 1, 1), (3, 1, 1, 1)])
def test_a_bad_kernel_size_is_refused(kernel_size: Any) -> None:
    with pytest.raises(ValueError, match=r"kernel_size must be three odd numbers.*Received"):
        Convolution(4, kernel_size)


@pytest.mark.parametrize("strides", [(1, 2), (0, 1, 1)])
def test_a_bad_stride_is_refused(strides: Any) -> None:
    with pytest.raises(ValueError, match=r"strides must be three.*Received"):
        Convolution(4, (3, 1, 1), strides)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("stride", [1, 2])
def test_groups_are_convolutions_of_their_own(groups: int, stride: int) -> None:
    """Against one convolution of all channels whose kernel is 0 between groups; gradients too."""
    x = tf.constant(np.random.default_rng(0).standard_normal((2, 3, 7, 6, 6)), tf.float32)
    layer = Convolution(6, (1, 3, 3), (1, stride, stride), groups)
    layer.build(x.shape)
    assert layer.kernel.shape == (1, 3, 3, 6 // groups, 6)
    per = 6 // groups
    place = np.repeat(np.arange(groups), per)
    inside = tf.constant(place[:, None] == place[None], tf.float32)

    def whole(kernel: Any) -> Any:
        return convolve(x, tf.tile(kernel, [1, 1, 1, groups, 1]) * inside, (1, stride, stride))

    kernel = tf.convert_to_tensor(layer.kernel)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, kernel])
        found, expected = convolve(x, kernel, layer.strides), whole(kernel)
        losses = [tf.reduce_sum(y**2) for y in (found, expected)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for one, other in zip(*(tape.gradient(loss, [x, kernel]) for loss in losses), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert layer.macs((3, 7, 6, 6)) == 3 * -(-7 // stride) * -(-6 // stride) * 9 * per * 6


@pytest.mark.parametrize(
    ("size", "groups"), [((1, 1, 1), 2), ((3, 3, 3), 2), ((1, 3, 3), 4), ((1, 3, 3), 0)]
)
def test_groups_that_cannot_be_are_refused(size: tuple[int, int, int], groups: int) -> None:
    with pytest.raises(ValueError, match="groups must divide filters"):
        Convolution(6, size, groups=groups)


def test_channels_that_do_not_make_the_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="5 channels do not make 2 groups"):
        Convolution(6, (1, 3, 3), groups=2).build((None, None, None, None, 5))


@pytest.mark.parametrize(
    ("kernel_size", "strides"),
    [((1, 3, 3), (1, 2, 2)), ((1, 3, 3), (2, 3, 1)), ((3, 1, 1), (2, 1, 1))],
)
def test_no_gradient_in_training_has_explicit_padding(kernel_size: Triple, strides: Triple) -> None:
    """TensorFlow computes such gradients with kernels of its own, and the others with oneDNN's."""
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("cuDNN pads by itself")

    @tf.function
    def gradients(x: Any, kernel: Any) -> Any:
        return values_and_gradients(partial(convolve, training=True), x, kernel, strides)

    graph = gradients.get_concrete_function(*example((5, 6, 7), kernel_size)).graph
    found = [op for op in graph.get_operations() if op.type.startswith("Conv2D")]
    assert {op.type for op in found} == {"Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"}
    assert {op.get_attr("padding") for op in found} == {b"VALID"}
