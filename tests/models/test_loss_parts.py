"""What `fit` shows of a template's loss: the task's and the KL apart."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (6, 4, 16, 16, 3)).astype("uint8")
LABELS = RNG.integers(0, 3, 6)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def template(**gates: Any) -> Any:
    keras.utils.set_random_seed(0)
    options = {"num_train_examples": 6, **gates}
    model = rows.built("tiny", 3, clip_shape=(4, 16, 16), gates=options)
    return model


def test_a_large_kl_takes_no_digit_from_the_task() -> None:
    """The same weights and noise, so the same cross-entropy; nothing moves at a rate of 0."""
    shown = []
    for k in (0.0, 1e9):
        model = template(weight_reg=k)
        model.compile(keras.optimizers.SGD(0.0), LOSS)
        shown.append(model.train_on_batch(CLIPS, LABELS, return_dict=True))
    assert shown[1]["kl"] > 1e8
    assert shown[1]["task_loss"] == pytest.approx(shown[0]["task_loss"], rel=1e-5)
    assert shown[1]["loss"] == pytest.approx(shown[1]["task_loss"] + shown[1]["kl"], rel=1e-5)


def test_parts_add_up_with_several_steps_at_a_time_and_batches_of_unequal_size() -> None:
    model = template(prior_strength=0.1)
    data = tf.data.Dataset.from_tensor_slices((CLIPS, LABELS)).batch(4)  # 4, then 2
    model.compile(keras.optimizers.SGD(0.5), LOSS, metrics=["accuracy"], steps_per_execution=2)
    history = model.fit(data, epochs=2, validation_data=data, verbose=0).history
    total = np.add(history["task_loss"], history["kl"])
    np.testing.assert_allclose(history["loss"], total, rtol=1e-5)
    assert history["task_loss"][0] != history["kl"][0]
    assert set(history) == {
        *("loss", "task_loss", "kl", "accuracy"),
        *("val_loss", "val_accuracy"),
    }
    assert set(model.test_on_batch(CLIPS, LABELS, return_dict=True)) == {"loss", "accuracy"}
    assert model.evaluate(data, verbose=0)[0] == pytest.approx(history["val_loss"][-1], rel=1e-5)


def test_without_a_loss_the_kl_is_the_total() -> None:
    model = template(prior_strength=0.1)
    model.compile(keras.optimizers.SGD(0.0))
    with pytest.warns(UserWarning, match="Gradients do not exist"):  # of what no KL reaches
        shown = model.train_on_batch(CLIPS, return_dict=True)
    assert shown["loss"] == pytest.approx(shown["kl"], rel=1e-5)
    assert shown["task_loss"] == pytest.approx(0.0, abs=1e-5)


def test_a_network_without_gates_has_one_loss() -> None:
    keras.utils.set_random_seed(0)
    model = rows.built("tiny", 3, clip_shape=(4, 16, 16), strategy="S ST")
    model.compile(keras.optimizers.SGD(0.0), LOSS)
    assert set(model.train_on_batch(CLIPS, LABELS, return_dict=True)) == {"loss"}
