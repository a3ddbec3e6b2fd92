"""Videos that cannot be read while a network trains and is scored: counted, named, never silent."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf.cli import main
from vdroppath_tf.data.clips.pipeline import FaultLog, evaluation_clips
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.training import Clips


def spoilt(manifest: Manifest, *items: int) -> Manifest:
    """The same videos, some of them of files that are not there."""
    entries = list(manifest.entries)
    for k in items:
        file = Path(entries[k].path).with_name(f"no-{k}.mp4")
        entries[k] = dataclasses.replace(entries[k], source=VideoFile(str(file)))
    return dataclasses.replace(manifest, entries=tuple(entries))


@pytest.fixture(scope="module")
def bad_clips(motion: Any) -> Clips:
    return Clips(spoilt(motion.manifest("train"), 3), spoilt(motion.manifest("validation"), 0))


class StopError(Exception):
    """The run is stopped from outside."""


@pytest.mark.slow
def test_training_goes_on_and_says_so(
    bad_clips: Clips, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert bad_clips.validation is not None
    recipe = tiny.recipe(0, 2, network=tiny.ONE_LAYER)
    with caplog.at_level(logging.WARNING):
        whole = tiny.run_template(bad_clips, recipe, tmp_path / "whole")
    last = f"see {tmp_path / 'whole' / 'quarantine.json'}"
    assert f"1 of 24 train videos could not be read: {last}" in caplog.messages
    assert f"1 of 10 validation videos could not be read: {last}" in caplog.messages
    assert [entry["bad_clips"] for entry in whole.history] == [1.0] * 2
    assert [entry["val_bad_clips"] for entry in whole.history] == [1.0] * 2
    named = json.loads((tmp_path / "whole" / "quarantine.json").read_text())["videos"]
    assert [(video["path"], video["split"]) for video in named] == [
        ("train/no-3.mp4", "train"),
        ("validation/no-0.mp4", "validation"),
    ]
    assert named[0]["count"] >= 2  # once an epoch, and where batches were made ahead of the end
    rest = bad_clips.validation.select(range(1, 10))
    whole.model.compile(loss=whole.model.loss, metrics=["accuracy"])
    found = whole.model.evaluate(
        evaluation_clips(rest, recipe.evaluation, batch_size=8), verbose=0, return_dict=True
    )
    np.testing.assert_allclose(found["accuracy"], whole.history[-1]["val_top1"], rtol=1e-6)
    _taken_up_again(bad_clips, recipe, whole, tmp_path / "stopped")


def _taken_up_again(clips: Clips, recipe: Any, whole: tiny.Run, folder: Path) -> None:
    steps: list[int] = []

    def stop() -> None:
        steps.append(1)
        if len(steps) == 5:  # inside the second epoch
            raise StopError

    with pytest.raises(StopError):
        tiny.run_template(clips, recipe, folder, on_step=stop)
    assert len(json.loads((folder / "quarantine.json").read_text())["videos"]) == 2
    resumed = tiny.run_template(clips, recipe, folder)
    assert resumed.history == whole.history
    for one, other in zip(resumed.model.weights, whole.model.weights, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other)), one.path


def test_none_allowed(bad_clips: Clips, tmp_path: Path) -> None:
    strict = dataclasses.replace(bad_clips, max_bad_fraction=0.0)
    with pytest.raises(VideoError, match=r"^[^\n]*no-3\.mp4: cannot be read[^\n]*$"):
        tiny.run_template(strict, tiny.recipe(1, 1), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_too_many(motion: Any) -> None:
    clips = Clips(spoilt(motion.manifest("train"), 1, 2, 3))
    with pytest.raises(VideoError, match=r"3 of the 24 train videos .* probably the decoder"):
        tiny.run_template(clips, tiny.recipe(1, 1))


def test_strategies_are_scored_on_the_rest(whole_run: tiny.Run) -> None:
    assert whole_run.clips.validation is not None
    videos, faults = whole_run.clips.validation, FaultLog()
    sampling, names = whole_run.recipe.evaluation, ["S S S", "ST ST ST"]
    clips = evaluation_clips(spoilt(videos, 4), sampling, batch_size=4, faults=faults)
    scores = evaluate_strategies(whole_run.model, names, clips)
    rest = videos.select(k for k in range(len(videos)) if k != 4)
    expected = evaluate_strategies(
        whole_run.model, names, evaluation_clips(rest, sampling, batch_size=4)
    )
    assert list(scores) == list(expected)
    assert scores[0].clips == 9
    assert faults.account(spoilt(videos, 4), "validation") == (
        "9 of 10 videos scored; 1 could not be read"
    )


@pytest.mark.slow
def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """train and evaluate go on, doctor names the files, and --quarantine takes them off."""
    files = tiny.write(tmp_path / "clips")
    for name in ("train/000002", "validation/000001"):
        path = files.folder / f"{name}.mp4"
        path.write_bytes(path.read_bytes()[:-20])
    data = [f"--data={files.folder}/train.txt", f"--validation={files.folder}/validation.txt"]
    run = tmp_path / "run"
    phases = ["--warmup_epochs=0", "--search_epochs=1", "--batch_size=8", "--frames=4"]
    train = ["train", *data, *phases]
    assert main([*train, f"--network={tiny.ONE_LAYER}", f"--out={run}"]) == 0
    assert f"1 of 24 train videos could not be read: see {run}/quarantine.json" in (
        capsys.readouterr().err
    )
    evaluate = [
        "evaluate",
        f"--model={run}/template.keras",
        f"--data={files.folder}/validation.txt",
        "--draws=1",
        f"--out={run}/scores.json",
    ]
    assert main(evaluate) == 0
    told = capsys.readouterr().out  # chosen on one half, reported on the other
    assert "4 of 5 videos scored; 1 could not be read" in told
    assert "5 of 5 videos scored\n" in told
    found = json.loads((run / "scores.json").read_text())
    assert [part["listed"] for part in found["data"]] == [5, 5]
    assert main([*evaluate, "--max_bad_fraction=0", f"--out={run}/strict.json"]) == 1
    assert "000001.mp4: is cut short" in capsys.readouterr().err
    out = tmp_path / "doctor.json"
    assert main(["doctor", *data, f"--out={out}"]) == 1
    assert "2 of 34 videos are bad" in capsys.readouterr().err
    for quarantine in (out, run / "quarantine.json"):
        strict = [f"--quarantine={quarantine}", "--max_bad_fraction=0"]
        assert main([*evaluate, *strict]) == 0
        heard = capsys.readouterr()
        assert "could not be read" not in heard.out
        assert "4 of 4 videos scored\n" in heard.out
        assert "leaves out 1 of the 10 videos" in heard.err
    strict.append(f"--network={tiny.ONE_LAYER}")
    assert main([*train, *strict, f"--out={tmp_path / 'second'}"]) == 0
    assert not (tmp_path / "second" / "quarantine.json").exists()
