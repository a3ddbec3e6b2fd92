"""The parts of `vdroppath run`: which videos are split, and what is wrong with them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_lines import Done, said

from vdroppath_tf.commands import run, train
from vdroppath_tf.data import write_video

SMALL = "--network=pico --frames=4 --batch_size=8 --warmup_epochs=1 --search_epochs=1".split()


@pytest.fixture
def parts(motion: Any, tmp_path: Path) -> Path:
    """A folder with the folders train, val and test, of class folders."""
    for part, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        for entry in motion.manifest(part):
            to = tmp_path / "parts" / name / motion.labels[entry.label]
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(entry.path, to)
    return tmp_path / "parts"


@pytest.fixture(autouse=True)
def _no_step_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the rehearsal of a plan nor a training: the parts are chosen before."""

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "time_table", lambda *_: "")
    monkeypatch.setattr(train, "run", stopped)


def refused(done: Done) -> str:
    """The message of a run that printed its plan before it failed."""
    assert done.code == 1, done.error
    assert done.out.startswith("The plan of ")
    return done.error.strip().splitlines()[-1]


def counts(done: Done) -> list[int]:
    """The training, validation and test videos of the plan that was printed."""
    assert done.code == 0, done.error
    (found,) = re.findall(r"(\d+) train, (\d+) validation, (\d+) test;", done.out)
    return [int(one) for one in found]


@pytest.mark.parametrize("given", [(), ("validation",), ("test",), ("validation", "test")])
def test_parts_that_are_not_given_are_split_off(
    call: Any, motion: Any, tmp_path: Path, given: tuple[str, ...]
) -> None:
    """Off the training videos; without test videos off those of the validation, if given."""
    more = [f"--{part}={motion.folder}/{part}.txt" for part in given]
    line = ["run", f"{motion.folder}/train.txt", *SMALL, *more, f"--out={tmp_path}/run"]
    train, validation, test = counts(call(*line, "--dry_run"))
    if "validation" in given:
        assert train == 24
        assert (validation, test) == ((10, 8) if "test" in given else (validation, 10 - validation))
    else:
        assert test == 8 if given else test >= 4
        assert train + validation + (0 if given else test) == 24
        assert train > 2 * validation
    assert min(validation, test) >= 4  # one of each class


def test_a_folder_of_three_parts(call: Any, parts: Path, tmp_path: Path) -> None:
    done = call("run", parts, *SMALL, f"--out={tmp_path}/run", "--dry_run")
    assert counts(done) == [24, 10, 8]


def test_classes_that_a_part_lacks(call: Any, parts: Path, tmp_path: Path) -> None:
    """Nothing can learn a class without training videos; one without others is not tested."""
    line = ["run", parts, *SMALL, f"--out={tmp_path}/run", "--dry_run"]
    _, second, *_ = sorted(path.name for path in (parts / "train").iterdir())
    shutil.rmtree(parts / "test" / second)
    done = call(*line)
    assert f"{parts}: no test video of {second}\n" in done.error
    assert counts(done)[:2] == [24, 10]


def test_classes_that_the_training_videos_lack(call: Any, parts: Path, tmp_path: Path) -> None:
    listed = parts.parent / "videos.txt"
    names = [entry.relative_to(parts) for entry in sorted(parts.rglob("*.mp4"))]
    (parts.parent / "labels.txt").write_text("first\nsecond\nthird\nfourth\nfifth\nsixth\n")
    listed.write_text("".join(f"{name} 4 {k % 4}\n" for k, name in enumerate(names)))
    more = [f"--{part}={listed}" for part in ("validation", "test")]
    line = ["run", listed, *SMALL, f"--out={tmp_path}/run", "--dry_run"]
    message = said(call(*line, *more, f"--data_root={parts}"))
    assert f"{listed}: the training videos lack the class 'fifth' and 1 more. Add videos" in message


def test_videos_of_another_root(call: Any, motion: Any, tmp_path: Path) -> None:
    """All parts lie below one folder, so that a run can be resumed from its manifests."""
    for name in ("train.txt", "labels.txt"):
        shutil.copy(motion.folder / name, tmp_path)
    line = ["run", f"{tmp_path}/train.txt", *SMALL, f"--data_root={motion.folder}"]
    assert sum(counts(call(*line, f"--out={tmp_path}/run", "--dry_run"))) == 24
    shutil.copytree(motion.folder, tmp_path / "other")
    more = [f"--validation={tmp_path}/other/validation.txt", f"--validation_root={tmp_path}/other"]
    message = refused(call(*line, *more, f"--out={tmp_path}/run"))
    assert f"its validation videos are not in {motion.folder}" in message
    assert "Pass the folder that they are in, --data_root" in message
    assert not (tmp_path / "run" / "plan" / "validation.manifest").exists()
    assert not (tmp_path / "run" / "plan" / "plan.json").exists()


def test_bad_videos_are_left_out_unless_they_are_too_many(
    call: Any, task: Path, tmp_path: Path
) -> None:
    (task / "train" / "000003.mp4").write_bytes(b"")
    parts = [f"{task}/train.txt", f"--validation={task}/validation.txt", f"--test={task}/test.txt"]
    line = ["run", *parts, *SMALL, f"--out={tmp_path}/run"]
    message = refused(call(*line, "--max_bad_fraction=0"))
    assert message.startswith("vdroppath run: 1 of 42 videos cannot be read (")
    assert "000003.mp4" in message
    assert f"{tmp_path}/run/plan/doctor.json lists all of them" in message
    done = call(*line, "--max_bad_fraction=0.1")
    assert done.code == 130, done.error
    assert "1 of 42 videos cannot be read and are left out: see " in done.error
    assert len((tmp_path / "run" / "plan" / "train.manifest").read_text().split("train/")) == 24


def test_a_run_that_is_resumed_elsewhere_or_with_other_videos(
    call: Any, task: Path, tmp_path: Path
) -> None:
    line = ["run", f"{task}/train.txt", *SMALL, f"--out={tmp_path}/run"]
    assert call(*line).code == 130
    plan = tmp_path / "run" / "plan" / "plan.json"
    fields = json.loads(plan.read_text())
    plan.write_text(json.dumps({**fields, "versions": {"keras": "3.1.0"}}))
    done = call(*line)
    assert done.code == 130
    assert f"{tmp_path}/run: was started with other versions: {{'keras': '3.1.0'}}" in done.error
    listed = (task / "train.txt").read_text()
    shutil.copy(task / "train" / "000003.mp4", task / "train" / "copy.mp4")
    (task / "train.txt").write_text(listed.replace("000003.mp4", "copy.mp4"))
    message = said(call(*line))
    assert "what differs: the folder's run has other videos than this call. Pass a new" in message


def test_clips_of_long_videos_take_every_nth_frame(call: Any, tmp_path: Path) -> None:
    for label in ("left", "right"):
        (tmp_path / "videos" / label).mkdir(parents=True)
        for number in range(7):
            frames = np.zeros((34, 16, 16, 3), np.uint8)
            write_video(tmp_path / "videos" / label / f"{number}.mp4", frames)
    line = ["run", tmp_path / "videos", "--network=pico", f"--out={tmp_path}/run", "--dry_run"]
    done = call(*line)
    assert (
        "Half of the videos have 34 frames or fewer: clips take every second of them" in done.error
    )
    assert "8 frames, stride 2" in done.out
    assert "stride 1" in call(*line, "--stride=1").out


def test_a_plan_with_trials_tests_the_best_uniform_network_too(
    call: Any, motion: Any, tmp_path: Path
) -> None:
    line = ["run", f"{motion.folder}/train.txt", *SMALL, f"--out={tmp_path}/run", "--dry_run"]
    plan = call(*line, "--trials", "--uniform=2").out
    assert "4      trials: vdroppath trials " in plan
    assert "test of the best uniform network: vdroppath test " in plan
    assert "vdroppath trials" not in call(*line).out
