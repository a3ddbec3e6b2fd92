"""Templates inside Keras models of one's own: fit finds N and shows the KL, spaces are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.derivation import derive
from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.layers.gated_dense import GatedDense
from vdroppath_tf.layers.gates import fusion_layers, gates_of, named_drops, set_strategy
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.scoring import evaluate_strategies, recalibrate
from vdroppath_tf.spaces.space import ProbabilitySpace

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (8, *tiny.SHAPE, 3)).astype("uint8")
LABELS = np.arange(8) % 4
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Own(keras.Model):
    """A class of one's own around a template."""

    def __init__(self, template: Any) -> None:
        super().__init__()
        self.template, self.pool = template, keras.layers.GlobalAveragePooling3D()
        self.top = keras.layers.Dense(4)

    def call(self, clips: Any, training: bool = False) -> Any:
        return self.top(self.pool(self.template(clips, training=training)))


def headless(**options: Any) -> Any:
    return tiny.template(include_top=False, **options)


def top(features: Any) -> Any:
    return keras.layers.Dense(4, name="own")(keras.layers.GlobalAveragePooling3D()(features))


def flat(kind: Any = keras.Model, **options: Any) -> Any:
    """The template's layers up to its pool, and a head."""
    template = tiny.template(**options)
    pooled = template.get_layer("pool").output
    return kind(template.input, keras.layers.Dense(4, name="own")(pooled))


def nested(**options: Any) -> Any:
    video = keras.Input((*tiny.SHAPE, 3))
    return keras.Model(video, top(headless(**options)(video)))


def sequential(**options: Any) -> Any:
    pool, dense = keras.layers.GlobalAveragePooling3D(), keras.layers.Dense(4)
    return keras.Sequential([headless(**options), pool, dense])


KINDS = {
    "flat": flat,
    "FusionModel": lambda **options: flat(FusionModel, **options),
    "nested": nested,
    "sequential": sequential,
    "own": lambda **options: Own(headless(**options)),
}


def fitted(model: Any, clips: Any, labels: Any = None, **options: Any) -> dict[str, list[float]]:
    found: dict[str, list[float]] = model.fit(clips, labels, verbose=0, **options).history
    return found


@pytest.mark.parametrize("kind", ["flat", "FusionModel"])
def test_fit_finds_n_and_shows_the_kl(kind: str) -> None:
    model = KINDS[kind]()
    model.compile("sgd", LOSS, run_eagerly=True)
    history = fitted(model, CLIPS, LABELS, batch_size=4, validation_data=(CLIPS, LABELS))
    own = {"task_loss"} if kind == "FusionModel" else set()
    assert set(history) == {"loss", "kl", "val_loss", *own}
    assert [gate.num_train_examples for gate in gates_of(model)] == [8] * tiny.LAYERS
    kl = history["kl"][0]
    assert kl < 0  # the entropy of gates at .1 outweighs the norms
    assert set(model.evaluate(CLIPS, LABELS, verbose=0, return_dict=True)) == {"loss"}
    callbacks = keras.callbacks.CallbackList([], add_history=True, model=model)
    again = fitted(model, CLIPS[:4], LABELS[:4], batch_size=4, callbacks=callbacks)
    assert [gate.num_train_examples for gate in gates_of(model)] == [4] * tiny.LAYERS
    np.testing.assert_allclose(again["kl"][0] / kl, 2.0, rtol=0.3)  # 1/N: its entropy is doubled


def test_a_traced_fit_is_that_of_a_template() -> None:
    """The KL shown is what the loss has of it, D1 at its convolutions included; N is followed."""
    model = flat(drop_layer=True, noise="batch")
    model.compile(keras.optimizers.SGD(0.0), lambda y, logits: 0.0 * keras.ops.sum(logits, -1))
    history = fitted(model, CLIPS, LABELS, batch_size=4)
    np.testing.assert_allclose(history["kl"], history["loss"], rtol=1e-5)
    halved = fitted(model, CLIPS[:4], LABELS[:4], batch_size=4)
    np.testing.assert_allclose(halved["kl"], halved["loss"], rtol=1e-5)
    assert abs(halved["kl"][0] - history["kl"][0]) > 0.05
    data = tf.data.Dataset.from_tensor_slices((CLIPS, LABELS)).shuffle(8).batch(4).prefetch(1)
    again = fitted(model, data)
    np.testing.assert_allclose(again["kl"], history["kl"], rtol=1e-5)
    assert [gate.num_train_examples for gate in gates_of(model)] == [8] * tiny.LAYERS


def small(of: Callable[[Any], Any]) -> Any:
    """A gated classifier in a model that is no template, whose input is of some structure."""
    clip = keras.Input((3,), name="clip")
    model = keras.Model(of(clip), GatedDense(2)(clip))
    model.compile("sgd", "mse", run_eagerly=True)
    return model


@pytest.mark.parametrize("of", [lambda x: [x], lambda x: {"clip": x}], ids=["list", "dict"])
def test_n_of_inputs_of_some_structure(of: Callable[[Any], Any]) -> None:
    model, features = small(of), CLIPS[:, 0, 0, 0].astype("float32")
    model.fit(of(features), np.zeros((8, 2)), verbose=0)
    assert model.layers[-1].drop_path.num_train_examples == 8


def test_frozen_gates_need_no_n() -> None:
    """Those of data that repeat without end could not be counted."""
    model, features = small(lambda x: x), CLIPS[:, 0, 0, 0].astype("float32")
    gate = model.layers[-1].drop_path
    gate.trainable = False
    data = tf.data.Dataset.from_tensor_slices((features, np.zeros((8, 2)))).repeat().batch(4)
    model.fit(data, steps_per_epoch=1, verbose=0)
    assert gate.counted_examples is None


def test_what_n_is_needed_is_said() -> None:
    data = tf.data.Dataset.from_tensor_slices((CLIPS, LABELS)).batch(4).repeat()
    model = sequential()
    model.compile("sgd", LOSS, run_eagerly=True)
    with pytest.raises(ValueError, match=r"num_train_examples= to fit or to the template.*repeats"):
        model.fit(data, steps_per_epoch=2, verbose=0)
    with pytest.raises(ValueError, match="as train_on_batch and a loop of one's own need it"):
        model.train_on_batch(CLIPS[:4], LABELS[:4])
    model = sequential(num_train_examples=100)
    model.compile("sgd", LOSS, run_eagerly=True)
    model.train_on_batch(CLIPS[:4], LABELS[:4])
    assert np.isfinite(fitted(model, data, steps_per_epoch=2)["kl"]).all()


@pytest.mark.parametrize("kind", ["flat", "own"])
def test_spaces_and_strategies_of_the_whole(kind: str) -> None:
    model = KINDS[kind]()
    model(CLIPS[:1])
    space = ProbabilitySpace.from_model(model)
    assert len(space) == tiny.LAYERS
    assert space.layers == tuple(layer.name for layer in fusion_layers(model))
    assert next(iter(named_drops(model))) == "stage1_block1_fusion/S"
    answers = []
    for strategy in ("S S S", "ST S+ST -"):
        set_strategy(model, strategy)
        answers.append(model(CLIPS[:2]).numpy())
    assert np.abs(answers[0] - answers[1]).max() > 1e-3


def test_scoring_takes_arrays_as_fit_does() -> None:
    model = flat()
    recalibrate(model, (CLIPS, LABELS), batches=1)
    means = [norm.moving_mean.numpy() for norm in batch_norms(model)]
    recalibrate(model, [(CLIPS, LABELS)], batches=1)
    for norm, mean in zip(batch_norms(model), means, strict=True):
        np.testing.assert_array_equal(norm.moving_mean.numpy(), mean)
    with pytest.raises(ValueError, match="8 clips and 3 labels"):
        recalibrate(model, (CLIPS, LABELS[:3]))


class Batches(keras.utils.PyDataset):
    """Two batches of 4, and which of them were made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[int] = []

    def __len__(self) -> int:
        return 2

    def __getitem__(self, k: int) -> Any:
        self.made.append(k)
        return CLIPS[4 * k : 4 * k + 4], LABELS[4 * k : 4 * k + 4]


def test_scoring_makes_the_batches_of_a_data_set_that_it_reads() -> None:
    model, batches = flat(), Batches()
    recalibrate(model, batches, batches=1)
    assert batches.made == [0]
    (score,) = evaluate_strategies(model, ["S S S"], batches)
    (again,) = evaluate_strategies(model, ["S S S"], (CLIPS, LABELS))
    assert batches.made == [0, 0, 1]
    assert (score.clips, score.top1) == (again.clips, again.top1)


def shared() -> Any:
    """A head that is called twice, and an operation that is no layer."""
    template, dense = tiny.template(), keras.layers.Dense(4, name="own")
    pooled = template.get_layer("pool").output
    return keras.Model(template.input, dense(pooled) + dense(keras.ops.tanh(pooled)))


DERIVED = {
    "shared": lambda: (shared(), "ST - S+ST"),
    "flat": lambda: (flat(), "ST - S+ST"),
    "FusionModel": lambda: (flat(FusionModel), "ST - S+ST"),
    "nested": lambda: (nested(drop_layer=True), "- S S+ST"),
    "sequential": lambda: (sequential(), "ST - S+ST"),
    "units": lambda: (flat_kind("units"), "T S+T+ST -"),
    "dense": lambda: (flat_kind("both"), "S@1+ST@1 S@01+T@11 S@101 -"),
}


def flat_kind(kind: str) -> Any:
    """A gated classifier, D1, all branches and gates per input, and a head behind them."""
    template = tiny.kind_template(kind, clip_shape=tiny.SHAPE, drop_layer=True)
    return keras.Model(template.input, keras.layers.Dense(2)(template.output))


@pytest.mark.parametrize("kind", DERIVED)
def test_derive_keeps_the_head(kind: str) -> None:
    model, strategy = DERIVED[kind]()
    model(CLIPS[:1])
    tiny.draw_norms(model, seed=1, logits=1.0)
    set_strategy(model, strategy)
    network = derive(model, strategy)
    assert not gates_of(network)
    assert type(network) is (FusionModel if kind == "FusionModel" else type(nested()))
    answers = network(CLIPS).numpy()
    np.testing.assert_allclose(answers, model(CLIPS).numpy(), atol=1e-5)
    if kind == "nested":  # scoring goes through the models inside
        scores = evaluate_strategies(model, [strategy], (CLIPS, LABELS))
        assert scores[0].top1 == np.mean(answers.argmax(1) == LABELS)


def test_a_head_of_ones_own_is_saved(tmp_path: Path) -> None:
    """With the layers and their calls, since no row describes such a network."""
    model = flat(FusionModel)
    tiny.draw_norms(model, seed=1, logits=1.0)
    set_strategy(model, "ST - S+ST")
    model.save(tmp_path / "own.keras")
    loaded = keras.saving.load_model(tmp_path / "own.keras")
    assert (type(loaded), loaded.architecture) == (FusionModel, None)
    np.testing.assert_array_equal(loaded(CLIPS), model(CLIPS))
    other = flat(FusionModel)
    model.save_weights(tmp_path / "own.weights.h5")
    other.load_weights(tmp_path / "own.weights.h5")
    np.testing.assert_array_equal(other(CLIPS), model(CLIPS))


def test_what_cannot_be_derived_is_said() -> None:
    model = Own(headless())
    model(CLIPS[:1])
    with pytest.raises(ValueError, match="Keras knows no graph of layers"):
        derive(model, "S S S")
    with pytest.raises(ValueError, match=r"Dropout into the head"):
        derive(flat(), "S S S", dropout=0.5)
