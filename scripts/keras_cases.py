"""The cases of ``keras_matrix.py``, on tiny networks and without tracing, so that each is quick."""

from __future__ import annotations

import copy
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import vdroppath_tf
from vdroppath_tf.layers import fusion_layers, gates_of
from vdroppath_tf.models import FusionModel, resnet
from vdroppath_tf.zoo import add_network, get_model

SHAPE, CLASSES = (4, 16, 16), 4
RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 256, (8, *SHAPE, 3), "uint8"), np.arange(8) % CLASSES
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
STRATEGY, LAYERS = "S+ST -", 2


class Case(NamedTuple):
    """One case of the table.

    Attributes:
        group: str, the subject.
        text: str, what a user writes or does.
        run: callable, tries it; raises an AssertionError if the result is wrong.
    """

    group: str
    text: str
    run: Callable[[], object]


CASES: list[Case] = []

_STAGES = (resnet.Stage(1, 4, 1, 2), resnet.Stage(1, 6, 2, 2))
_STEM = resnet.Stem(4, (1, 3, 3), (1, 2, 2), pool=False)
add_network(resnet.Row("tiny_of_matrix", _STEM, _STAGES, num_classes=CLASSES))


def case(group: str, text: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Returns a decorator that adds a function to the cases."""

    def add(run: Callable[[], object]) -> Callable[[], object]:
        CASES.append(Case(group, text, run))
        return run

    return add


def expect(right: object, what: str) -> None:
    """Raises an AssertionError with a message unless a condition holds."""
    if not right:
        raise AssertionError(what)


def template(**options: Any) -> Any:
    """Returns the template network that the texts call ``template``."""
    return get_model("template_tiny_of_matrix", **options)


def headless(**options: Any) -> Any:
    """Returns a template without the pool and the classifier."""
    return template(include_top=False, **options)


def compiled(model: Any) -> Any:
    """Returns the model after it was compiled for ``fit``."""
    model.compile("sgd", LOSS, run_eagerly=True)
    return model


def fitted(model: Any, *data: Any, n: float | None = 8, **options: Any) -> Any:
    """Returns the model after an epoch, which must have set N to ``n`` and logged the KL."""
    options = {"batch_size": 4, **options} if isinstance(data[0], np.ndarray) else options
    history = compiled(model).fit(*data, verbose=0, **options).history
    expect(np.isfinite(history["kl"]).all(), "the history has no kl")
    expect({gate.num_train_examples for gate in gates_of(model)} == {n}, "the gates have another N")
    return model


def dataset() -> Any:
    """Returns a ``tf.data.Dataset`` with batches of 4 clips."""
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


def top(features: Any) -> Any:
    """Returns the logits of a new head on features."""
    return keras.layers.Dense(CLASSES)(keras.layers.GlobalAveragePooling3D()(features))


def flat(kind: Any = keras.Model, **options: Any) -> Any:
    """Returns a model with a new head on the template's pool."""
    model = template(**options)
    return kind(model.input, keras.layers.Dense(CLASSES)(model.get_layer("pool").output))


def nested(**options: Any) -> Any:
    """Returns a functional model in which a template is one layer, with a new head."""
    video = keras.Input((*SHAPE, 3))
    return keras.Model(video, top(headless(**options)(video)))


def sequential(**options: Any) -> Any:
    """Returns the same model as a ``Sequential``."""
    pool, dense = keras.layers.GlobalAveragePooling3D(), keras.layers.Dense(CLASSES)
    return keras.Sequential([keras.Input((*SHAPE, 3)), headless(**options), pool, dense])


class Own(keras.Model):
    """A subclassed model that contains a template."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.template, self.pool = headless(**options), keras.layers.GlobalAveragePooling3D()
        self.top = keras.layers.Dense(CLASSES)

    def call(self, clips: Any, training: bool = False) -> Any:
        return self.top(self.pool(self.template(clips, training=training)))


def two(**names: Any) -> Any:
    """Returns a model with two templates in parallel."""
    video = keras.Input((*SHAPE, 3))
    first, second = headless(name=names.get("first")), headless(name=names.get("second"), seed=1)
    return keras.Model(video, top(keras.layers.Concatenate()([first(video), second(video)])))


def same_answers(one: Any, other: Any) -> None:
    """Raises an AssertionError unless both models give the same logits."""
    a, b = (np.asarray(model(X[:2], training=False)) for model in (one, other))
    expect(np.abs(a - b).max() < 1e-5, f"the logits differ by {np.abs(a - b).max()}")


def reloaded(model: Any) -> Any:
    """Returns the model after it was saved and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        return keras.saving.load_model(f"{folder}/model.keras")


def with_weights_of(source: Any, target: Any) -> Any:
    """Returns the target after it has loaded the source's weights from a file."""
    with tempfile.TemporaryDirectory() as folder:
        source.save_weights(f"{folder}/all.weights.h5")
        target.load_weights(f"{folder}/all.weights.h5")
    return target


class Batches(keras.utils.PyDataset):
    """Two batches of 4 clips and their labels."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, k: int) -> Any:
        return X[4 * k : 4 * k + 4], Y[4 * k : 4 * k + 4]


# --- training a template ---------------------------------------------------------------------


@case("fit", "`template.fit(X, Y)` without `compile` and without N")
def _() -> None:
    model = template()
    history = model.fit(X, Y, batch_size=4, verbose=0).history
    expect({"loss", "task_loss", "kl", "top1"} <= set(history), str(history))


@case("fit", "a `tf.data.Dataset` of known size")
def _() -> None:
    fitted(template(), dataset())


@case("fit", "a `keras.utils.PyDataset`")
def _() -> None:
    fitted(template(), Batches())


@case("fit", "`validation_split=0.5`: N counts the clips that remain for training")
def _() -> None:
    fitted(template(), X, Y, n=4, validation_split=0.5)


@case("fit", "`.repeat()` with `steps_per_epoch`")
def _() -> None:
    compiled(template()).fit(dataset().repeat(), steps_per_epoch=2, verbose=0)


@case("fit", "`.repeat()` with `steps_per_epoch` and `num_train_examples=8`")
def _() -> None:
    model = compiled(template())
    model.fit(dataset().repeat(), steps_per_epoch=2, num_train_examples=8, verbose=0)


@case("fit", "`train_on_batch`")
def _() -> None:
    compiled(template()).train_on_batch(X[:4], Y[:4])


@case("fit", "`train_on_batch` of `template(num_train_examples=8)`")
def _() -> None:
    compiled(template(num_train_examples=8)).train_on_batch(X[:4], Y[:4])


@case("fit", "`class_weight=`")
def _() -> None:
    fitted(template(), X, Y, class_weight={0: 2.0, 1: 1.0, 2: 1.0, 3: 1.0})


@case("fit", "a custom loop: `GradientTape`, `LOSS(...) + sum(model.losses)`")
def _() -> None:
    model = template(num_train_examples=8)
    with tf.GradientTape() as tape:
        loss = LOSS(Y[:4], model(X[:4], training=True)) + tf.add_n(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    expect(all(one is not None for one in gradients), "a weight has no gradient")


@case("fit", "`freeze_gates(template)`, then `fit`: no KL, no N")
def _() -> None:
    model = template()
    vdroppath_tf.freeze_gates(model)
    history = compiled(model).fit(X, Y, batch_size=4, verbose=0).history
    expect(history["kl"] == [0.0], str(history))


@case("fit", "the global policy `mixed_bfloat16`")
def _() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        fitted(template(), X[:4], Y[:4], n=4)
    finally:
        keras.config.set_dtype_policy("float32")


@case("clips", "floats of 0 to 255")
def _() -> None:
    fitted(template(), X.astype("float32"), Y)


@case("clips", "floats of 0 to 1")
def _() -> None:
    fitted(template(), X.astype("float32") / 255.0, Y)


@case("clips", "`channels=1`: grey clips")
def _() -> None:
    fitted(template(channels=1), X[..., :1], Y)


@case("clips", "RGB clips in a network for grey clips")
def _() -> None:
    compiled(template(channels=1)).fit(X, Y, verbose=0)


@case("clips", "images in place of clips")
def _() -> None:
    template()(X[:, 0])


# --- a template in a custom model ---------------------------------------------------------------


@case("custom model", "`keras.Model(t.input, Dense(4)(t.get_layer('pool').output))`: `fit`")
def _() -> None:
    fitted(flat(), X, Y)


@case("custom model", "the same as a `FusionModel(...)`: with `task_loss` and several replicas")
def _() -> None:
    expect("task_loss" in fitted(flat(FusionModel), X, Y).history.history, "no task_loss in it")


@case("custom model", "`template(include_top=False)` as a layer of a functional model: `fit`")
def _() -> None:
    fitted(nested(), X, Y)


@case("custom model", "as a layer of a `Sequential`: `fit`")
def _() -> None:
    fitted(sequential(), X, Y)


@case("custom model", "`fit` on a `tf.data.Dataset` of known size")
def _() -> None:
    fitted(sequential(), dataset())


@case("custom model", "in a subclass of `keras.Model`: `fit`")
def _() -> None:
    fitted(Own(), X, Y)


@case("custom model", "fitted again on other data: N is updated")
def _() -> None:
    model = fitted(nested(), X, Y)
    model.fit(X[:4], Y[:4], verbose=0)
    expect({gate.num_train_examples for gate in gates_of(model)} == {4}, "the gates have the old N")


@case("custom model", "`.repeat()` with `steps_per_epoch`")
def _() -> None:
    compiled(sequential()).fit(dataset().repeat(), steps_per_epoch=2, verbose=0)


@case("custom model", "`train_on_batch`")
def _() -> None:
    compiled(sequential()).train_on_batch(X[:4], Y[:4])


@case("custom model", "two templates, `name='rgb'` and `name='flow'`: `fit`")
def _() -> None:
    model = fitted(two(first="rgb", second="flow"), X, Y)
    names = vdroppath_tf.ProbabilitySpace.from_model(model).layers
    expect(names[0] == "rgb/stage1_block1_fusion", names[0])


@case("custom model", "two templates with the same name")
def _() -> None:
    two()


@case("custom model", "`keras.models.clone_model(template)`: `derive` works, by its architecture")
def _() -> None:
    model = template()
    clone = keras.models.clone_model(model)
    expect(clone.architecture == model.architecture, "the clone has another architecture")
    vdroppath_tf.derive(clone, STRATEGY)


@case("custom model", "`clone_model` of a functional model that contains one")
def _() -> None:
    fitted(keras.models.clone_model(nested()), X, Y)


@case("custom model", "`keras.distillation.Distiller` with a template as its student")
def _() -> None:
    fitted(distiller(template()), X, Y)


@case("custom model", "`keras.distillation.Distiller` with a derived network as its student")
def _() -> None:
    student = vdroppath_tf.derive(template(), STRATEGY)
    compiled(distiller(student)).fit(X, Y, batch_size=4, verbose=0)


def distiller(student: Any) -> Any:
    """Returns Keras' distiller from a template to a student."""
    distil = keras.distillation
    return distil.Distiller(template(), student, distil.LogitsDistillation(), name="distiller")


# --- spaces, strategies, derived networks -------------------------------------------------------


@case("space", "`ProbabilitySpace.from_model` of a functional model that contains a template")
def _() -> None:
    expect(
        len(vdroppath_tf.ProbabilitySpace.from_model(nested())) == LAYERS, "wrong number of layers"
    )


@case("space", "of a subclass of `keras.Model`")
def _() -> None:
    expect(len(vdroppath_tf.ProbabilitySpace.from_model(Own())) == LAYERS, "wrong number of layers")


@case("space", "of a model without gates")
def _() -> None:
    vdroppath_tf.ProbabilitySpace.from_model(keras.Sequential([keras.layers.Dense(1)]))


@case("space", "`set_strategy` on the model around a template")
def _() -> None:
    model = flat()
    vdroppath_tf.set_strategy(model, STRATEGY)
    same_answers(model, vdroppath_tf.derive(model, STRATEGY))


@case("derive", "of a functional model: the head is kept, the logits are the same")
def _() -> None:
    model = fitted(nested(), X, Y)
    vdroppath_tf.set_strategy(model, STRATEGY)
    network = vdroppath_tf.derive(model, STRATEGY)
    expect(not gates_of(network), "the derived network has gates")
    same_answers(model, network)


@case("derive", "of a `Sequential`")
def _() -> None:
    model = sequential()
    vdroppath_tf.set_strategy(model, STRATEGY)
    same_answers(model, vdroppath_tf.derive(model, STRATEGY))


@case("derive", "of two templates, with the units of both")
def _() -> None:
    model = two(first="rgb", second="flow")
    vdroppath_tf.set_strategy(model, f"{STRATEGY} S S")
    same_answers(model, vdroppath_tf.derive(model, f"{STRATEGY} S S"))


@case("derive", "of a subclass of `keras.Model`")
def _() -> None:
    model = Own()
    model(X[:1])
    vdroppath_tf.derive(model, STRATEGY)


@case("derive", "of its template, which is replaced: `own.template = derive(own.template, ...)`")
def _() -> None:
    model = Own()
    before = model.template
    vdroppath_tf.set_strategy(before, STRATEGY)
    same_answers(before, vdroppath_tf.derive(before, STRATEGY))


@case("derive", "of a template in `mixed_bfloat16`, under the global policy float32")
def _() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = template()
    finally:
        keras.config.set_dtype_policy("float32")
    network = vdroppath_tf.derive(model, STRATEGY)
    expect(network.get_layer("stem_conv").compute_dtype == "bfloat16", "the precision differs")


@case("scores", "`evaluate_strategies` and `recalibrate` with arrays `(X, Y)`")
def _() -> None:
    model = template()
    vdroppath_tf.evaluate_strategies(model, [STRATEGY], (X, Y), train_clips=(X, Y))
    vdroppath_tf.recalibrate(model, (X, Y))


@case("scores", "`evaluate_strategies` of a functional model that contains a template")
def _() -> None:
    vdroppath_tf.evaluate_strategies(nested(), [STRATEGY], (X, Y))


@case("scores", "`evaluate_strategies` of a subclass of `keras.Model`")
def _() -> None:
    model = Own()
    model(X[:1])
    vdroppath_tf.evaluate_strategies(model, [STRATEGY], (X, Y))


# --- files --------------------------------------------------------------------------------------


@case("files", "`save`, `load_model`: a template")
def _() -> None:
    model = template()
    same_answers(model, reloaded(model))


@case("files", "`save`, `load_model`, `fit`: a functional model that contains a template")
def _() -> None:
    model = nested()
    again = reloaded(model)
    same_answers(model, again)
    fitted(again, X, Y)


@case("files", "`save`, `load_model`, `fit`: a head on the template's pool")
def _() -> None:
    model = flat()
    again = reloaded(model)
    same_answers(model, again)
    fitted(again, X, Y)


@case("files", "`copy.deepcopy(template)`")
def _() -> None:
    model = template()
    same_answers(model, copy.deepcopy(model))


@case("files", "`save_weights`, `load_weights`: from a template to a template")
def _() -> None:
    model = template()
    same_answers(model, with_weights_of(model, template()))


@case("files", "from a template to a derived network")
def _() -> None:
    with_weights_of(template(), get_model("derived_tiny_of_matrix", "S+ST S+ST"))


@case("files", "from a derived network to another one of the same strategy")
def _() -> None:
    network = vdroppath_tf.derive(template(), STRATEGY)
    same_answers(network, with_weights_of(network, get_model("derived_tiny_of_matrix", STRATEGY)))


@case("files", "a `labels.txt` next to a list names its classes, in Python too")
def _() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "labels.txt").write_text("wave\npour\n")
        (folder / "list.txt").write_text("a.mp4 8 0\nb.mp4 8 1\n")
        for video in ("a.mp4", "b.mp4"):
            (folder / video).write_bytes(b"")
        manifest = vdroppath_tf.data.open_manifest(folder / "list.txt")
    expect(manifest.labels == ("wave", "pour"), str(manifest.labels))


# --- in a notebook ------------------------------------------------------------------------------


@case("notebook", "`print(scores)`, and a table in a notebook")
def _() -> None:
    scores = vdroppath_tf.evaluate_strategies(template(), [STRATEGY, "S S"], (X, Y))
    expect("top1" in str(scores), str(scores))
    expect("<table>" in scores._repr_html_(), "the text has no table")


@case("notebook", "a `ProbabilitySpace`, its `marginals()`")
def _() -> None:
    space = vdroppath_tf.ProbabilitySpace.from_model(template())
    for shown in (space, space.marginals()):
        expect("stage1_block1_fusion" in shown._repr_html_(), "the text has no table")


@case("notebook", "`space.to_frame()` without pandas")
def _() -> None:
    with mock.patch.dict(sys.modules, {"pandas": None}):
        vdroppath_tf.ProbabilitySpace.from_model(template()).to_frame()


@case("notebook", "`model.summary()` of a model around a template, `fusion_layers(model)`")
def _() -> None:
    model = nested()
    model.summary(print_fn=lambda *_, **__: None)
    expect(len(fusion_layers(model)) == LAYERS, "wrong number of layers")
