"""train(): what learns in which phase, what is logged, what stops a run."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from event_files import events_of, scalars

from vdroppath_tf.cost import unit_costs
from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import Clips, build_derived, build_template, template_from, train
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.clips import shares_of_classes
from vdroppath_tf.training.finite import NonFiniteLossError, StopOnNonFiniteLoss

STEPS = tiny.COUNTS[0] // tiny.BATCH  # an epoch


def phase(run: tiny.Run, name: str) -> list[dict[str, Any]]:
    return [entry for entry in run.history if entry["phase"] == name]


def test_a_template_trains(whole_run: tiny.Run) -> None:
    assert [(e["phase"], e["epoch"]) for e in whole_run.history] == [
        ("warmup", 1),
        ("warmup", 2),
        ("search", 1),
        ("search", 2),
        ("search", 3),
    ]
    fit = [entry["task_loss"] for entry in whole_run.history]
    assert fit[-1] < fit[0]
    for entry in whole_run.history:
        assert {"top1", "val_top1", "val_loss", "drop"} <= set(entry)
        assert np.shape(entry["drop"]) == (tiny.LAYERS, 1, 2)  # layers, inputs, branches
    assert int(whole_run.model.optimizer.iterations) == 3 * STEPS
    assert whole_run.model.gates[0].num_train_examples == tiny.COUNTS[0]
    assert whole_run.model.gates[0].given_examples is None  # so it is not kept for other videos


def test_the_warm_up_has_no_gates(whole_run: tiny.Run) -> None:
    for entry in phase(whole_run, "warmup"):
        np.testing.assert_allclose(entry["drop"], 0.1, atol=1e-6)
        assert entry["kl"] == 0


def test_the_gates_move_while_they_learn(whole_run: tiny.Run) -> None:
    drops = np.array([entry["drop"] for entry in phase(whole_run, "search")])
    assert np.abs(np.diff(drops, axis=0)).min() > 1e-6
    np.testing.assert_allclose(drops[-1], ProbabilitySpace.from_model(whole_run.model).drop)
    assert all(entry["kl"] != 0 for entry in phase(whole_run, "search"))


def test_a_trained_template_runs_the_mode_of_its_space(whole_run: tiny.Run) -> None:
    for gate in whole_run.model.gates:
        assert gate.trainable
        np.testing.assert_array_equal(gate.mask.numpy(), [-1.0, -1.0])


def test_tensorboard_has_accuracy_kl_macs_and_every_gate(whole_run: tiny.Run) -> None:
    events = events_of(whole_run.folder / "tensorboard")

    def series(name: str) -> dict[int, float]:
        return scalars(events, name)

    for name in ("loss", "task_loss", "kl", "top1", "val_top1"):
        found = series(f"epoch/{name}")
        expected = {k: entry[name] for k, entry in enumerate(whole_run.history, 1)}
        assert found == pytest.approx(expected, rel=1e-6)
    space = ProbabilitySpace.from_model(whole_run.model)
    for layer, row in zip(space.layers, space.drop, strict=True):
        for branch, p in zip(space.branches, row[0], strict=True):
            found = series(f"drop/{layer}/{branch}")
            assert list(found) == [1, 2, 3, 4, 5]
            assert found[5] == pytest.approx(p, rel=1e-6)
    macs = series("expected_macs")
    expected_macs = unit_costs(whole_run.model, tiny.SHAPE).expected_macs(space)
    assert macs[5] == pytest.approx(expected_macs, rel=1e-6)
    assert macs[5] != macs[1]


@pytest.mark.slow
def test_two_replicas_train_as_one_device(run_of_two: tiny.Run) -> None:
    """Real clips, two epochs, validation: weights, gates, batch-norm statistics, what is logged."""
    one = tiny.run_template(run_of_two.clips, run_of_two.recipe)
    worst = 0.0
    for a, b in zip(one.model.weights, run_of_two.model.weights, strict=True):
        assert a.path == b.path
        value, other = (tf.convert_to_tensor(v).numpy().astype("float64") for v in (a, b))
        worst = max(worst, float(np.abs(value - other).max() / max(1.0, np.abs(value).max())))
    print(f"1 and 2 replicas: largest difference {worst:.1e}")
    assert worst <= 1e-5
    for entry, other_entry in zip(one.history, run_of_two.history, strict=True):
        assert set(entry) == set(other_entry)
        for name in ("loss", "kl", "top1", "val_loss", "val_top1"):
            assert other_entry[name] == pytest.approx(entry[name], rel=1e-5), name
        np.testing.assert_allclose(other_entry["drop"], entry["drop"], atol=1e-5)


@pytest.mark.newest
def test_a_loss_of_nan_stops_the_run_and_spares_the_checkpoints(
    motion: Any, tmp_path: Path
) -> None:
    clips = Clips(motion.manifest("train"))
    folder = tmp_path / "run"
    recipe = tiny.recipe(1, 2, learning_rate=1e30, network=tiny.ONE_LAYER)
    with pytest.raises(NonFiniteLossError) as caught:
        tiny.run_template(clips, recipe, folder)
    message = str(caught.value)
    assert "phase 'search', epoch 1, step " in message
    assert "learning rate" in message
    assert str(folder) in message
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-0-00001"]
    store = CheckpointStore(folder, (folder / "run.json").read_text())
    position = store.position()
    assert (position.phase, position.epochs) == (0, 1)
    assert all(math.isfinite(entry["loss"]) for entry in position.history)


def test_weights_that_the_last_step_spoiled_stop_the_run() -> None:
    """Their loss would be seen in the next epoch only, behind a checkpoint."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="head")])
    callback = StopOnNonFiniteLoss("search")
    callback.set_model(model)
    callback.on_epoch_begin(4)
    callback.on_train_batch_end(6, {"loss": 1.0})
    callback.on_epoch_end(4)
    model.layers[0].kernel.assign([[1.0], [float("inf")]])
    with pytest.raises(NonFiniteLossError, match=r"head/kernel .*'search', epoch 5, step 7"):
        callback.on_epoch_end(4)
    with pytest.raises(NonFiniteLossError, match=r"The loss is nan in .* step 8\. ") as caught:
        callback.on_train_batch_end(7, {"loss": math.nan})
    assert "videos of that step" not in str(caught.value)  # whose names are not known


def damaged(clips: Clips, tmp_path: Path, part: str) -> Clips:
    """The same clips in a folder of their own, one file of a part cut short."""
    source = Path(clips.train.source).parent
    shutil.copytree(source, tmp_path / "task")
    copied = tiny.clips_of(tiny.write(tmp_path / "task"))
    files = copied.train if part == "train" else copied.validation
    assert files is not None
    path = files.entries[5].path
    os.truncate(path, os.path.getsize(path) // 2)
    return copied


@pytest.mark.newest
@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_damaged_video_stops_a_run_before_it_begins(
    whole_run: tiny.Run, tmp_path: Path, part: str
) -> None:
    clips = dataclasses.replace(damaged(whole_run.clips, tmp_path, part), max_bad_fraction=0.0)
    with pytest.raises(VideoError, match=rf"{part}/000005\.mp4: is cut short"):
        tiny.run_template(clips, tiny.recipe(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.newest
def test_a_video_damaged_on_the_way_spares_the_checkpoints(motion: Any, tmp_path: Path) -> None:
    shutil.copytree(motion.folder, tmp_path / "task")
    clips = Clips(tiny.write(tmp_path / "task").manifest("train"))
    folder, steps = tmp_path / "run", itertools.count(1)

    def on_step() -> None:
        if next(steps) == STEPS + 1:  # in the second epoch
            for entry in clips.train:
                os.truncate(entry.path, 100)

    with pytest.raises(VideoError, match=r"train/0000\d\d\.mp4: is cut short"):
        tiny.run_template(clips, tiny.recipe(4, 1, network=tiny.ONE_LAYER), folder, on_step=on_step)
    store = CheckpointStore(folder, (folder / "run.json").read_text())
    position = store.position()
    assert position.phase == 0
    assert position.epochs >= 1


@pytest.mark.newest
def test_mixed_clips_train_and_resume(motion: Any, tmp_path: Path) -> None:
    """Labels are shares of classes then, in validation too."""
    clips = tiny.clips_of(motion)
    recipe = tiny.recipe(0, 2, network=tiny.ONE_LAYER)
    recipe = recipe.replace(augment=Augmentation(mixup=0.8, cutmix=1.0))
    whole = tiny.run_template(clips, recipe)
    assert all({"loss", "top1", "val_loss", "val_top1"} <= set(entry) for entry in whole.history)
    steps = itertools.count()

    def stop() -> None:
        if next(steps) == STEPS + 1:  # inside the second epoch
            raise InterruptedError

    with pytest.raises(InterruptedError):
        tiny.run_template(clips, recipe, tmp_path / "run", on_step=stop)
    resumed = tiny.run_template(clips, recipe, tmp_path / "run")
    assert tiny.state(resumed.model) == tiny.state(whole.model)
    with pytest.raises(ValueError, match="another run"):
        tiny.run_template(clips, recipe.replace(augment=Augmentation()), tmp_path / "run")


def test_labels_become_shares_of_all_classes_of_the_network() -> None:
    clips = np.zeros((2, 1, 1, 1, 3), np.uint8)
    for labels in (np.array([1, 0]), np.array([[0, 1], [1, 0]], np.float32)):
        pairs = tf.data.Dataset.from_tensors((clips, labels))
        [(_, shares)] = list(shares_of_classes(pairs, 3))
        assert shares.numpy().tolist() == [[0, 1, 0], [1, 0, 0]]
        assert shares.dtype == tf.float32


def test_what_cannot_go_well_is_refused(motion: Any, tmp_path: Path) -> None:
    clips, recipe = tiny.clips_of(motion), tiny.recipe()
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match="batch_size 25 exceeds the 24 training videos"):
        tiny.run_template(clips, recipe.replace(batch_size=25), folder)
    model = tiny.template(3, num_train_examples=24)
    with pytest.raises(ValueError, match=r"train\.txt: has 4 classes\. .* 3 of the network"):
        train(model, recipe.template_phases(), recipe, clips, folder=folder)
    with pytest.raises(ValueError, match=r"Unknown network.*micro.*Received: 'giant'"):
        build_template(recipe.replace(network="giant"), clips)
    with pytest.raises(ValueError, match="noise must be one of"):
        build_template(recipe.replace(noise="white"), clips)
    with pytest.raises(ValueError, match=r"S ST"):
        build_derived(recipe, clips, "S ST")
    assert not folder.exists()


def test_new_networks_come_from_the_seed(motion: Any) -> None:
    clips = tiny.clips_of(motion)

    def kernels(seed: int) -> list[bytes]:
        model = build_template(tiny.recipe().replace(seed=seed), clips)
        return [v.numpy().tobytes() for v in model.trainable_variables]

    assert kernels(1) == kernels(1)
    assert kernels(1) != kernels(2)


def test_a_template_from_a_trained_one(whole_run: tiny.Run, tmp_path: Path) -> None:
    """Other classes: a new classifier, the rest kept and all of it reported."""
    clips = tiny.clips_of(tiny.write(tmp_path / "both", "both", (32, 16, 16)))
    recipe = whole_run.recipe.replace(weight_reg=3.0)
    model, report = template_from(whole_run.model, recipe, clips, keep_classifier=False)
    assert report.new == report.unused == ("classifier/kernel", "classifier/bias")
    assert model.output_shape == (None, 16)
    assert (model.gates[0].weight_reg, model.gates[0].num_train_examples) == (3.0, 32)
    old = {v.path: tf.convert_to_tensor(v).numpy() for v in whole_run.model.weights}
    for weight in model.weights:
        if not weight.path.startswith("classifier/"):
            np.testing.assert_array_equal(tf.convert_to_tensor(weight).numpy(), old[weight.path])
    same, report = template_from(whole_run.model, recipe, whole_run.clips, keep_classifier=True)
    assert (report.new, report.unused) == ((), ())
    np.testing.assert_array_equal(same.layers[-1].bias.numpy(), old["classifier/bias"])
    with pytest.raises(ValueError, match="do not fit"):
        template_from(whole_run.model, recipe, clips, keep_classifier=True)
