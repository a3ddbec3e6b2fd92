"""FusionModel is a plain Keras model: fit, N, bad clips, save and load, precision."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows
import tensorflow as tf

from vdroppath_tf.layers.gates import freeze_gates, gates_of, set_strategy
from vdroppath_tf.layers.running_fit import count_examples
from vdroppath_tf.models.common import GateOptions
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.objectives import check_labels, default_compile
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training.optimizer import GateSGD

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, (8, 4, 16, 16, 3)).astype("uint8")
LABELS = RNG.integers(0, 6, 8)

LOSS = "sparse_categorical_crossentropy"


def template(**gates: Any) -> Any:
    return rows.built("tiny", 6, clip_shape=(4, 16, 16), gates=gates)


def values(model: Any) -> dict[str, np.ndarray]:
    return {v.path: np.asarray(v.value.numpy()).copy() for v in model.weights}


def same(one: Any, other: Any) -> None:
    theirs = values(other)
    assert list(values(one)) == list(theirs)
    for path, value in values(one).items():
        np.testing.assert_array_equal(value, theirs[path], err_msg=path)


def test_fit_alone_is_enough() -> None:
    """No compile, no N: the paper's optimizer, N from the data, the KL beside the loss."""
    model = template()
    data = (CLIPS, LABELS)
    history = model.fit(*data, batch_size=4, epochs=2, validation_data=data, verbose=0).history
    shown = {"loss", "task_loss", "kl", "top1", "top5"}
    assert {*shown, "val_loss", "val_top1", "val_top5"} == set(history)
    assert all(np.isfinite(value).all() for value in history.values())
    assert [gate.num_train_examples for gate in model.gates] == [8, 8]
    first = model.train_function
    model.fit(CLIPS[:4], LABELS[:4], batch_size=4, verbose=0)  # other data, another N
    assert [gate.num_train_examples for gate in model.gates] == [4, 4]
    assert model.train_function is not first
    assert all(kl != 0.0 for kl in history["kl"])  # the entropy may make it negative
    assert 0 < history["task_loss"][0] < 5  # the cross-entropy; log 6 is 1.8
    parts = np.add(history["task_loss"], history["kl"])
    np.testing.assert_allclose(history["loss"], parts, rtol=1e-5)
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)


def test_a_plain_keras_workflow(tmp_path: Path) -> None:
    model = template(num_train_examples=100)
    model.compile(optimizer="adam", loss=LOSS, metrics=["accuracy"])
    data = tf.data.Dataset.from_tensor_slices((CLIPS, LABELS)).batch(4).repeat()
    history = model.fit(data, steps_per_epoch=2, epochs=2, verbose=0).history
    assert [gate.num_train_examples for gate in model.gates] == [100, 100]  # said, so it counts
    assert {"loss", "task_loss", "kl", "accuracy"} == set(history)
    assert len(model.evaluate(CLIPS, LABELS, verbose=0)) == 2
    assert model.predict(CLIPS, verbose=0).shape == (8, 6)
    same(model, reloaded(model, tmp_path))


def reloaded(model: Any, folder: Path) -> Any:
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras", safe_mode=True)


@pytest.mark.parametrize("kind", ["template", "frozen", "derived"])
def test_saving_keeps_everything(kind: str, tmp_path: Path) -> None:
    """Predictions, architecture, masks, optimizer; and training goes on as if never stopped."""
    if kind == "derived":
        strategy = FusionStrategy.parse("S S+ST", "tiny")
        model = rows.built("tiny", 6, clip_shape=(4, 16, 16), strategy=strategy, dropout=0.0)
    else:
        model = template(kl="paper", weight_reg=2.0, drop_layer=True, seed=3)
        set_strategy(model, "S ST")
        freeze_gates(model, kind == "frozen")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # eagerly: two graphs of the same step may differ in the last bit
    model.compile(GateSGD(0.05, 4.0, momentum=0.9), loss, run_eagerly=True)
    model.fit(CLIPS, LABELS, batch_size=4, epochs=1, shuffle=False, verbose=0)

    again = reloaded(model, tmp_path)
    assert type(again) is type(model)
    assert again.architecture == model.architecture
    same(model, again)
    assert len(again.gates) == (0 if kind == "derived" else 2)
    for one, other in zip(model.gates, again.gates, strict=True):
        assert other.get_config() == one.get_config()
        assert other.trainable is (kind == "template")
        assert (other.kl, other.weight_reg, other.seed) == ("paper", 2.0, 3)
        assert one.num_train_examples == (8 if kind == "template" else None)
        assert other.num_train_examples is None  # counted, so the next data count anew
    assert int(again.optimizer.iterations) == 2
    assert again.optimizer.gate_multiplier == 4.0
    np.testing.assert_array_equal(again.predict(CLIPS, verbose=0), model.predict(CLIPS, verbose=0))

    for one in (model, again):
        one.fit(CLIPS, LABELS, batch_size=8, epochs=1, shuffle=False, verbose=0)
    same(model, again)
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.value.numpy(), other.value.numpy(), err_msg=one.path)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_training_in_half_precision(policy: str) -> None:
    keras.config.set_dtype_policy(policy)  # conftest puts float32 back
    model = template()
    optimizer: Any = "sgd"
    if policy == "mixed_float16":  # Keras' first scale, 2^15, overflows and skips the first steps
        optimizer = keras.mixed_precision.LossScaleOptimizer(
            keras.optimizers.SGD(0.01), initial_scale=4.0
        )
    model.compile(optimizer, LOSS, run_eagerly=True)
    history = model.fit(CLIPS[:4], LABELS[:4], batch_size=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert np.isfinite(history["kl"]).all()
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert model(CLIPS).dtype == "float32"
    assert model.get_layer("stage1_block1_conv").compute_dtype == policy.removeprefix("mixed_")
    start = np.log(0.1 / 0.9)
    moved = [np.abs(gate.logit.value.numpy() - start).max() for gate in model.gates]
    assert min(moved) > 0


class Batches(keras.utils.PyDataset):
    def __init__(self, length: int | None) -> None:
        super().__init__()
        self.length = length

    @property
    def num_batches(self) -> int | None:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return CLIPS[:4], LABELS[:4]


def generator() -> Iterator[Any]:
    yield CLIPS[:4], LABELS[:4]


SPEC = (tf.TensorSpec([None, 4, 16, 16, 3], tf.uint8), tf.TensorSpec([None], tf.int64))


def dataset(batch: int, *, drop_remainder: bool) -> Any:
    data = tf.data.Dataset.from_tensor_slices((CLIPS, LABELS))
    return data.batch(batch, drop_remainder=drop_remainder)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: CLIPS, 8),
        (lambda: tf.constant(CLIPS), 8),
        (lambda: dataset(4, drop_remainder=True), 8),
        (lambda: dataset(4, drop_remainder=False), 8),
        (lambda: dataset(3, drop_remainder=True), 6),
        (lambda: dataset(3, drop_remainder=False), 9),  # whole batches
        (lambda: Batches(3), 12),
        (
            lambda: tf.data.Dataset.from_generator(generator, output_signature=SPEC).apply(
                tf.data.experimental.assert_cardinality(1)
            ),
            4,
        ),
    ],
)
def test_n_is_the_size_of_the_data(make: Any, expected: int) -> None:
    assert count_examples(make()) == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.data.Dataset.from_generator(generator, output_signature=SPEC),
        lambda: dataset(4, drop_remainder=True).repeat(),
        lambda: Batches(None),
        generator,
    ],
)
def test_an_unknown_size_says_what_to_pass(make: Any) -> None:
    model = template()
    before = values(model)
    with pytest.raises(ValueError, match=r"Eq\. 5.*num_train_examples="):
        model.fit(make(), verbose=0)
    assert model.gates[0].num_train_examples is None
    for path, value in values(model).items():
        np.testing.assert_array_equal(value, before[path])


class Stop(keras.callbacks.Callback):
    """Ends `fit` before it traces anything."""

    def on_train_begin(self, logs: Any = None) -> None:
        raise InterruptedError


def _cloned(model: Any, _: Path) -> Any:
    return keras.models.clone_model(model)


def _from_config(model: Any, _: Path) -> Any:
    return FusionModel.from_config(model.get_config())


def _from_json(model: Any, _: Path) -> Any:
    return keras.models.model_from_json(model.to_json())


def _copied(model: Any, _: Path) -> Any:
    return copy.deepcopy(model)


def _pickled(model: Any, _: Path) -> Any:
    return pickle.loads(pickle.dumps(model))


def _clone_in_a_file(model: Any, folder: Path) -> Any:
    return reloaded(keras.models.clone_model(model), folder)


@pytest.mark.parametrize("given", [None, pytest.param(100, marks=pytest.mark.newest)])
def test_only_an_n_that_was_given_is_saved(given: float | None, tmp_path: Path) -> None:
    """What `fit` counted is of its data; the next `fit` has others, in whatever copy."""
    model = template(num_train_examples=given, gate_classifier=True)
    with pytest.raises(InterruptedError):
        model.fit(CLIPS, LABELS, callbacks=[Stop()], verbose=0)
    model.optimizer.build(model.trainable_variables)  # as the first step would have done
    assert {gate.num_train_examples for gate in gates_of(model)} == {given or 8}
    make = (reloaded, _from_config, _from_json, _cloned, _copied, _pickled, _clone_in_a_file)
    for again in (each(model, tmp_path) for each in make):
        assert {gate.num_train_examples for gate in gates_of(again)} == {given}
        with pytest.raises(InterruptedError):
            again.fit(CLIPS[:4], LABELS[:4], callbacks=[Stop()], verbose=0)
        assert {gate.num_train_examples for gate in gates_of(again)} == {given or 4}


def test_fit_is_told_an_n_that_cannot_be_counted() -> None:
    model = template()
    model.gates[0].num_train_examples = 30.0
    data = dataset(4, drop_remainder=True).repeat()
    with pytest.raises(InterruptedError):
        model.fit(data, num_train_examples=50, callbacks=[Stop()], verbose=0)
    assert [gate.num_train_examples for gate in model.gates] == [30.0, 50]
    with pytest.raises(ValueError, match="num_train_examples= to fit"):
        model.fit(data, verbose=0)


def test_a_file_with_a_counted_n_counts_anew() -> None:
    """Older versions wrote what `fit` had counted; a template given an N has it elsewhere too."""
    for given in (None, 12):
        config = template(num_train_examples=given).get_config()
        del config["changed"]["n_was_given"]
        config["changed"]["num_train_examples"] = {"stage1_block1_fusion": 8}
        assert FusionModel.from_config(config).gates[0].num_train_examples == given


def test_what_is_held_out_does_not_count() -> None:
    model = template()
    with pytest.raises(InterruptedError):
        model.fit(CLIPS, LABELS, validation_split=0.25, callbacks=[Stop()], verbose=0)
    assert model.gates[0].num_train_examples == 6


def test_frozen_gates_need_no_n() -> None:
    model = template()
    freeze_gates(model)
    with pytest.raises(InterruptedError):
        model.fit(Batches(None), callbacks=[Stop()], verbose=0)


BAD_CLIPS = [
    (CLIPS[0], r"\(4, 16, 16, 3\)"),
    (CLIPS[None], r"\(1, 8, 4, 16, 16, 3\)"),
    (CLIPS[..., :1], r"\(.*, 4, 16, 16, 1\)"),
    (CLIPS.astype("int32"), "int32"),
    (CLIPS > 0, "bool"),
]


@pytest.mark.parametrize(("clips", "found"), BAD_CLIPS)
def test_bad_clips_are_refused(clips: Any, found: str) -> None:
    """By fit (of arrays and of tf.data), predict and call, and good clips pass afterwards."""
    model = template()
    labels = np.zeros(len(clips), int)
    data = tf.data.Dataset.from_tensors((clips, labels))
    for fit in (
        lambda: model.fit(clips, labels, verbose=0),
        lambda: model.fit(data, verbose=0),
    ):
        with pytest.raises(ValueError, match=rf"^Clips must.*{found}"):
            fit()
    for call in (lambda: model.predict(clips, verbose=0), lambda: model(clips)):
        with pytest.raises(ValueError, match=found):
            call()
    assert model(CLIPS[:1]).shape == (1, 6)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_good_clips_give_the_same_numbers(dtype: str) -> None:
    model = template()
    found = model(CLIPS[:2].astype(dtype))
    np.testing.assert_allclose(found, model(CLIPS[:2]), rtol=1e-5, atol=1e-6)


def test_other_sizes_fit_where_sizes_are_open() -> None:
    model = rows.built("tiny", 6)
    model.compile("sgd", LOSS)
    for shape in ((4, 16, 16), (3, 17, 12)):
        assert model(np.zeros((1, *shape, 3))).shape == (1, 6)
    data = tf.data.Dataset.from_generator(
        lambda: ((CLIPS[:n, :, n:, : 4 + n], LABELS[:n]) for n in (2, 3)),
        output_signature=(tf.TensorSpec([None] * 5, tf.uint8), tf.TensorSpec([None], tf.int64)),
    )
    data = data.apply(tf.data.experimental.assert_cardinality(2))
    assert np.isfinite(model.fit(data, verbose=0).history["loss"]).all()


def test_the_config_of_a_model() -> None:
    model = template(noise="batch", num_train_examples=12)
    config = model.get_config()
    assert config["architecture"] == model.architecture
    again = FusionModel.from_config(config)
    assert again.architecture == model.architecture
    assert again.name == model.name
    assert [v.path for v in again.weights] == [v.path for v in model.weights]
    assert [gate.get_config() for gate in again.gates] == [g.get_config() for g in model.gates]


def test_gate_options_are_those_of_the_gate() -> None:
    """The options a template takes are arguments of VariationalDropPath, all but one."""
    gate = template().gates[0]
    own = {"paths", "has_residual", "name", "dtype", "trainable"}  # what the network fills in
    accepted = set(inspect.signature(type(gate)).parameters) - own
    assert set(GateOptions.__annotations__) == accepted | {"gate_classifier"}


def test_noise_is_the_same_in_a_rebuilt_and_in_a_loaded_model(tmp_path: Path) -> None:
    model = template(num_train_examples=8)
    rebuilt, loaded = template(num_train_examples=8), reloaded(model, tmp_path)
    rebuilt.set_weights(model.get_weights())
    draws = [np.asarray(one(CLIPS, training=True)) for one in (model, rebuilt, loaded)]
    np.testing.assert_array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], model(CLIPS, training=True))
    first, second = (np.asarray(g.keep(tf.constant(4), training=True)) for g in model.gates)
    assert not np.array_equal(first, second)  # the layers draw on their own


def test_the_labels_of_a_data_set_choose_loss_and_metrics() -> None:
    one_hot = np.eye(6, dtype=np.float32)[LABELS]
    for labels, soft in ((LABELS, False), (LABELS[:, None], False), (one_hot, True)):
        data = tf.data.Dataset.from_tensor_slices((CLIPS, labels)).batch(4)
        assert check_labels(data, None, 6, multi_label=False) is soft
        assert check_labels(CLIPS, labels, 6, multi_label=False) is soft
    assert not check_labels(CLIPS, None, 6, multi_label=False)
    logits = RNG.normal(size=(8, 6)).astype(np.float32)
    hard, soft_ones = default_compile(6), default_compile(6, soft=True)
    np.testing.assert_allclose(
        hard["loss"](LABELS, logits), soft_ones["loss"](one_hot, logits), rtol=1e-6
    )
    for one, other in zip(hard["metrics"], soft_ones["metrics"], strict=True):
        one.update_state(LABELS, logits)
        other.update_state(one_hot, logits)
        assert (one.name, float(one.result())) == (other.name, float(other.result()))
