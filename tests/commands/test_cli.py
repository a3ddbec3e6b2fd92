"""The `vdroppath` command: help, the chain of commands, and what a user may get wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tiny
from absl import flags

from vdroppath_tf.cli import COMMANDS, main
from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import RECIPES, Recipe


class Done(NamedTuple):
    code: int
    out: str
    error: str


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line in this process."""

    def run(*arguments: Any) -> Done:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def chain(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands were called one after another. Change nothing of it."""
    folder = tmp_path_factory.mktemp("chain")
    task, run = motion.folder, folder / "run"
    model, derived = run / "template.keras", run / "derived.keras"
    lines = [
        f"train --network=nano --frames=4 --batch_size=8 --data={task}/train.txt"
        f" --validation={task}/validation.txt --warmup_epochs=1 --search_epochs=1 --out={run}",
        f"evaluate --model={model} --data={task}/validation.txt --train_data={task}/train.txt"
        f" --draws=3 --out={run}/scores.json",
        f"derive --model={model} --scores={run}/scores.json --train_data={task}/train.txt"
        f" --finetune --out={derived}",
        f"export --model={derived} --out={folder}/served/1",
    ]
    for line in lines:
        assert main(shlex.split(line)) == 0, line
    return folder


def example_of(name: str) -> list[str]:
    return shlex.split(COMMANDS[name].EXAMPLE)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_has_an_example_that_can_be_called(call: Any, name: str) -> None:
    done = call(name, "--help")
    assert (done.code, done.error) == (0, "")
    assert COMMANDS[name].EXAMPLE in done.out
    program, command, *rest = example_of(name)
    assert (program, command) == ("vdroppath", name)
    values = flags.FlagValues()
    COMMANDS[name].define(values)
    values([program, *rest])  # every flag exists, every value has its type
    for flag in values:
        assert f"--{flag} " in done.out
        assert values[flag].help


def test_help_lists_the_commands(call: Any) -> None:
    done = call("--help")
    assert done.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in done.out
    assert call().code == 2


def test_train_writes_a_model_and_what_belongs_to_it(chain: Path, motion: Any) -> None:
    run = chain / "run"
    recipe = Recipe.from_json((run / "recipe.json").read_text())
    assert (recipe.network, recipe.batch_size, recipe.sampling.frames) == ("nano", 8, 4)
    assert (recipe.warmup.epochs, recipe.search.epochs) == (1, 1)
    assert tuple((run / "labels.txt").read_text().split()) == motion.labels
    history = json.loads((run / "history.json").read_text())
    assert [entry["phase"] for entry in history] == ["warmup", "search"]
    space = ProbabilitySpace.load(run / "space.json")
    np.testing.assert_allclose(space.drop, history[-1]["drop"])
    assert list((run / "tensorboard").iterdir())


def test_train_says_where_it_stands(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    lines = ["--search_epochs=1", "--network=nano"]
    done = call(*train(motion.folder, tmp_path / "run", *lines))
    assert "warmup: 1 epochs, no gate learns\n" in done.error
    assert "search: 1 epochs, the gates learn\n" in done.error
    done = call(*train(motion.folder, tmp_path / "run", *lines))
    assert done.code == 0
    assert "This run was finished before: nothing is left to train.\n" in done.error


def test_the_best_score_was_derived(chain: Path) -> None:
    scores = json.loads((chain / "run" / "scores.json").read_text())
    assert (scores["format"], scores["architecture"]) == ("vdroppath_tf.scores/2", "nano")
    top1 = [row["top1"] for row in scores["scores"]]
    assert top1 == sorted(top1, reverse=True)
    assert 1 <= len(top1) <= 4
    told = json.loads((chain / "run" / "derived.run" / "run.json").read_text())
    chosen = scores["selection"]["strategy"]
    assert told["network"]["strategy"] == chosen == scores["scores"][0]["strategy"]
    assert (
        told["network"]["dropout"]
        == Recipe.from_json((chain / "run" / "recipe.json").read_text()).finetune_dropout
    )


def test_what_was_chosen_on_is_not_reported_on(chain: Path) -> None:
    run = chain / "run"
    selection = json.loads((run / "scores.json").read_text())["selection"]
    assert selection["clips"] == [5, 5]
    names = ["selected", "mode", "S everywhere", "ST everywhere", "S+ST everywhere"]
    names += [f"uniform draw {n}" for n in range(1, 6)]
    assert [row["name"] for row in selection["rows"]] == names
    first = selection["rows"][0]
    assert first["top1"]["low"] <= first["top1"]["value"] <= first["top1"]["high"]
    assert first["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert selection["strategy"] in selection["not_told_apart"]
    chosen_on = StrategyScores.load(run / "scores.chosen_on.npz")
    reported_on = StrategyScores.load(run / "scores.reported_on.npz")
    assert chosen_on.best.top1 == selection["top1_chosen_on"]
    (own,) = [s for s in reported_on if str(s.strategy) == selection["strategy"]]
    assert own.top1 == first["top1"]["value"]
    assert not (run / "scores.json.progress").exists()


def test_space_prints_the_space(call: Any, chain: Path, tmp_path: Path) -> None:
    done = call("space", f"--model={chain}/run/template.keras", f"--out={tmp_path}/space.json")
    assert done.code == 0
    space = ProbabilitySpace.load(tmp_path / "space.json")
    assert (tmp_path / "space.json").read_bytes() == (chain / "run" / "space.json").read_bytes()
    for i, name in enumerate(space.layers):
        (line,) = [line for line in done.out.splitlines() if line.startswith(name)]
        numbers = [float(text) for text in re.findall(r"\d\.\d{3}", line)]
        expected = [p[i] for form in ("paper", "sampling") for p in space.marginals(form).values()]
        expected += [space.entropy()[i], space.distance_from_start()[i]]
        np.testing.assert_allclose(numbers, expected, atol=6e-4)
    assert f"mode: {space.mode()}" in done.out


def test_evaluate_scores_the_strategies_that_are_named(call: Any, chain: Path, motion: Any) -> None:
    done = call(
        "evaluate",
        f"--model={chain}/run/template.keras",
        f"--data={motion.folder}/validation.txt",
        "--strategy=S S S",
        "--strategy=ST - S+ST",
    )
    assert done.code == 0
    found = dict(re.findall(r"^(0\.\d+) \+- .* top-5 1\.0000  (.*)$", done.out, re.MULTILINE))
    assert set(found.values()) == {"S S S", "ST - S+ST"} or len(found) == 1
    lines = done.out.splitlines()
    assert "Below: 5 (chosen on one half of" in lines[3]
    assert re.fullmatch(r"0\.\d+ \[.*\]  0\.0000 \[0\.0000, 0\.0000\]  selected: .*", lines[5])
    assert lines[-3:] == [
        "In the 95 % confidence set of the best: 2 of 2.",
        "paper-1clip, chosen on: 5 of 5 videos scored",
        "paper-1clip, reported on: 5 of 5 videos scored",
    ]


def test_a_race_of_draws_of_a_space(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    shutil.copy(chain / "run" / "space.json", tmp_path)
    line = [
        "evaluate",
        f"--model={chain}/run/template.keras",
        f"--data={motion.folder}/validation.txt",
        f"--test_data={motion.folder}/test.txt",
        f"--space={tmp_path}/space.json",
        "--draws=2",
        "--race",
        "--uniform_draws=0",
    ]
    done = call(*line)
    assert done.code == 0, done.error
    assert "Above: the 10 clips that were chosen on. Below: 8 (chosen on " in done.out
    assert "uniform draw" not in done.out
    space = ProbabilitySpace.load(tmp_path / "space.json")
    dataclasses.replace(space, architecture="micro").save(tmp_path / "space.json")
    assert re.search("'micro'.*'nano'", call(*line).error)


def test_a_validation_part_that_is_empty(call: Any, chain: Path, motion: Any) -> None:
    (motion.folder / "one.txt").write_text(
        (motion.folder / "validation.txt").read_text().splitlines()[0] + "\n"
    )
    try:
        data = f"--data={motion.folder}/one.txt"
        done = call("evaluate", f"--model={chain}/run/template.keras", data)
    finally:
        (motion.folder / "one.txt").unlink()
    assert done.code == 1
    assert re.search(r"one\.txt: .*at least 2 of them.*--test_data", done.error)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("run/derived.keras", []),
        ("run/template.keras", ["--strategy=S ST S+ST", "--protocol=paper-2clip"]),
        ("served/1", ["--protocol=paper-2clip"]),
    ],
)
def test_test(
    call: Any, chain: Path, motion: Any, tmp_path: Path, model: str, options: list[str]
) -> None:
    """A network, a template with a strategy, a SavedModel; clips are whole videos here."""
    done = call(
        "test",
        f"--model={chain}/{model}",
        f"--data={motion.folder}/test.txt",
        f"--out={tmp_path}/result.json",
        f"--scores={tmp_path}/scores.npz",
        *options,
    )
    assert done.code == 0, done.error
    result = json.loads((tmp_path / "result.json").read_text())
    name = "paper-2clip" if options else "paper-1clip"  # the recipe's
    assert (result["format"], result["protocol"]["name"]) == ("vdroppath_tf.test/1", name)
    assert (result["data"]["listed"], result["data"]["scored"]) == (8, 8)
    derived = json.loads((chain / "run" / "scores.json").read_text())["selection"]["strategy"]
    strategies = {"template": "S ST S+ST", "derived": derived, "1": None}
    assert result["strategy"] == strategies[Path(model).stem]
    assert result.get("architecture") == (None if Path(model).stem == "1" else "nano")
    assert f"{name}: 8 of 8 videos" in done.out
    assert f"top-1  {result['top1']:.4f} +- {result['top1_standard_error']:.4f}" in done.out
    with np.load(tmp_path / "scores.npz", allow_pickle=False) as scores:
        right = scores["probabilities"].argmax(1) == scores["labels"]
        assert right.mean() == result["top1"]
        assert scores["videos"].tolist() == [e.path for e in motion.manifest("test")]


def test_sampling_and_augmentation_flags() -> None:
    from vdroppath_tf.commands.recipe_flags import define_recipe, recipe_of_flags

    values = flags.FlagValues()
    define_recipe(values)
    line = "--recipe=ucf101 --sampler=segments --frames=8 --crop_area=.1,.5 --flip_directional"
    more = (
        "--color_jitter=.4,.3,.2,.1 --rand_augment=2,9 --mixup=.8 --cutmix=1 --label_smoothing=.1"
    )
    values(["vdroppath", *line.split(), *more.split()])
    recipe, usual = recipe_of_flags(values), RECIPES["ucf101"]
    assert recipe.sampling == dataclasses.replace(
        usual.sampling, sampler="segments", frames=8, crop_area=(0.1, 0.5), flip_directional=True
    )
    assert recipe.augment == Augmentation((0.4, 0.3, 0.2, 0.1), (2, 9), 0.8, 1.0, 0.1)
    assert Recipe.from_json(recipe.to_json()) == recipe
    values(["vdroppath", "--color_jitter=.4,much"])
    with pytest.raises(ValueError, match=r"--color_jitter=\.4,much: expected brightness"):
        recipe_of_flags(values)


def test_predict(call: Any, chain: Path, motion: Any) -> None:
    files = [entry.path for entry in motion.manifest("test").entries[:3]]
    done = call("predict", f"--model={chain}/served/1", "--json", *files)
    assert done.code == 0
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["file"] for answer in answers] == files
    for answer in answers:
        assert set(answer) == {"file", "label", "probabilities"}
        assert set(answer["probabilities"]) == set(motion.labels)
        assert sum(answer["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
        assert max(answer["probabilities"], key=answer["probabilities"].get) == answer["label"]
    shown = call("predict", f"--model={chain}/served/1", "--top=2", *files)
    for line, answer in zip(shown.out.splitlines(), answers, strict=True):
        (first, p), _ = list(answer["probabilities"].items())[:2]
        assert line.startswith(f"{answer['file']}: {first} {p:.3f}, ")
        assert line.count(", ") == 1


def test_in_a_process_of_its_own(chain: Path, motion: Any) -> None:
    """Answers on stdout and nothing else there; errors on stderr, in one line."""
    file = motion.manifest("test").entries[0].path
    command = [sys.executable, "-m", "vdroppath_tf", "predict", f"--model={chain}/served/1"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*command, "--json", file, "missing.mp4"],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["file"] == file
    said = [line for line in done.stderr.splitlines() if "vdroppath" in line]
    assert len(said) == 1
    assert said[0].startswith("vdroppath predict: ")
    assert "missing.mp4" in said[0]
    assert "Traceback" not in done.stderr


def test_a_network_trained_on_its_own(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    """And a list without labels.txt: numbers are names."""
    shutil.copytree(motion.folder, tmp_path / "task")
    (tmp_path / "task" / "labels.txt").unlink()
    done = call(
        "train",
        "--network=nano",
        "--frames=4",
        "--batch_size=8",
        f"--data={tmp_path}/task/train.txt",
        "--warmup_epochs=0",
        "--search_epochs=1",
        "--strategy=S ST -",
        f"--out={tmp_path}/alone",
    )
    assert done.code == 0, done.error
    assert (tmp_path / "alone" / "network.keras").is_file()
    assert (tmp_path / "alone" / "labels.txt").read_text().split() == ["0", "1", "2", "3"]
    done = call("space", f"--model={tmp_path}/alone/network.keras")
    assert done.code == 1
    assert "no template" in done.error


@pytest.mark.slow
def test_options_of_the_network_go_all_the_way(call: Any, motion: Any, tmp_path: Path) -> None:
    """A published recipe on another network, with T, strides in time, a gated classifier."""
    run, data = tmp_path / "run", f"{motion.folder}/train.txt"
    lines = [
        f"train --recipe=ucf101 --network=nano --branches=S,T,ST --temporal_strides=2"
        f" --gate_classifier --frames=4 --short_edge=16 --crop=16 --batch_size=8"
        f" --warmup_epochs=1 --search_epochs=1 --finetune_epochs=1 --data={data} --out={run}",
        f"evaluate --model={run}/template.keras --data={data} --draws=2 --out={run}/scores.json",
        f"derive --model={run}/template.keras --strategy='S+T T S+T+ST' --train_data={data}"
        f" --finetune --out={run}/derived.keras",
    ]
    for line in lines:
        done = call(*shlex.split(line))
        assert done.code == 0, done.error
    recipe = Recipe.from_json((run / "recipe.json").read_text())
    assert (recipe.network, recipe.branches, recipe.temporal_strides, recipe.gate_classifier) == (
        "nano",
        ("S", "T", "ST"),
        (2,),
        True,
    )
    template = json.loads((run / "run.json").read_text())["network"]
    assert (template["branches"], template["temporal_strides"][0]) == (["S", "T", "ST"], 2)
    assert template["gates"]["gate_classifier"] is True
    derived = json.loads((run / "derived.run" / "run.json").read_text())["network"]
    assert (derived["strategy"], derived["temporal_strides"][0]) == ("S+T T S+T+ST", 2)
    assert derived["dropout"] == 0.5


@pytest.mark.slow
def test_a_start_from_a_trained_template(call: Any, chain: Path, tmp_path: Path) -> None:
    """Other classes: a new classifier, the rest kept, and the report says so."""
    files = tiny.write(tmp_path / "both", "both", (16, 16, 16))
    done = call(
        "train",
        f"--init_from={chain}/run/template.keras",
        "--network=nano",
        "--frames=4",
        "--batch_size=8",
        f"--data={files.folder}/train.txt",
        "--warmup_epochs=1",
        "--search_epochs=0",
        f"--out={tmp_path}/run",
    )
    assert done.code == 0, done.error
    assert "new: classifier/kernel" in done.error
    assert "weights copied" in done.error
    assert len((tmp_path / "run" / "labels.txt").read_text().splitlines()) == 16


# --- what a user may get wrong ---------------------------------------------------------------


def said(done: Done, *, code: int = 1) -> str:
    """The one message of a command that failed."""
    assert done.code == code, done.error
    assert "Traceback" not in done.error
    assert done.out == ""
    (message,) = re.findall(r"^vdroppath \w+: .*(?:\n(?!\n).*)*", done.error, re.MULTILINE)
    return message.strip()


def test_wrong_calls(call: Any) -> None:
    assert "there is no command 'trian'" in call("trian").error
    assert call("trian").code == 2
    for line, words in (
        ("train --out=x", "train: --data is needed: training videos: list, annotation file"),
        ("train --data=x --out=y --frames=eight", "--frames=eight: expected a whole number"),
        ("train --data=x --out=y --learning_rate=-", "--learning_rate=-: expected a number"),
        ("train --data=x --out=y --epochs=3", "epochs"),
        ("train --data=x --out=y --batch_size=many", "many"),
        ("evaluate --model=x --data=y --draws=0", "draws"),
        ("space --model=x y.keras", "takes flags only. Received: y.keras"),
        ("predict --model", "model"),
    ):
        message = said(call(*shlex.split(line)), code=2)
        assert words in message
        assert message.endswith("--help.")


def train(task: Path, out: Path, *more: str) -> list[str]:
    flags_ = ["--network=nano", "--frames=4", "--batch_size=8", "--warmup_epochs=1"]
    return ["train", f"--data={task}/train.txt", f"--out={out}", *flags_, *more]


@pytest.fixture
def task(motion: Any, tmp_path: Path) -> Path:
    """A copy of the task, to damage."""
    return Path(shutil.copytree(motion.folder, tmp_path / "task"))


def line_of(task: Path, number: int, text: str) -> None:
    lines = (task / "train.txt").read_text().splitlines()
    lines[number - 1] = text
    (task / "train.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train/000002.mp4 1", r"train\.txt:3: has 2 of 3 fields"),
        ("train/000002.mp4 4 -1", r"train\.txt:3: label is -1, expected 0 to"),
        ("train/000002.mp4 4 4", r"train\.txt:3: label 4 has no name"),
        ("../elsewhere.mp4 4 0", r"train\.txt:3: path '\.\./elsewhere\.mp4' leaves the root"),
        ("train/missing.mp4 4 0", r"train\.txt:3: there is no file 'train/missing\.mp4'"),
        ("train/000002.mp4 9 0", r"000002\.mp4: holds 4 frames, but .*train\.txt:3 lists 9"),
    ],
)
def test_bad_lines_of_a_list(
    call: Any, task: Path, tmp_path: Path, text: str, message: str
) -> None:
    line_of(task, 3, text)
    strict = "--max_bad_fraction=0"  # else one such video is no reason to stop
    assert re.search(message, said(call(*train(task, tmp_path / "out", strict))))
    assert not (tmp_path / "out").exists()


def audio_only(path: Path) -> None:
    import wave

    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000))


DAMAGE: dict[str, tuple[Any, str]] = {
    "empty": (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
    "garbage": (lambda path: path.write_bytes(b"not a video " * 99), "damaged or not a video"),
    "cut short": (lambda path: os.truncate(path, path.stat().st_size // 2), "is cut short"),
    "audio only": (audio_only, "damaged or not a video|no video"),
    "a folder without frames": (lambda path: (path.unlink(), path.mkdir()), "holds no frame"),
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("part", ["train", "validation"])
def test_bad_videos_stop_a_training_before_it_begins(
    call: Any, task: Path, tmp_path: Path, kind: str, part: str
) -> None:
    damage, message = DAMAGE[kind]
    damage(task / part / "000003.mp4")
    more = f"--validation={task}/validation.txt", "--max_bad_fraction=0"
    done = call(*train(task, tmp_path / "out", *more))
    assert re.search(rf"{part}/000003\.mp4'?.*({message})|({message}).*000003", said(done))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", DAMAGE)
def test_bad_videos_to_predict(call: Any, chain: Path, task: Path, kind: str) -> None:
    damage, message = DAMAGE[kind]
    path = task / "test" / "000003.mp4"
    damage(path)
    assert re.search(
        rf"000003\.mp4: .*({message})", said(call("predict", f"--model={chain}/served/1", path))
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--network=giant"], "Unknown network.*'giant'"),
        (["--recipe=tiny"], "no recipe 'tiny'"),
        (["--batch_size=0"], "batch_size must be at least 1"),
        (["--batch_size=99"], "batch_size 99 exceeds the 24 training videos"),
        (["--learning_rate=0"], "learning_rate above 0"),
        (["--learning_rate=nan"], "learning_rate above 0"),
        (["--noise=white"], "noise must be one of"),
        (["--initial_drop=1"], "initial_drop must be between 0 and 1"),
        (["--frames=0"], "frames must be whole and at least 1"),
        (["--crop=99"], "smaller than the crop"),
        (["--strategy=S ST"], "2.*3|3.*2"),
        (["--strategy=S X ST"], "X"),
        (["--strategy=S T ST"], "T"),
        (["--branches=S,X"], r"branches must be of .*Received: \('S', 'X'\)"),
        (["--branches=ST,S"], "branches must be of .* in that order"),
        (["--branches=T"], "S or ST among them"),
        (["--branches="], "branches must be of .*Received"),
        (["--temporal_strides=2,x"], r"--temporal_strides=2,x: expected .*2,2,2"),
        (["--temporal_strides=2,0"], r"temporal_strides must be .* 1 or more.*\(2, 0\)"),
        (["--temporal_strides=2,2,2,2,2"], "temporal_strides must be at most 3 numbers"),
        (["--init_from=nowhere.keras"], "no model nowhere.keras"),
    ],
)
def test_bad_flags_of_train(
    call: Any, motion: Any, tmp_path: Path, more: list[str], message: str
) -> None:
    done = call(*train(motion.folder, tmp_path / "out", *more))
    assert re.search(message, said(done))
    assert not (tmp_path / "out").exists()


def test_a_recipe_without_fine_tuning_has_none_to_change(
    call: Any, motion: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "bare", RECIPES["small"].replace(finetune=None))
    more = ["--recipe=bare", "--finetune_epochs=2"]
    done = call(*train(motion.folder, tmp_path / "out", *more))
    assert "'bare' has no phase finetune" in said(done)
    assert not (tmp_path / "out").exists()


def test_nan_loss(call: Any, motion: Any, tmp_path: Path) -> None:
    more = ["--learning_rate=1e30", "--search_epochs=1"]
    done = call(*train(motion.folder, tmp_path / "out", *more))
    message = re.findall(r"^vdroppath train: .*$", done.error, re.MULTILINE)
    assert (done.code, len(message)) == (1, 1)
    assert re.search("phase 'warmup', epoch 1, step [123]", message[0])
    assert "Traceback" not in done.error
    assert not list((tmp_path / "out").glob("*.keras"))


def test_a_run_of_other_settings_is_not_touched(
    call: Any, chain: Path, motion: Any, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(chain / "run", tmp_path / "run"))
    before = tiny.tree(out)
    done = call(*train(motion.folder, out, "--search_epochs=2"))
    assert re.search(r"run\.json: the folder holds another run", said(done))
    assert tiny.tree(out) == before


def test_bad_strategies(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    model = f"--model={chain}/run/template.keras"
    data = f"--data={motion.folder}/validation.txt"
    out = f"--out={tmp_path}/x.keras"
    assert re.search("2.*3|3.*2", said(call("derive", model, "--strategy=S S", out)))
    assert "'X'" in said(call("derive", model, "--strategy=S S X", out))
    done = call("evaluate", model, data, "--strategy=S S S S")
    assert re.search("4.*3|3.*4", done.error)
    assert done.code == 1
    scores = tmp_path / "scores.json"
    fields = {"format": "vdroppath_tf.scores/2", "architecture": "resnet50", "scores": []}
    fields |= {"protocol": "paper-1clip", "data": []}
    scores.write_text(json.dumps({**fields, "selection": {"strategy": "S S S"}}))
    message = said(call("derive", model, f"--scores={scores}", out))
    assert "resnet50" in message
    assert "nano" in message
    for text in ("", "[]", json.dumps({**fields, "selection": {}})):
        scores.write_text(text)
        assert "scores.json: holds no scores" in said(
            call("derive", model, f"--scores={scores}", out)
        )
    assert list(tmp_path.iterdir()) == [scores]


def test_a_space_needs_no_recipe(call: Any, tmp_path: Path) -> None:
    """Of a template that `model.save` wrote."""
    tiny.template().save(tmp_path / "mine.keras")
    done = call("space", f"--model={tmp_path}/mine.keras")
    assert (done.code, done.out.splitlines()[-1]) == (0, "mode: S+ST S+ST S+ST")


def test_bad_models(call: Any, chain: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.keras").write_bytes(b"no zip")
    export = ("export", f"--model={tmp_path}/bad.keras", f"--out={tmp_path}/served")
    assert "recipe.json is missing" in said(call(*export))
    recipe = tmp_path / "recipe.json"
    recipe.write_text("{}")
    assert "recipe.json: This is no recipe" in said(call(*export))
    shutil.copy(chain / "run" / "recipe.json", recipe)
    message = said(call("space", f"--model={tmp_path}/bad.keras"))
    assert "bad.keras: is no model that vdroppath wrote, or is damaged" in message
    whole = (chain / "run" / "template.keras").read_bytes()
    (tmp_path / "bad.keras").write_bytes(whole[: len(whole) // 2])
    assert "bad.keras: is no model" in said(call("space", f"--model={tmp_path}/bad.keras"))
    shutil.copy(chain / "run" / "template.keras", tmp_path / "good.keras")
    (tmp_path / "labels.txt").write_text("one\ntwo\n")
    message = said(call("space", f"--model={tmp_path}/good.keras"))
    assert "labels.txt: names 2 classes" in message
    message = said(call("predict", f"--model={tmp_path}", "a.mp4"))
    assert "holds no SavedModel" in message
    for command in (["test", "--data=x"], ["space"]):
        message = said(call(*command, f"--model={chain}/run"))
        assert f"run is a folder. Pass a model in it: {chain}/run/derived.keras, " in message
    assert "Name at least one video" in said(call("predict", f"--model={chain}/served/1"))


def test_bad_calls_of_derive_and_export(
    call: Any, chain: Path, motion: Any, tmp_path: Path
) -> None:
    model = f"--model={chain}/run/template.keras"
    assert "ends in .keras" in said(call("derive", model, f"--out={tmp_path}/x.h5"))
    message = said(call("derive", model, "--finetune", f"--out={tmp_path}/x.keras"))
    assert "--finetune needs --train_data" in message
    assert list(tmp_path.iterdir()) == []
    before = tiny.tree(chain)
    derived = f"--model={chain}/run/derived.keras"
    assert "is there already" in said(call("export", derived, f"--out={chain}/served/1"))
    (tmp_path / "labels.txt").write_text("one\ntwo\n")
    done = call("export", derived, f"--labels={tmp_path}/labels.txt", f"--out={tmp_path}/1")
    assert "4 classes. Received: 2 labels" in said(done)
    assert tiny.tree(chain) == before


def test_classes_that_are_not_the_models(
    call: Any, chain: Path, motion: Any, task: Path, tmp_path: Path
) -> None:
    model = f"--model={chain}/run/template.keras"
    (task / "labels.txt").write_text("up\ndown\nleft\nright\n")
    message = said(call("evaluate", model, f"--data={task}/validation.txt", "--strategy=S S S"))
    assert "labels.txt: other classes than the model's" in message
    folder = tmp_path / "classes" / "sideways"
    folder.mkdir(parents=True)
    write_video(folder / "a.mp4", np.zeros((4, 16, 16, 3), np.uint8))
    message = said(call("evaluate", model, f"--data={folder.parent}", "--strategy=S S S"))
    assert "'sideways' is not among the labels" in message


def test_mode_is_what_is_derived_where_nothing_is_named(
    call: Any, chain: Path, tmp_path: Path
) -> None:
    done = call("derive", f"--model={chain}/run/template.keras", f"--out={tmp_path}/x.keras")
    assert done.code == 0
    mode = ProbabilitySpace.load(chain / "run" / "space.json").mode()
    assert f"Strategy: {mode}" in done.error
    assert FusionStrategy.parse(str(mode)).units == mode.units
