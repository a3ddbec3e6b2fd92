"""The gated classifier: one logit, noise for each feature, the entropy once for each."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from vdroppath_tf.layers.gated_dense import GatedDense

BATCH, FEATURES = 6, 50


def layer(**gate: Any) -> Any:
    dense = GatedDense(3, gate={"num_train_examples": 20, **gate}, name="classifier")
    dense.build((None, FEATURES))
    return dense


def identity(dense: Any) -> Any:
    """A kernel that lets the first three features through, to see their factors."""
    dense.kernel.assign(np.eye(FEATURES, 3))
    return dense


def test_features_have_noise_of_their_own() -> None:
    dense = identity(layer(initial_drop=0.5, temperature=2.0))  # far from 0 and 1
    y = np.asarray(dense(tf.ones((BATCH, FEATURES)), training=True))
    assert np.unique(y).size == y.size
    assert ((y >= 0) & (y <= 1)).all()


def test_noise_of_a_batch_is_shared_by_its_samples() -> None:
    y = np.asarray(identity(layer(noise="batch"))(tf.ones((BATCH, FEATURES)), training=True))
    np.testing.assert_array_equal(y, np.repeat(y[:1], BATCH, 0))
    assert np.unique(y[0]).size == 3


def test_the_entropy_counts_once_for_each_feature() -> None:
    p, n, k = 0.1, 20, 5.0
    dense = layer(weight_reg=k)
    dense(tf.ones((BATCH, FEATURES)), training=True)
    norm = float((np.asarray(dense.kernel) ** 2).sum())
    entropy = p * np.log(p) + (1 - p) * np.log(1 - p)
    expected = (FEATURES * entropy + k * (1 - p) * norm) / n
    assert float(tf.add_n(dense.losses)) == pytest.approx(expected, rel=1e-5)


def test_at_inference_it_is_a_dense_layer() -> None:
    dense, x = layer(initial_drop=0.9), tf.random.stateless_normal((BATCH, FEATURES), (1, 2))
    expected = x @ tf.convert_to_tensor(dense.kernel) + dense.bias
    np.testing.assert_allclose(dense(x), expected, rtol=1e-5)
    dense.drop_path.trainable = False
    np.testing.assert_allclose(dense(x, training=True), expected, rtol=1e-5)
    assert dense.losses == []


def test_a_random_strategy_draws_features() -> None:
    dense = layer(initial_drop=0.3)
    dense.kernel.assign(np.eye(FEATURES, 3))
    dense.drop_path.set_mask("random")
    y = np.array([dense(tf.ones((2, FEATURES))) for _ in range(300)])
    assert set(np.unique(y)) == {0.0, 1.0}
    np.testing.assert_array_equal(y[:, 0], y[:, 1])
    assert y.mean() == pytest.approx(0.7, abs=0.06)  # 900 draws: 4 standard errors


def test_it_comes_back_from_its_config() -> None:
    dense = layer(seed=4)
    dense.drop_path.num_train_examples = 33
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(dense))
    assert again.drop_path.num_train_examples == 33
    assert again.gate["seed"] == 4
    assert again.units == 3
