"""Networks of several classes a clip: labels, loss, metric, files, export, strategies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf.derivation import derive
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.objectives import (
    MeanAveragePrecision,
    SharesCrossentropy,
    check_labels,
)
from vdroppath_tf.scoring import evaluate_strategies
from vdroppath_tf.scoring.several import average_precision
from vdroppath_tf.serving.export import export_saved_model

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (8, 2, 8, 8, 3)).astype("uint8")
HOT = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]] * 2)
TWO = ["S S", "S+ST ST"]


def network(**options: Any) -> Any:
    return rows.randomized(build_network(rows.TINY, 3, **{"multi_label": True, **options}))


def data(labels: np.ndarray) -> Any:
    return tf.data.Dataset.from_tensor_slices((CLIPS, labels)).batch(4)


def by_hand(labels: np.ndarray, scores: np.ndarray) -> float:
    """Precision down to each positive, ties at once."""
    found = []
    for k in range(labels.shape[1]):
        own = [labels[scores[:, k] >= score, k].mean() for score in scores[labels[:, k] > 0, k]]
        found += [np.mean(own)] if own else []
    return float(np.mean(found))


@pytest.mark.parametrize("seed", range(5))
def test_average_precision(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.random((40, 6)) < 0.3).astype("float32")
    labels[:, 5] = 0  # a class that no clip has
    logits = rng.normal(0, 2, (40, 6)).astype("float32")
    logits[10:20] = np.round(logits[10:20])  # ties
    exact = average_precision(labels, logits)
    assert np.isnan(exact).tolist() == [False] * 5 + [True]
    assert np.nanmean(exact) == pytest.approx(by_hand(labels, logits))
    metric = MeanAveragePrecision(6)
    metric.update_state(labels[:25], logits[:25])
    metric.update_state(labels[25:], logits[25:])
    assert float(metric.result()) == pytest.approx(float(np.nanmean(exact)), abs=0.02)
    again = MeanAveragePrecision.from_config(metric.get_config())
    assert float(again.result()) == 0.0
    weights = np.arange(40) < 25  # of clips: without a weight they are not counted
    again.update_state(labels, logits, sample_weight=weights)
    first = MeanAveragePrecision(6)
    first.update_state(labels[:25], logits[:25])
    assert float(again.result()) == pytest.approx(float(first.result()))


@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_fit_alone_is_enough(dtype: str) -> None:
    model = network(gates={"num_train_examples": 8})
    history = model.fit(data(HOT.astype(dtype)), epochs=2, verbose=0).history
    assert {"loss", "task_loss", "kl", "map"} == set(history)
    assert isinstance(model.loss, keras.losses.BinaryCrossentropy)
    expected = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    logits = model(CLIPS)
    found = model.evaluate(CLIPS, HOT, batch_size=8, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(float(expected(HOT, logits)), rel=1e-4)


@pytest.mark.parametrize(
    "labels", [np.zeros(8, int), np.zeros((8, 1), int), HOT[:, :2]], ids=["numbers", "1", "2"]
)
def test_labels_of_another_kind_are_refused(labels: np.ndarray) -> None:
    for x, y in ((CLIPS, labels), (data(labels), None)):
        with pytest.raises(ValueError, match=r"Labels must be \(batch, 3\) of 0 and 1"):
            network().fit(x, y, verbose=0)


def test_labels_of_unknown_rank_are_read_before_they_are_validated() -> None:
    """Nothing is known of a data set from Python but what its signature says."""
    signature = (tf.TensorSpec((None, *CLIPS.shape[1:]), tf.uint8), tf.TensorSpec(None, tf.int64))
    unknown = tf.data.Dataset.from_generator(lambda: data(HOT), output_signature=signature)
    for several in (False, True):
        assert check_labels(unknown, None, 3, multi_label=several) is False
    assert check_labels(data(HOT), None, 3, multi_label=False) is True


@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_several_classes_are_no_shares(dtype: str) -> None:
    """A network of one class a clip took rows of several for shares of classes."""
    labels = HOT.astype(dtype)
    with pytest.raises(ValueError, match="multi_label=True"):
        network(multi_label=False).fit(CLIPS, labels, verbose=0)
    with pytest.raises(ValueError, match=r"^Labels .*multi_label=True"):
        network(multi_label=False).fit(data(labels), verbose=0)
    shares = np.eye(3, dtype=dtype)[np.arange(8) % 3]
    history = network(multi_label=False).fit(data(shares), verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_the_loss_of_shares() -> None:
    loss = SharesCrossentropy()
    shares = RNG.dirichlet(np.ones(3), 8).astype("float32")
    logits = RNG.normal(size=(8, 3)).astype("float32")
    expected = keras.losses.CategoricalCrossentropy(from_logits=True)(shares, logits)
    assert float(loss(shares, logits)) == pytest.approx(float(expected))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    with pytest.raises(tf.errors.InvalidArgumentError, match="divide each row by its sum"):
        loss(2 * shares, logits)


def test_what_it_is_comes_back(tmp_path: Path) -> None:
    model = network()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.multi_label
    assert derive(model, "S S").multi_label
    assert not network(multi_label=False).multi_label
    assert "multi_label" not in network(multi_label=False).architecture
    assert build_network(rows.TINY, 1, multi_label=True).output_shape == (None, 1)


def test_an_export_gives_each_class_a_sigmoid(tmp_path: Path) -> None:
    model = derive(network(), "S ST")
    path = export_saved_model(model, tmp_path / "1")
    found = tf.saved_model.load(str(path)).signatures["serving_default"](video=tf.constant(CLIPS))
    np.testing.assert_allclose(found["logits"], model(CLIPS), atol=1e-5)
    np.testing.assert_allclose(found["probabilities"], tf.sigmoid(model(CLIPS)), atol=1e-6)


def test_strategies_are_right_if_their_answer_is_one_of_the_classes() -> None:
    model = network()
    scores = evaluate_strategies(model, TWO, data(HOT))
    for text, score in zip(TWO, scores, strict=True):
        answers = derive(model, text)(CLIPS).numpy().argmax(1)
        assert score.top1 == pytest.approx(HOT[np.arange(8), answers].mean())
        assert score.top5 == pytest.approx(0.75)  # two clips of eight have no class
    assert scores.labels is not None
    assert scores.labels.tolist() == [0, -1, 1, 0] * 2
    for labels in (HOT.argmax(1), 2 * HOT, HOT[:, :2]):
        with pytest.raises(ValueError, match=r"Labels must be \(batch, 3\) of 0 and 1"):
            evaluate_strategies(model, TWO, data(labels))
    with pytest.raises(ValueError, match="classes of the model"):
        evaluate_strategies(network(multi_label=False), TWO, data(HOT))
