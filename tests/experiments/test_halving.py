"""`vdroppath halve`: a small experiment, from clips to picture; taken up again; refused."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf.analysis.shift import shift_of
from vdroppath_tf.cli import main
from vdroppath_tf.experiments.halving import Setting
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import RECIPES, train

CLIPS = (16, 4, 4)
STEPS = CLIPS[0] // tiny.BATCH  # of a training: one epoch


def call(out: Path, *more: str) -> int:
    sizes = [f"--network={tiny.ONE_LAYER}", "--frames=4", f"--batch_size={tiny.BATCH}"]
    phases = ["--warmup_epochs=0", "--search_epochs=1"]
    run = ["--clips=16,4,4", "--seeds=2", "--processes=1", f"--out={out}"]
    return main(["halve", *sizes, *phases, *run, *more])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the command ran. Change nothing of it."""
    out = tmp_path_factory.mktemp("halve") / "out"
    assert call(out) == 0
    return out


def spaces(out: Path, resolution: str) -> list[ProbabilitySpace]:
    return [ProbabilitySpace.load(out / f"{resolution}-{seed}" / "space.json") for seed in (0, 1)]


@pytest.mark.slow
def test_what_it_writes(done: Path) -> None:
    folders = {"full-0", "full-1", "halved-0", "halved-1", "clips"}
    assert {path.name for path in done.iterdir()} == {*folders, "shift.json", "shift.svg"}
    assert {path.name for path in (done / "clips").iterdir()} == {"motion-0", "motion-1"}
    task = json.loads((done / "clips" / "motion-1" / "task.json").read_text())
    assert (task["clips"], task["seed"]) == (list(CLIPS), 1)
    assert (task["difficulty"]["frames"], task["difficulty"]["speed"]) == (4, 4.0)
    assert (done / "shift.svg").stat().st_size > 5_000


@pytest.mark.slow
def test_only_the_resolution_differs(done: Path) -> None:
    """Of a seed's two trainings: same clips, same starting weights, same recipe otherwise."""
    for seed in (0, 1):
        files = (done / f"{name}-{seed}" / "runs/template/run.json" for name in ("full", "halved"))
        full, halved = (json.loads(file.read_text()) for file in files)
        assert full["recipe"].pop("temporal_pool") is False
        assert halved["recipe"].pop("temporal_pool") is True
        assert (full["network"].pop("temporal_pool"), halved["network"].pop("temporal_pool")) == (
            False,
            True,
        )
        assert full == halved
        assert full["recipe"]["seed"] == seed


@pytest.mark.slow
def test_the_numbers_are_those_of_the_spaces(done: Path) -> None:
    fields = json.loads((done / "shift.json").read_text())
    expected = shift_of(spaces(done, "full"), spaces(done, "halved"))
    assert fields["format"] == "vdroppath_tf.shift/1"
    assert (fields["task"], fields["seeds"]) == ("motion", [0, 1])
    np.testing.assert_allclose(fields["shift"], expected.shift)
    np.testing.assert_allclose(fields["lean by seed and layer"], expected.lean_by_layer)
    np.testing.assert_allclose(fields["P(S) by seed and layer"], expected.unit("S"))
    np.testing.assert_allclose(fields["distance"], expected.comparison.distance)
    assert fields["interval"] == pytest.approx(expected.interval)
    assert fields["verdict"] == expected.verdict
    right = np.array(fields["top1"]) * CLIPS[2]
    assert right.shape == (2, 2)
    np.testing.assert_allclose(right, right.round())
    assert np.abs(expected.shift).min() > 0  # the two resolutions are two trainings


@pytest.mark.slow
def test_a_stopped_run_goes_on(
    done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it was before the last training: that one is run, no other, and all ends alike.

    In place, since a run knows its clips by their path; the folder ends as it was.
    """
    before = (done / "shift.json").read_bytes()
    shutil.rmtree(done / "halved-1")
    (done / "shift.json").unlink()
    steps: list[int] = []

    def counted(*arguments: Any, **options: Any) -> Any:
        return train(*arguments, **{**options, "on_step": lambda: steps.append(1)})

    monkeypatch.setattr("vdroppath_tf.experiments.task_run.train", counted)
    assert call(done) == 0
    assert len(steps) == STEPS
    assert (done / "shift.json").read_bytes() == before
    said = capsys.readouterr().out
    fields = json.loads(before)
    for seed, (full, halved) in enumerate(np.mean(fields["lean by seed and layer"], axis=2).T):
        assert f"seed {seed}: full {full:+.3f} (top-1 " in said
        assert f"halved {halved:+.3f} (top-1 " in said
    assert fields["verdict"] in said
    assert "between seeds: full " in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "match"),
    [
        (
            "--speed=3",
            r"motion-0/task.json: the folder holds another task: difficulty.speed 4\.0, not 3",
        ),
        ("--search_epochs=2", r"full-0/.*another run; what differs: .*phases\.0\.epochs"),
        ("--weight_reg=1", r"full-0/.*another run; what differs: network\..*recipe\."),
    ],
)
def test_a_folder_of_another_setting_is_refused(
    done: Path, more: str, match: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = tiny.tree(done)
    assert call(done, more) == 1
    assert re.search(match, capfd.readouterr().err)
    assert tiny.tree(done) == before


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (["--temporal_pool"], "temporal_pool is what halving compares"),
        (["--branches=ST"], r"needs both paths\. Received: branches \('ST',\)"),
        (["--clips=a,b"], "--clips=a,b: expected three numbers"),
        (["--clips=16,4"], "16, 4"),
        (["--speed=16"], "speed must be a number from 0 to 15"),
        (["--network=giant"], "Unknown network"),
    ],
)
def test_wrong_calls(
    tmp_path: Path, more: list[str], match: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path / "out", *more) == 1
    assert re.search(match, capfd.readouterr().err)


def test_the_clips_are_as_long_as_the_recipe_wants() -> None:
    recipe = RECIPES["small"]
    recipe = recipe.replace(seed=5, sampling=dataclasses.replace(recipe.sampling, frames=12))
    setting = Setting(recipe=recipe, seeds=2)
    assert setting.difficulty.frames == 12
    assert list(setting.all_seeds) == [5, 6]
    assert setting.recipe_of("halved", 6) == recipe.replace(seed=6, temporal_pool=True)
    with pytest.raises(ValueError, match=r"seeds must be a whole number from 1 to .*Received: 0"):
        Setting(seeds=0)
