"""A gradient of one's own is that of ``tf.custom_gradient``, and goes with its graph."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.layers.own_gradient import own_gradient


@own_gradient
def tripled(x: tf.Tensor) -> Any:
    """The identity, with a gradient that no other function has."""
    return tf.identity(x), lambda dy: 3.0 * dy


@own_gradient
def swapped(x: tf.Tensor, y: tf.Tensor) -> Any:
    return [x + 0.0, y + 0.0], lambda dx, dy: [dy, dx]


def test_in_all_ways_that_tensorflow_takes_gradients() -> None:
    x = tf.constant([1.0, 2.0])

    def by_tape(function: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    in_graph = tf.function(by_tape)
    for found in (by_tape(tripled), in_graph(tripled), by_tape(tf.function(tripled))):
        np.testing.assert_array_equal(found, [3.0, 3.0])
    symbolic = tf.function(lambda: tf.gradients(tripled(x), x)[0])
    np.testing.assert_array_equal(symbolic(), [3.0, 3.0])


def test_of_several_outputs() -> None:
    x, y = tf.constant(1.0), tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        one, two = tf.function(swapped)(x, y)
        total = one + 5.0 * two
    assert [float(g) for g in tape.gradient(total, [x, y])] == [5.0, 1.0]


def graphs() -> int:
    for _ in range(2):  # what the first one finds may free more
        gc.collect()
    return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())


@pytest.mark.parametrize("remat", [False, True])
def test_a_trained_network_leaves_no_graph(remat: bool) -> None:
    """Each model of a session would stay in memory."""
    before = graphs()
    model = tiny.template(num_train_examples=2)
    model.remat = remat
    model.fit(np.zeros((2, *tiny.SHAPE, 3), "uint8"), np.zeros(2, "int64"), verbose=0)
    assert graphs() > before
    del model
    assert graphs() == before
