"""The model of a card: the work of known graphs, and what a step is bound by."""

from __future__ import annotations

from typing import Any

import launches
import numpy as np
import pytest
import tensorflow as tf
import tiny
from step_graph import train_graph

from vdroppath_tf.cost import complexity

CARD = launches.Card(bandwidth=1e9, peaks=(1e12, 2e12), launch=1e-5)


def graph_of(run: Any, *shapes: tuple[int, ...]) -> Any:
    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    return tf.function(run, autograph=False).get_concrete_function(*specs).graph


def test_a_product_and_its_gradients() -> None:
    def run(a: tf.Tensor, b: tf.Tensor) -> Any:
        return tf.gradients(tf.matmul(a, b), [a, b], tf.ones((3, 5)))

    work = launches.work_of(graph_of(run, (3, 4), (4, 5)))
    sizes = 4 * (3 * 4 + 4 * 5 + 3 * 5)
    # the product itself is in the graph too, but does not run: nobody asks for it
    assert work.macs[work.macs > 0].tolist() == [3 * 4 * 5] * 2
    assert work.moved[work.macs > 0].tolist() == [sizes] * 2


@pytest.mark.parametrize("depthwise", [False, True])
def test_a_convolution_and_its_gradients(depthwise: bool) -> None:
    kernel = (3, 3, 4, 2) if depthwise else (3, 3, 4, 6)
    convolve = tf.nn.depthwise_conv2d if depthwise else tf.nn.conv2d
    filters = 8 if depthwise else 6

    def run(x: tf.Tensor, k: tf.Tensor) -> Any:
        y = convolve(x, k, strides=[1, 2, 2, 1], padding="SAME")
        return y, tf.gradients(y, [x, k], tf.ones((2, 5, 5, filters)))

    work = launches.work_of(graph_of(run, (2, 10, 10, 4), kernel))
    each = 2 * 5 * 5 * filters * 9 * (1 if depthwise else 4)
    assert work.macs[work.macs > 0].tolist() == [each] * 3


def test_a_step_of_a_template() -> None:
    model = tiny.template(num_train_examples=100)
    work = launches.work_of(train_graph(model, tiny.SHAPE, 2, model.output_shape[-1]))
    rows = complexity(model, tiny.SHAPE).layers
    # three times the forward pass, but for the first convolution: no gradient of clips is wanted
    expected = 2 * (3 * sum(row.macs for row in rows) - rows[0].macs)
    assert expected <= work.macs.sum() <= 1.01 * expected  # and the products of the KL


def test_what_a_step_is_bound_by() -> None:
    work = launches.Work(np.array([1e3, 5e4, 0.0]), np.array([0.0, 1e6, 4e7]), 4)
    times = work.times(CARD)
    assert times == pytest.approx({"launches": 3e-5, "memory": 5.1e-5, "arithmetic": 8.2e-5})
    assert work.least(CARD) == pytest.approx(1e-5 + 5e-5 + 8e-5)
    half = launches.Work(work.moved, work.macs, 2)
    assert half.times(CARD)["arithmetic"] == pytest.approx(4.1e-5)
    line = launches.row("x", "mixed_bfloat16", 8, half, CARD)
    cells = ["| x", "bfloat16", "8", "3", "0.00", "0.0", "0.03", "0.05", "0.04", "memory", "0.10 |"]
    assert line == " | ".join(cells)


def test_an_open_shape_is_said() -> None:
    with pytest.raises(ValueError, match="has the open shape"):
        launches.work_of(graph_of(lambda a: tf.matmul(a, a), (None, None)))  # type: ignore[arg-type]
