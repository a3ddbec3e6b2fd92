"""A run that was stopped, however, ends with the bits it would have had."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import keras
import pytest
import tiny
from killed_run import started

from vdroppath_tf.derivation import derive
from vdroppath_tf.training import Clips, RunFolder, build_template, train
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.position import Position

STEPS = tiny.COUNTS[0] // tiny.BATCH  # an epoch


class StoppedError(Exception):
    """As a user stops a run."""


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoint-*"))


@pytest.mark.slow
def test_killed_in_an_epoch(motion: Any, whole_run: tiny.Run, tmp_path: Path) -> None:
    """Warm-up and an epoch with gates are behind it, and two steps of the next one."""
    folder = tmp_path / "run"
    code, _, errors = started(motion.folder, folder, signal.SIGKILL, 3 * STEPS + 2)
    assert code == -signal.SIGKILL, errors
    assert checkpoints(folder) == [f"checkpoint-1-00001-0000000{step}" for step in (1, 2)]
    steps: list[int] = []
    resumed = tiny.run_template(
        whole_run.clips, whole_run.recipe, folder, on_step=lambda: steps.append(1)
    )
    assert len(steps) == 2 * STEPS - 2
    assert tiny.state(resumed.model) == tiny.state(whole_run.model)
    assert resumed.model.kept_pushes() == whole_run.model.kept_pushes()
    assert resumed.history == whole_run.history


@pytest.mark.slow
def test_stopped_under_two_replicas(motion: Any, mirrored: Any, tmp_path: Path) -> None:
    """Without a save on the way out; ``scripts/survive/kill_points.py --replicas=2`` kills."""
    folder, steps = tmp_path / "run", itertools.count(1)

    def on_step() -> None:
        if next(steps) == STEPS + 2:
            raise StoppedError

    clips, kept = Clips(motion.manifest("train")), RunFolder(folder, save_every=1)
    recipe = tiny.recipe(0, 2, network=tiny.ONE_LAYER)
    whole = tiny.run_template(clips, recipe, scope=mirrored.scope)
    with pytest.raises(StoppedError):
        tiny.run_template(clips, recipe, kept, scope=mirrored.scope, on_step=on_step)
    assert checkpoints(folder) == [f"checkpoint-0-00001-0000000{step}" for step in (1, 2)]
    resumed = tiny.run_template(clips, recipe, folder, scope=mirrored.scope)
    assert tiny.state(resumed.model) == tiny.state(whole.model)
    assert resumed.history == whole.history


def test_a_finished_run_is_read_and_not_trained_again(whole_run: tiny.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    steps: list[int] = []
    again = tiny.run_template(
        whole_run.clips, whole_run.recipe, folder, on_step=lambda: steps.append(1)
    )
    assert steps == []
    assert tiny.state(again.model) == tiny.state(whole_run.model)
    assert again.model.kept_pushes() == whole_run.model.kept_pushes() is not None
    assert again.history == whole_run.history


BAD_STATES = {
    "state empty": "",
    "state of null": "null",
    "state of a list": "[]",
    "state nested deeply": "[" * 100_000,
    "state without a phase": ("phase", None),
    "state without digests": ("sha256", {}),
    "state of another digest": ("sha256", {"weights.index": "0" * 64}),
    "state with a text for epochs": ("epochs", "2"),
    "state with a number for history": ("history", 3),
    "state with numbers in its history": ("history", [3]),
}
BAD_WEIGHTS = ["weights cut short", "weights missing", "weights with one wrong byte"]


@pytest.mark.parametrize("damage", [*BAD_WEIGHTS, "state cut short", *BAD_STATES])
def test_a_damaged_checkpoint_is_passed_over(
    whole_run: tiny.Run, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    newest = folder / checkpoints(folder)[-1]
    (data,) = newest.glob("weights.data*")
    if damage == "weights cut short":
        os.truncate(data, data.stat().st_size // 2)
    elif damage == "weights missing":
        data.unlink()
    elif damage == "weights with one wrong byte":
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
    elif (bad := BAD_STATES.get(damage)) is not None:
        fields = json.loads((newest / "state.json").read_text())
        text = bad if isinstance(bad, str) else json.dumps({**fields, bad[0]: bad[1]})
        (newest / "state.json").write_text(text)
    else:
        os.truncate(newest / "state.json", 40)
    store = CheckpointStore(folder, (folder / "run.json").read_text())
    position = store.position()
    assert (position.phase, position.epochs) == (1, 2)
    assert list(position.history) == whole_run.history[:-1]
    if damage == "weights cut short":
        resumed = tiny.run_template(whole_run.clips, whole_run.recipe, folder)
        assert tiny.state(resumed.model) == tiny.state(whole_run.model)


def test_a_folder_of_another_run_is_refused(whole_run: tiny.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    before = tiny.tree(folder)
    recipe, clips = whole_run.recipe, whole_run.clips
    fewer = Clips(clips.train.select(range(20)), clips.validation)
    for other_recipe, other_clips, said in (
        (recipe.replace(weight_reg=1.0), clips, "recipe"),
        (tiny.recipe(2, 4), clips, "phases"),
        (recipe, fewer, "training videos"),
    ):
        with pytest.raises(ValueError, match=rf"checkpoint-.*: .*differs: .*{said}.*new folder"):
            tiny.run_template(other_clips, other_recipe, folder)
    model = build_template(recipe, clips)
    model.layers[-1].bias.assign_add([1.0] * 4)
    with pytest.raises(ValueError, match="differs: starting weights"):
        train(model, recipe.template_phases(), recipe, clips, folder=folder)
    assert tiny.tree(folder) == before


def test_a_checkpoint_of_another_format_is_refused(whole_run: tiny.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    state = folder / checkpoints(folder)[-1] / "state.json"
    state.write_text(state.read_text().replace("run/7", "run/6"))
    with pytest.raises(ValueError, match=r"state\.json: .*'vdroppath_tf.run/7'"):
        CheckpointStore(folder, (folder / "run.json").read_text()).position()


def test_a_run_of_an_earlier_version_is_refused(whole_run: tiny.Run, tmp_path: Path) -> None:
    """Its phases have other names, or its networks other fields: say so, and what to do."""
    run = (whole_run.folder / "run.json").read_text()
    fields = json.loads(run)
    del fields["format"]
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=r"another version of vdroppath_tf began .* that version"):
        CheckpointStore(tmp_path, run)


def test_an_empty_store_is_at_the_beginning(tmp_path: Path) -> None:
    assert CheckpointStore(tmp_path / "new" / "run", "{}").position() == Position(0, 0)


def test_fine_tuning_with_dropout_resumes(whole_run: tiny.Run, tmp_path: Path) -> None:
    """The seeds of dropout go on too; the derived network is derived anew, as a command would."""
    recipe, clips = whole_run.recipe, Clips(whole_run.clips.train)
    assert recipe.finetune is not None

    def tune(folder: Path, last: int = 10**6) -> Any:
        keras.utils.set_random_seed(recipe.seed)
        network = derive(whole_run.model, "S ST S+ST", dropout=recipe.finetune_dropout)
        steps: list[int] = []

        def on_step() -> None:
            steps.append(1)
            if len(steps) == last:
                raise StoppedError

        assert recipe.finetune is not None
        phases = (recipe.finetune,)
        return network, train(network, phases, recipe, clips, folder=folder, on_step=on_step)

    whole, history = tune(tmp_path / "whole")
    with pytest.raises(StoppedError):
        tune(tmp_path / "run", STEPS + 2)
    resumed, resumed_history = tune(tmp_path / "run")
    assert any("seed" in path for path in tiny.state(whole))
    assert tiny.state(resumed) == tiny.state(whole)
    assert resumed_history == history
    assert [entry["phase"] for entry in history] == ["finetune"] * 2
    assert "drop" not in history[0]
