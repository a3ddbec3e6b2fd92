"""What is watched while a run trains: its pace, what goes wrong, and how far it is."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import tensorflow as tf
import tiny
from event_files import events_of, scalars

from vdroppath_tf.data.clips.batches import with_options
from vdroppath_tf.data.clips.positions import epoch_order
from vdroppath_tf.spaces.pushes import GateValues, Pushes
from vdroppath_tf.training import Clips, build_template, rehearse, train
from vdroppath_tf.training.arrivals import Arrivals
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.finite import NonFiniteLossError, first_not_finite
from vdroppath_tf.training.pace import Pace, Stopwatch
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.progress import PROGRESS_FILE, Progress, read_progress
from vdroppath_tf.training.signs import dead_layers, input_bound, saturated_gates, variances
from vdroppath_tf.training.watch import RunWatch, Watch
from vdroppath_tf.zoo import get_model

STEPS = tiny.COUNTS[0] // tiny.BATCH  # an epoch


def spoil(model: Any, path: str) -> None:
    """Makes one number of a weight infinite."""
    (weight,) = [weight for weight in model.weights if weight.path == path]
    value = weight.numpy()
    value.flat[0] = math.inf
    weight.assign(value)


def test_a_loss_of_nan_names_layer_and_videos(motion: Any, tmp_path: Path) -> None:
    """A kernel is spoiled behind the second step of the second epoch: the third one stops."""
    clips, recipe = tiny.clips_of(motion), tiny.recipe(0, 3)
    built: list[Any] = []
    done: list[int] = []

    def on_step() -> None:
        done.append(1)
        if len(done) == STEPS + 2:
            spoil(built[0], "stage2_block1_fusion/spatial/kernel")

    built.append(build_template(recipe, clips))
    with pytest.raises(NonFiniteLossError) as caught:
        train(built[0], recipe.template_phases(), recipe, clips, folder=tmp_path, on_step=on_step)
    message = str(caught.value)
    assert "in phase 'search', epoch 2, step 3. " in message
    assert "The first layer with NaN or infinite values: stage2_block1" in message
    order = epoch_order(recipe.seed, 1, len(clips.train))[2 * tiny.BATCH : 3 * tiny.BATCH]
    names = [clips.train.entries[k].name for k in order]
    assert f"The videos of that step: {', '.join(names[:4])} and 4 more. " in message
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-0-00001"]
    position = CheckpointStore(tmp_path, (tmp_path / "run.json").read_text()).position()
    assert position.epochs == 1
    found = read_progress(tmp_path)
    assert found is not None
    assert (found.state, found.error) == ("failed", message)


def test_where_the_numbers_end() -> None:
    model = tiny.template()
    last = model.layers[-1].name
    assert repr(last) in first_not_finite(model, {"loss": math.inf, "kl": 1.0})
    assert "the KL of the gates" in first_not_finite(model, {"loss": math.inf, "kl": math.inf})
    norms = [weight.path for weight in model.weights if weight.path.endswith("/moving_mean")]
    for path in reversed(norms):  # an earlier layer is the first one
        spoil(model, path)
        assert path.removesuffix("/moving_mean") in first_not_finite(model, {"loss": math.inf})


def test_the_pace_of_steps() -> None:
    watch = Stopwatch()
    assert watch.pace is None
    watch.step(1.0, waited=0.25)
    watch.step(3.0, waited=0.75, steps=3)
    assert watch.pace == Pace(step_seconds=1.0, wait_share=0.25)
    watch.step(1.0, waited=None)
    found = watch.pace
    assert found is not None
    assert math.isnan(found.wait_share)
    assert found.clips_per_second(8) == 8.0


def test_batches_are_noted_as_they_are_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10, 100, 10))
    now = SimpleNamespace(perf_counter=lambda: float(next(clock)))
    monkeypatch.setattr("vdroppath_tf.training.arrivals.time", now)  # and nobody else's
    arrivals = Arrivals()
    batches_made = with_options(tf.data.Dataset.range(6).map(lambda n: (n, -n)))
    stream = arrivals.behind(batches_made)
    batches = iter(stream)
    for n in range(2):
        assert [int(part) for part in next(batches)] == [n, -n]
    assert arrivals.waited(4.0) == 6.0  # the first was there at 10
    assert arrivals.waited(25.0) == 0.0  # the second at 20, before it was wanted
    assert arrivals.waited(0.0) is None
    for _ in range(3):
        next(batches)
    assert arrivals.waited(29.0, steps=2) == 1.0
    arrivals.clear()
    assert arrivals.waited(0.0) is None


def test_signs_of_waiting() -> None:
    assert input_bound(None) is None
    assert input_bound(Pace(1.0, math.nan)) is None
    assert input_bound(Pace(1.0, 0.29)) is None
    line = input_bound(Pace(1.0, 0.62))
    assert line is not None
    assert "for 62% of the time" in line
    assert "vdroppath convert" in line


def test_signs_of_saturated_gates() -> None:
    model = tiny.template()
    assert saturated_gates(model, 1, 16) is None
    for gate in model.gates:
        gate.logit.assign(tf.fill(gate.logit.shape, -6.0))
    line = saturated_gates(model, 1, 16)
    assert line is not None
    assert line.startswith(f"{2 * tiny.LAYERS} of {2 * tiny.LAYERS} gates are saturated after 1 of")
    assert "--gate_learning_rate=" in line
    assert saturated_gates(model, 12, 16) is None  # towards the end they have decided


def test_a_strong_prior_is_named_as_the_cause_of_saturated_gates() -> None:
    losses = {"task_loss": 1.46, "kl": 1410.0}
    for strength, kl_says, aim in ((5.21, True, "0.02"), (1e-3, False, "1e-4")):
        model = tiny.template(prior_strength=strength)
        shapes = [(1, *gate.logit.shape) for gate in model.gates]
        strong, weak, half = (
            GateValues([np.full(shape, k) for shape in shapes]) for k in (0.9, 0.1, 0.5)
        )
        prior = Pushes(weak, strong, weak, strong, half, 1)
        data = Pushes(strong, weak, strong, weak, half, 1)
        for gate in model.gates:
            gate.logit.assign(tf.fill(gate.logit.shape, 6.0))
        line = saturated_gates(model, 1, 16, pushes=prior) or ""
        assert f"--prior_strength={aim})" in line
        assert "90% of the gates' gradient in the last epoch came from the prior" in line
        assert "--gate_learning_rate" not in line
        line = saturated_gates(model, 1, 16, losses=losses, pushes=data) or ""
        assert ("the KL is 1.41e+03, the task's loss 1.46" in line) is kl_says
        assert ("--gate_learning_rate=" in line) is not kl_says
        for gate in model.gates:  # kept, against the prior
            gate.logit.assign(tf.fill(gate.logit.shape, -6.0))
        assert "--gate_learning_rate=" in (saturated_gates(model, 1, 16, losses=losses) or "")


def test_without_a_prior_it_is_not_blamed() -> None:
    model = tiny.template(prior_strength=0.0)
    for gate in model.gates:
        gate.logit.assign(tf.fill(gate.logit.shape, 6.0))
    line = saturated_gates(model, 1, 16, losses={"task_loss": 0.1, "kl": 100.0}) or ""
    assert "--gate_learning_rate=" in line
    assert "prior" not in line


def test_signs_of_dead_layers() -> None:
    """A path that its gate drops may be dead; one that it keeps, and any other layer, may not."""
    model = get_model("template_nano_dense", 4)
    before, steps = variances(model), 5

    def said(gated: bool) -> str | None:
        return dead_layers(model, gated=gated, before=before, steps=steps)

    norms = {w.path: w for w in model.weights if w.path in before}
    for path, weight in norms.items():  # each has measured 0.01 in these steps
        weight.assign(0.9**steps * before[path] + (1 - 0.9**steps) * 0.01)
    assert said(True) is None
    inside = next(path for path in norms if "spatiotemporal" in path)
    norms[inside].assign(0.9**steps * before[inside])  # and this one nothing
    for gated in (False, True):
        line = said(gated)
        assert line is not None
        assert line.startswith("1 layers are dead")
        assert inside.split("/")[0] in line
    layer = model.get_layer(inside.split("/")[0])
    layer.drop_path.logit.assign([0.0, 6.0])  # S, then ST
    assert said(True) is None
    assert said(False) is not None
    assert dead_layers(model, gated=False, before=before, steps=0) is None


def test_a_dead_layer_is_seen_after_one_epoch(motion: Any, caplog: Any) -> None:
    """The stem gives nothing: its norm, and those that see nothing else, measure no variance."""
    clips, recipe = tiny.clips_of(motion), tiny.recipe(1, 0, network=tiny.ONE_LAYER)
    model = build_template(recipe, clips)
    kernels = [w for w in model.weights if w.path.endswith("/kernel")]
    stem = next(weight for weight in kernels if "stem" in weight.path)
    stem.assign(tf.zeros(stem.shape))
    with caplog.at_level("WARNING", "absl"):
        train(model, recipe.template_phases(), recipe, clips)
    (line,) = [text for text in caplog.messages if "layers are dead" in text]
    assert "stem" in line


def test_a_run_says_how_far_it_is(whole_run: tiny.Run) -> None:
    found = read_progress(whole_run.folder)
    assert found is not None
    assert (found.state, found.phases) == ("finished", (("warmup", 2), ("search", 3)))
    assert (found.number, found.epoch, found.seconds_left) == (1, 3, 0.0)
    last = {name: v for name, v in whole_run.history[-1].items() if isinstance(v, float)}
    assert found.metrics == last


def test_speed_is_in_tensorboard_and_not_in_the_history(whole_run: tiny.Run) -> None:
    """What another machine would measure otherwise has no place in what is resumed exactly."""
    events = events_of(whole_run.folder / "tensorboard")
    for name in ("clips_per_s", "waiting", "memory_host_gb", "hours_left"):
        values = scalars(events, f"speed/{name}")
        assert list(values) == [1, 2, 3, 4, 5]
        assert all(value >= 0 for value in values.values())
    assert not {"clips/s", "waiting"} & {name for entry in whole_run.history for name in entry}


def test_validation_is_timed_without_the_batch_that_builds_its_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """30 s for it and 1 s for each other batch; of a single batch nothing is known at first."""
    now = [0.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr("vdroppath_tf.training.watch.time", clock)

    def timed(batches: int) -> list[float]:
        whole = RunWatch((Phase("search", 1, gates=True, learning_rate=0.1),), cast(Any, None))
        watch, found = Watch(whole, Position(0, 0), None), []
        for first in (30.0, 1.0):
            watch.on_test_begin()
            for batch in range(batches):
                now[0] += 1.0 if batch else first
                watch.on_test_batch_end(batch)
            watch.on_test_end()
            found.append(whole.validation_seconds)
        return found

    assert timed(4) == [4.0, 4.0]
    assert timed(1) == [0.0, 1.0]


def test_a_progress_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_progress(tmp_path) is None
    written = Progress("running", (("search", 3),), step=4, wait_share=0.5, bad=("slow",))
    written.write(tmp_path)
    assert read_progress(tmp_path) == written
    (tmp_path / PROGRESS_FILE).write_text('{"format": "vdroppath_tf.progress/1"}')
    with pytest.raises(ValueError, match=r"\.progress\.json: is not the progress of a run"):
        read_progress(tmp_path)


def test_a_progress_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    Progress().write(tmp_path / ("x" * 300))


def test_a_rehearsal_writes_nothing(
    motion: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clips, recipe = tiny.clips_of(motion), tiny.recipe(4, 8, network=tiny.ONE_LAYER)
    model = build_template(recipe, clips)
    found = rehearse(model, recipe.template_phases(), recipe, clips)
    assert list(tmp_path.iterdir()) == []
    assert (found.steps_per_epoch, found.batch_size) == (STEPS, tiny.BATCH)
    assert found.clip_shape == tiny.SHAPE
    assert [(phase.name, phase.epochs) for phase in found.phases] == [("warmup", 4), ("search", 8)]
    for phase in found.phases:
        once = STEPS * phase.step_seconds + found.validation_seconds
        expected = phase.first_seconds + phase.epochs * once
        assert phase.seconds == pytest.approx(expected)
        assert phase.step_seconds >= found.load_seconds
    assert found.seconds == sum(phase.seconds for phase in found.phases)


def test_what_a_run_refuses_its_rehearsal_refuses(motion: Any) -> None:
    clips = Clips(motion.manifest("train"))
    recipe = tiny.recipe().replace(batch_size=100)
    model = tiny.template()
    with pytest.raises(ValueError, match="batch_size 100 exceeds the 24"):
        rehearse(model, recipe.template_phases(), recipe, clips)
