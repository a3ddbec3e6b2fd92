"""Rematerialised training computes what training computes: same noise, gradients, statistics."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (2, *tiny.SHAPE, 3)).astype("float32")
LABELS = np.array([0, 3])
KINDS: dict[str, Any] = {
    "resnet": lambda: tiny.template(num_train_examples=8),
    "dense": lambda: tiny.kind_template("dense", num_train_examples=8),
    "inputs, D1": lambda: tiny.kind_template("inputs", num_train_examples=8, drop_layer=True),
    "mobile, relaxed": lambda: tiny.kind_template(
        "mobile", num_train_examples=8, residual_gate="relaxed", drop_layer=True
    ),
    "batch": lambda: tiny.template(num_train_examples=8, noise="batch"),
    "derived": lambda: tiny.derived("S+ST - ST", dropout=0.0),
}


def step(make: Any, *, remat: bool) -> tuple[Any, dict[str, np.ndarray], dict[str, Any]]:
    """The loss, the gradients and the state after one step's forward and backward pass."""
    keras.utils.set_random_seed(3)
    model = make()
    model.remat = remat
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def compute() -> Any:
        with tf.GradientTape() as tape:
            logits = model(CLIPS, training=True)
            loss = loss_of(LABELS, logits) + sum(model.losses)
        return loss, tape.gradient(loss, [w.value for w in model.trainable_weights])

    loss, gradients = compute()
    paths = [weight.path for weight in model.trainable_weights]
    found = {p: g.numpy() for p, g in zip(paths, gradients, strict=True) if g is not None}
    state = {w.path: np.asarray(w) for w in model.non_trainable_weights}
    return float(loss), found, state


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_state_are_the_same(kind: str) -> None:
    loss, gradients, state = step(KINDS[kind], remat=False)
    again, gradients_again, state_again = step(KINDS[kind], remat=True)
    assert again == pytest.approx(loss, rel=1e-6)
    assert gradients.keys() == gradients_again.keys()
    for path, gradient in gradients.items():
        scale = max(float(np.abs(gradient).max()), 1e-2)
        np.testing.assert_allclose(
            gradients_again[path] / scale, gradient / scale, atol=1e-5, err_msg=path
        )
    for path, value in state.items():
        np.testing.assert_allclose(state_again[path], value, rtol=1e-6, atol=1e-7, err_msg=path)


def test_the_last_block_may_be_the_output() -> None:
    answers = []
    for remat in (False, True):
        keras.utils.set_random_seed(3)
        model = tiny.derived("S ST S+ST", include_top=False)
        model.remat = remat
        answers.append(model(CLIPS, training=True).numpy())
    assert answers[0].ndim == 5
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-5, atol=1e-6)


def test_several_inputs_and_outputs() -> None:
    """A template as a part of a network: its answer, its features and another input's."""
    answers = []
    for remat in (False, True):
        keras.utils.set_random_seed(3)
        inner = tiny.derived("S ST S+ST", dropout=0.0)
        more = keras.Input((2,), name="more")
        features = inner.get_layer("pool").output
        joined = keras.layers.Dense(3)(keras.layers.Concatenate()([features, more]))
        outputs = {"joined": joined, "logits": inner.output}
        model = type(inner)([inner.input, more], outputs)
        model.remat = remat
        found = model([CLIPS, np.ones((2, 2), "float32")], training=True)
        assert list(found) == ["joined", "logits"]
        answers.append({name: value.numpy() for name, value in found.items()})
    for name, value in answers[0].items():
        np.testing.assert_allclose(answers[1][name], value, rtol=1e-5, atol=1e-6)


def test_blocks_are_computed_a_second_time() -> None:
    """The convolutions of blocks, and what precedes their gradients; not the stem."""

    def convolutions(*, remat: bool) -> int:
        model = tiny.derived("S ST S+ST", dropout=0.0)
        model.remat = remat

        @tf.function
        def gradient() -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(CLIPS, training=True))
            return tape.gradient(loss, [w.value for w in model.trainable_weights])

        operations = gradient.get_concrete_function().graph.get_operations()
        return sum(op.type == "Conv2D" for op in operations)

    kept, again = convolutions(remat=False), convolutions(remat=True)
    assert again == 2 * kept - 1  # one 1x5x5 of the stem


def test_a_scope_of_keras_asks_for_it() -> None:
    with keras.RematScope():
        model = tiny.template()
    assert model.remat
    assert not tiny.template().remat
    assert all(layer._remat_mode.mode is None for layer in model.layers)
