"""`vdroppath run`: from a folder of videos to a served network, and `status` of it."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absl import flags
from command_lines import said

from vdroppath_tf import PipelineRun, run_pipeline, training
from vdroppath_tf.cli import main
from vdroppath_tf.commands import derive, run, train
from vdroppath_tf.commands.run import words_of
from vdroppath_tf.commands.run_outputs import FILES, lost_of_step
from vdroppath_tf.commands.run_plan import steps_of
from vdroppath_tf.commands.run_recipe import FITTED
from vdroppath_tf.commands.run_table import LEVEL, few_to_choose
from vdroppath_tf.commands.status import status_of
from vdroppath_tf.data import ManifestError, open_manifest, write_video
from vdroppath_tf.scoring.best_set import confidence_set
from vdroppath_tf.training import Progress, Recipe
from vdroppath_tf.training.signals import TERMINATED

SMALL = (
    "--network=pico --frames=4 --batch_size=8 --warmup_epochs=1 --search_epochs=1 --draws=3"
    " --set=finetune.epochs=1"
)
STEPS = [
    "warm-up and search",
    "scoring and selection",
    "derive and fine-tune",
    "test",
    "export",
    "report",
    "answer",
]


@pytest.fixture(scope="session")
def folder(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders, with a few videos of other sizes and one that is none. Change nothing."""
    root = tmp_path_factory.mktemp("videos") / "videos"
    rng = np.random.default_rng(0)
    for part in ("train", "validation"):
        for entry in motion.manifest(part):
            to = root / motion.labels[entry.label] / f"{part}-{Path(entry.path).name}"
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(entry.path, to)
    for k, (height, width) in enumerate([(24, 32), (48, 20)]):
        frames = rng.integers(0, 256, (6, height, width, 3), np.uint8)
        write_video(root / motion.labels[0] / f"other-{k}.mp4", frames)
    return root


@pytest.fixture(scope="session")
def finished(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped in the middle and called again. Change nothing of it."""
    out = tmp_path_factory.mktemp("run") / "run"
    line = ["run", str(folder), *SMALL.split(), f"--out={out}"]
    with pytest.MonkeyPatch.context() as patch:

        def stopped(*_: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(derive, "run", stopped)
        assert main(line) == 130
    states = json.loads((out / "plan" / "state.json").read_text())["steps"]
    assert [each["state"] for each in states.values()] == ["done", "done", "stopped"]
    scored = (out / "scores.json").stat().st_mtime_ns
    begun = PipelineRun(out)
    assert not begun.finished
    assert list(begun.paths) == ["template", "space", "scores"]
    with pytest.raises(ValueError, match="nothing was tested yet"):
        _ = begun.result
    recipe = Recipe.from_json((out / "plan" / "recipe.json").read_text())
    done = run_pipeline(folder, out, recipe=recipe, draws=3, verbose=0)  # from Python, the rest
    assert done == PipelineRun(out)
    assert (out / "scores.json").stat().st_mtime_ns == scored
    return out


def test_a_folder_of_videos_becomes_a_served_network(finished: Path, folder: Path) -> None:
    states = json.loads((finished / "plan" / "state.json").read_text())["steps"]
    assert {name: each["state"] for name, each in states.items()} == dict.fromkeys(STEPS, "done")
    for name in ("template.keras", "space.json", "scores.json", "derived.keras", "result.json"):
        assert (finished / name).is_file()
    assert (finished / "served" / "1" / "saved_model.pb").is_file()
    assert "<html" in (finished / "report.html").read_text()
    answer = (finished / "plan" / "answer.txt").read_text()
    assert answer.startswith(f"{folder}/")
    result = json.loads((finished / "result.json").read_text())
    parts = {
        part: open_manifest(finished / "plan" / f"{part}.manifest", root=folder)
        for part in ("train", "validation", "test")
    }
    assert result["data"]["scored"] == len(parts["test"])
    paths = [entry.path for part in parts.values() for entry in part]
    assert sorted(paths) == sorted(str(path) for path in folder.rglob("*.mp4"))
    for part in parts.values():
        assert {entry.label for entry in part} == {0, 1, 2, 3}


def test_a_run_in_python(finished: Path, folder: Path, capfd: Any) -> None:
    run = PipelineRun(finished)
    assert run.finished
    assert set(run.paths) == {
        *("template", "space", "scores", "derived", "result", "served", "report")
    }
    assert run.result["top1"] == json.loads((finished / "result.json").read_text())["top1"]
    assert str(run).startswith(f"{finished}: 7 of 7 steps done, not running\n  1 warm-up and ")
    table = run._repr_html_()
    assert table.count("<tr>") == 1 + len(STEPS)
    assert "<td>derive and fine-tune</td><td>done</td>" in table
    with pytest.raises(ValueError, match="holds no run"):
        PipelineRun(folder)
    capfd.readouterr()
    changes: dict[str, Any] = {
        "search.epochs": 1,
        "warmup.epochs": 1,
        "finetune.epochs": 1,
        "batch_size": 8,
    }
    changes |= {"network": "pico", "sampling.frames": 4}
    more: dict[str, Any] = {"draws": 3, "flags": {"trials": False, "dry_run": False}}
    again = run_pipeline({"train": folder}, finished, changes=changes, **more)
    assert again == run
    assert capfd.readouterr().out.count(" done ") == len(STEPS)  # the plan, and nothing else

    def refused(**given: Any) -> str:
        with pytest.raises(ValueError) as caught:
            run_pipeline(**{"data": folder, "out": finished, "changes": changes, **given})
        return str(caught.value)

    assert "epochs is 1 in the folder's run and 7 in this call. Pass" in refused(
        draws=3, changes={**changes, "search.epochs": 7}
    )
    assert "Did you mean 'search.epochs'" in refused(changes={"serch.epochs": 7})
    assert "Did you mean 'max_bad_fraction'" in refused(flags={"max_bad_fractoin": 0.5})
    assert "Did you mean 'train'" in refused(data={"trian": folder})
    assert refused(out=folder / "run").startswith(
        f"out={folder}/run: is inside the folder of videos"
    )
    assert "draws" in refused(draws=0)
    with pytest.raises(ManifestError, match=r"nothing\.txt: cannot be read .*Check the path"):
        run_pipeline({"train": folder, "test": folder.parent / "nothing.txt"}, finished)
    # what no command takes is refused as on the command line
    assert "max_bad_fraction=nan: expected a number that is finite" in refused(
        flags={"max_bad_fraction": math.nan}
    )
    assert "draws=" in refused(draws=2**60)


def test_what_is_needed_to_run_it_again(finished: Path, folder: Path) -> None:
    plan = json.loads((finished / "plan" / "plan.json").read_text())
    assert plan["command"].startswith(f"vdroppath run --data={folder} ")
    assert plan["data"]["train"]["digest"]
    assert {"tensorflow", "keras", "numpy", "vdroppath_tf", "python"} <= set(plan["versions"])
    recipe = Recipe.from_json((finished / "plan" / "recipe.json").read_text())
    assert json.loads(recipe.to_json()) == plan["recipe"]
    assert (recipe.sampling.short_edge, recipe.sampling.crop) == (16, 16)
    assert recipe.finetune is not None
    assert (recipe.search.epochs, recipe.finetune.epochs) == (1, 1)
    assert Recipe.from_json((finished / "recipe.json").read_text()) == recipe


def test_a_finished_run_does_nothing(finished: Path, folder: Path, call: Any) -> None:
    done = call("run", folder, *SMALL.split(), f"--out={finished}")
    assert done.code == 0, done.error
    assert done.out.count(" done ") == len(STEPS)
    assert "[1/7]" not in done.error
    assert f"Next: vdroppath predict --model={finished}/served/1 VIDEO ..." in done.error
    assert f"Or: vdroppath serve {finished}/served\n" in done.error


def test_status(finished: Path, call: Any, tmp_path: Path) -> None:
    done = call("status", finished)
    assert done.code == 0, done.error
    assert f"{finished}: 7 of 7 steps done, not running" in done.out
    assert "\ntemplate: finished, search (phase 2 of 2), 1 of 1 epochs; noted " in done.out
    assert f"\n{finished}/derived.run: finished, finetune (phase 1 of 1), " in done.out
    assert done.out.count(f"{finished}: ") == 1  # one name, one thing
    assert "last epoch: loss " in done.out
    found = json.loads(call("status", finished, "--json").out)
    assert found["steps"] == dict.fromkeys(STEPS, "done")
    assert found["next"] == ""
    part = Path(shutil.copytree(finished, tmp_path / "a part"))
    state = json.loads((part / "plan" / "state.json").read_text())
    del state["steps"]["answer"], state["steps"]["report"]
    state["steps"]["export"] = {"state": "failed", "error": "the disk is full"}
    (part / "plan" / "state.json").write_text(json.dumps(state))
    done = call("status", part)
    assert "4 of 7 steps done" in done.out
    assert "  bad: the disk is full\n" in done.out
    assert "next step" not in done.out  # the same command does all that is left
    assert f"  to resume: vdroppath run --data={finished.parent}" not in done.out
    assert "  to resume: vdroppath run --data=" in done.out
    assert done.out.endswith(f" --out='{part}'\n")  # where it lies now
    with training.run_lock(part / "plan"):
        done = call("status", part)
    assert "4 of 7 steps done, running\n" in done.out
    assert "to resume" not in done.out


def test_what_was_deleted_or_cut_short_is_made_again(
    finished: Path, folder: Path, call: Any, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / "template.keras").unlink()
    (run / "labels.txt").unlink()
    whole = (run / "derived.keras").read_bytes()
    (run / "derived.keras").write_bytes(whole[: len(whole) // 2])
    shutil.rmtree(run / "served")
    (run / "report.html").write_text("")
    out = call("status", run).out
    assert f"{run}: 3 of 7 steps done, not running" in out
    for line in (
        "  1 warm-up and search: done, but template.keras is missing, labels.txt is missing: vdro",
        "  3 derive and fine-tune: done, but derived.keras is damaged: vdroppath run repeats the",
        "  5 export: done, but served/1/saved_model.pb is missing, served/1/variables/variables.i",
        "  6 report: done, but report.html is empty: vdroppath run repeats the step\n",
        f"  to resume: vdroppath run --data={folder} ",
    ):
        assert line in out
    found = json.loads(call("status", run, "--json").out)
    assert found["steps"]["export"] == "incomplete"
    assert found["next"].startswith("vdroppath train ")
    assert not PipelineRun(run).finished
    done = call("run", folder, *SMALL.split(), f"--out={run}")
    assert done.code == 0, done.error
    assert "         was done, but derived.keras is damaged: the step is repeated\n" in done.out
    assert done.out.count(" done ") == 3
    assert [f"[{n}/7]" in done.out + done.error for n in range(1, 8)] == [1, 0, 1, 0, 1, 1, 0]
    assert PipelineRun(run).finished
    assert (run / "labels.txt").read_bytes() == (finished / "labels.txt").read_bytes()


def test_status_of_a_training(call: Any, chain: Path, tmp_path: Path) -> None:
    """Folders of `train`; one that was killed in its first phase; one of an older version."""
    done = call("status", chain / "run", chain / "run")
    shown = f"{chain / 'run'}: finished, search (phase 2 of 2), 1 of 1 epochs; noted "
    assert done.out.count(shown) == 2
    killed = tmp_path / "killed"
    killed.mkdir()
    shutil.copy(chain / "run" / "run.json", killed)
    assert f"{killed}: unknown; warmup 1 epochs, search 1 epochs" in call("status", killed).out
    phases = (("warmup", 2), ("search", 3))
    bad = ("half of the gates are saturated",)
    Progress(
        "running",
        phases,
        epoch=1,
        step=2,
        steps=3,
        clips_per_second=41.3,
        wait_share=0.031,
        memory_bytes=1_230_000_000,
        seconds_left=250.0,
        metrics={"loss": 1.25},
        bad=bad,
    ).write(killed)
    out = call("status", killed).out
    assert f"{killed}: killed, warmup (phase 1 of 2), 1 of 2 epochs and 2 of 3 steps; " in out
    assert "  speed: 41.3 clips/s, 3% of the time waiting for clips; 1.2 GB of memory\n" in out
    assert "  left: about 4 min 10 s of training\n  last epoch: loss 1.25\n" in out
    assert "  next: search, 3 epochs\n  bad: half of the gates are saturated\n" in out
    assert "  no process is running, so nothing more happens by itself\n" in out
    with training.run_lock(killed):
        assert f"{killed}: running, " in call("status", killed).out


def test_status_says_how_a_training_resumes(call: Any, tmp_path: Path) -> None:
    phases = (("warmup", 2), ("search", 3))
    (tmp_path / "run.json").write_text(json.dumps({"phases": []}))
    resume = "  to resume: give the same command again; it continues from the last checkpoint\n"
    states = {"running": True, "stopped": True, "failed": True, "finished": False}
    for state, has_line in states.items():  # no process runs: the first one was killed
        Progress(state, phases, number=1, epoch=2).write(tmp_path)
        done = call("status", tmp_path)
        assert f"{tmp_path}: {'killed' if state == 'running' else state}, search " in done.out
        assert done.out.endswith(resume) == has_line
        assert "next: " not in done.out
    (tmp_path / "template.keras").touch()
    model, scores = f"--model={tmp_path}/template.keras", f"--out={tmp_path}/scores.json"
    line = f"vdroppath evaluate {model} --data=VALIDATION --train_data=TRAIN {scores}"
    assert f"  next: {line}\n" in call("status", tmp_path).out
    Progress("stopped", phases, command="vdroppath train --out=run").write(tmp_path)
    resume = "  to resume from the last checkpoint: vdroppath train --out=run\n"
    assert call("status", tmp_path).out.endswith(resume)


def test_a_training_notes_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is the one to give again, and has no secret."""

    def noted(*given: str) -> list[str]:
        values = flags.FlagValues()
        train.define(values)
        values(["vdroppath", *given])
        return shlex.split(train.command_of(values))

    given = ["--data=my videos", "--out=run"]
    assert noted(*given) == ["vdroppath", "train", *given]
    assert noted(*given, "--backup=s3://key:secret@host/b") == []
    assert noted(*given, "--devices=multiworker") == []
    monkeypatch.setattr(train, "is_supervised", lambda: True)
    assert noted(*given) == []


def test_status_of_no_run(call: Any, tmp_path: Path) -> None:
    assert "holds no run" in said(call("status", tmp_path))
    assert "holds no run" in said(call("status", tmp_path / "nothing"))
    assert "Name at least one folder" in said(call("status"))


def test_a_plan_is_printed_and_nothing_is_written(call: Any, folder: Path, tmp_path: Path) -> None:
    done = call("run", folder, *SMALL.split(), f"--out={tmp_path}/run", "--dry_run")
    assert done.code == 0, done.error
    assert "  1      warm-up and search: vdroppath train --recipe=" in done.out
    assert "The videos differ in size: 16x16 (34), " in done.error
    plan, rehearsal = done.out.split("Time of step 1 on this machine")
    assert "  choice    6 validation videos can rule out only those of 4 strategies that an" in plan
    for phase in ("warmup", "search"):
        assert f"\n{phase}: 1 epochs of 3 steps, " in rehearsal
    assert re.search(r"in all: about .* s\. Nothing was written\.\n$", rehearsal)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("videos", "draws"), [(9, 50), (10, 50), (20, 3), (49, 50)])
def test_what_few_videos_cannot_choose_is_said_before(videos: int, draws: int) -> None:
    """The line agrees with the confidence set: one strategy is right on ``wins`` videos more."""
    line = few_to_choose(videos, draws)
    right = np.zeros((draws + 1, videos), bool)
    wins = next((n for n in range(1, videos + 1) if _ruled_out(right, n)), None)
    if wins is None:
        assert line.startswith(f"{videos} validation videos cannot rule out any of {draws + 1} ")
    else:
        assert f"at least {wins} videos fewer than another one ({wins / videos:.0%})" in line
    (least,) = re.findall(r"pass (\d+) or more \(--validation\)", line)
    assert few_to_choose(int(least), draws) == ""
    assert few_to_choose(int(least) - 1, draws) != ""


def _ruled_out(right: np.ndarray, wins: int) -> bool:
    """Whether strategies are ruled out by one that answers this many videos more."""
    right = right.copy()
    right[0, :wins] = True
    return confidence_set(right, LEVEL) == [0]


def test_the_help_of_run_states_what_run_chooses() -> None:
    values = flags.FlagValues()
    run.define(values)
    for name, said_of_it in FITTED.items():
        assert values[name].help.endswith(f" in small; {said_of_it})")
    of_train = flags.FlagValues()
    train.define(of_train)
    assert of_train["warmup_epochs"].help == "epochs of warmup (default: the recipe's, 4 in small)"


@pytest.fixture
def no_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what only the time of a plan needs."""
    monkeypatch.setattr(run, "time_table", lambda *_: "")


@pytest.mark.usefixtures("no_rehearsal")
def test_frame_rates_that_differ_are_in_the_plan(call: Any, folder: Path, tmp_path: Path) -> None:
    mixed = Path(shutil.copytree(folder, tmp_path / "mixed"))
    for label in mixed.iterdir():
        frames = np.zeros((6, 16, 16, 3), np.uint8)
        write_video(label / "fast.mp4", frames, fps=50)
    line = [*SMALL.split(), f"--out={tmp_path}/run", "--dry_run"]
    said_of_rates = "  rates     25 to 50 frames per second, so clips differ in duration; --fps=25 "
    assert said_of_rates in call("run", mixed, *line).out
    for given in ([folder], [mixed, "--fps=25"]):
        assert "  rates " not in call("run", *given, *line).out


@pytest.mark.usefixtures("no_rehearsal")
def test_few_videos_are_made_up_for(call: Any, folder: Path, tmp_path: Path) -> None:
    done = call("run", folder, "--network=nano", f"--out={tmp_path}/run", "--dry_run")
    assert "training videos: a batch is 6 clips." in done.error
    assert "search takes" in done.error
    assert done.code == 0


def test_what_cannot_be_run(call: Any, finished: Path, folder: Path, tmp_path: Path) -> None:
    """One line each, and nothing is written."""

    def refused(*more: Any) -> str:
        return said(call("run", *more))

    out = f"--out={tmp_path}/run"
    assert "Did you mean 'search.epochs'" in refused(folder, "--set=serch.epochs=3", out)
    assert "--set=serch.epochs" in refused(folder, "--set=serch.epochs=3", out)
    few = Path(shutil.copytree(folder, tmp_path / "few"))
    (label, *_) = sorted(path.name for path in few.iterdir())
    for path in sorted((few / label).iterdir())[2:]:
        path.unlink()
    assert f"of the class {label!r}, so a split" in refused(few, out)
    again = [*SMALL.split(), f"--out={finished}"]
    differs = refused(folder, *again, "--set=search.epochs=7")
    assert (
        "what differs: recipe.search.epochs is 1 in the folder's run and 7 in this call." in differs
    )
    less = Path(shutil.copytree(folder, tmp_path / "less"))
    next((less / label).iterdir()).unlink()
    said_of_less = refused(less, *again)
    count = len(list(folder.rglob("*.mp4")))
    counts = f"the folder's run has {count} videos, this call {count - 1}; "
    assert f"another run; what differs: {counts}as a conseq" in said_of_less
    assert "as a consequence or besides, data.source is " in said_of_less
    bare = Path(shutil.copytree(finished, tmp_path / "bare"))
    shutil.rmtree(bare / "plan")
    without = refused(folder, *SMALL.split(), f"--out={bare}")
    assert "bare: plan/plan.json is missing, without which a run cannot be resumed." in without
    assert "holds template.keras, derived.keras, served, run.json. Copy plan/ back" in without
    shutil.rmtree(bare)
    assert "is inside the folder of videos" in refused(folder, f"--out={folder}/run")
    assert "Pass a folder or a list of videos" in refused(out)
    assert "Expected one folder or list" in refused(folder, few, out)
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    assert "holds notes.txt, but no file of this command" in refused(folder, f"--out={other}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few", "less", "other"]


def test_train_takes_videos_of_mixed_sizes(call: Any, folder: Path, tmp_path: Path) -> None:
    line = ["--network=nano", "--frames=4", "--batch_size=8", "--warmup_epochs=1"]
    done = call("train", f"--data={folder}", f"--out={tmp_path}/run", *line, "--search_epochs=0")
    assert done.code == 0, done.error
    assert "Clips are scaled to a short edge of 16 pixels and cropped to 16x16" in done.error
    assert "Next: vdroppath evaluate --model=" in done.error


def test_trainings_of_trials_are_shown_and_a_signal_has_its_name(tmp_path: Path) -> None:
    place = tmp_path / "trials" / "runs" / "S"
    place.mkdir(parents=True)
    (place / "run.json").write_text(json.dumps({"phases": [{"name": "search", "epochs": 3}]}))
    assert list(status_of(tmp_path)["trainings"]) == [str(place)]
    assert words_of(SystemExit(TERMINATED)) == "stopped by SIGTERM"
    assert [words_of(SystemExit(3)), words_of(KeyboardInterrupt())] == ["3", "KeyboardInterrupt"]
    assert "pipe" in words_of(BrokenPipeError(32, "Broken pipe"))


def test_the_files_of_every_step_are_known(tmp_path: Path) -> None:
    """Each command line names the file that is looked for after it, or the folder of that file."""
    how: Any = {"draws": 3, "init": None, "more": [], "shown": "a.mp4", "trials": []}
    steps = steps_of(tmp_path, None, **how)
    assert [step.name for step in steps] == list(FILES)
    for step in steps[:-1]:  # the answer is printed
        (out,) = (flag for flag in step.arguments if flag.startswith("--out="))
        named = Path(out.removeprefix("--out="))
        first = tmp_path / FILES[step.name][0]
        assert named in (first, first.parent), step
        assert lost_of_step(tmp_path, step.name, FILES).startswith(f"{FILES[step.name][0]} is miss")
