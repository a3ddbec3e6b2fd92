"""`vdroppath train`: what it writes and says, and what a user may get wrong."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from absl import flags
from command_lines import DAMAGE, line_of, said, train

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.prior import prior_words
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import RECIPES, Recipe


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
    assert "1 epoch of warmup (no gate learns)\n" in done.error
    assert "1 epoch of search (the gates learn)\n" in done.error
    assert f"Prior: {prior_words(prior_strength=RECIPES['small'].prior_strength)}\n" in done.error
    speed = r"[\d.]+ clips/s, \d+% of it waiting for clips; [\d.]+ GB"
    for phase, kl, left in (("warmup", "off", "; about .* left"), ("search", r"\S+ \(prior\)", "")):
        one = rf"^{phase}, epoch 1 of 1: task loss [\d.]+, KL {kl}, top1 [\d.]+; {speed}{left}$"
        assert re.search(one, done.error, re.M), done.error
    assert done.out == ""
    assert done.error.count(", epoch ") == 2  # a line an epoch, and nothing beside it
    done = call(*train(motion.folder, tmp_path / "run", *lines))
    assert done.code == 0
    assert "This run is already finished: nothing is left to train.\n" in done.error
    decided = str(diagnose(ProbabilitySpace.load(tmp_path / "run" / "space.json")))
    assert re.search(r"^The prior decided in \d of 3 layers, the data in \d; \d hardly", decided)
    assert decided.split(" In the last")[0] in done.error  # a run that goes on has its record
    for name in ("recipe.json", "labels.txt"):  # they are refused before anything is trained
        file = tmp_path / "run" / name
        whole = file.read_text()
        file.write_text("edited")
        before = tiny.tree(tmp_path)
        message = said(call(*train(motion.folder, tmp_path / "run", *lines)))
        assert f"{name}: exists already, and does not belong to template.keras" in message
        assert tiny.tree(tmp_path) == before
        file.unlink()
        file.mkdir()  # could not be written over either
        assert name in said(call(*train(motion.folder, tmp_path / "run", *lines)))
        file.rmdir()
        file.write_text(whole)


def test_a_dry_run_says_what_it_will_take(call: Any, motion: Any, tmp_path: Path) -> None:
    lines = [f"--validation={motion.folder}/validation.txt", "--dry_run"]
    line = train(motion.folder, tmp_path / "run", *lines)
    left_out = ("--out", "--warmup_epochs")
    done = call(*[each for each in line if not str(each).startswith(left_out)])
    assert done.code == 0, done.error
    small = RECIPES["small"]
    assert (
        f"24 videos make {3 * 20} steps; the recipe 'small' was designed for {32 * 20}. "
        "--warmup_epochs=" in done.error
    )
    assert list(tmp_path.iterdir()) == []
    assert re.search(
        r"^template_nano: [\d,]+ parameters, [\d,]+ MACs for a clip of 4x16x16$", done.out, re.M
    )
    assert re.search(r"^memory  [\d.]+ GB at most$", done.out, re.M)
    assert re.search(
        rf"^search: {small.search.epochs} epochs of 3 steps, .*clips/s.*: about .*$", done.out, re.M
    )
    assert done.out.rstrip().endswith("Nothing was written.")
    assert "of it, for each epoch: validation, " in done.out
    lines = ["--network=pico", "--warmup_epochs=0", "--search_epochs=1", "--dry_run"]
    done = call(*train(motion.folder, tmp_path / "run", *lines))
    assert done.code == 0, done.error
    assert "validation" not in done.out
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_is_not_there(call: Any, motion: Any, tmp_path: Path) -> None:
    out = tmp_path / "run"
    message = said(call(*train(motion.folder, out, f"--init={tmp_path}/nothing.keras")))
    assert f"There is no file {tmp_path}/nothing.keras to start from. --init takes" in message
    both = ["--init=imagenet", "--init_from=a.keras"]
    assert "is the older name of --init" in said(call(*train(motion.folder, out, *both)))
    assert not out.exists()


def test_several_seeds(call: Any, motion: Any, tmp_path: Path) -> None:
    """Each is the command with that seed, in a folder of its own; their spaces are compared."""
    out = tmp_path / "runs"
    lines = ["--warmup_epochs=0", "--search_epochs=1", "--network=pico", "--seeds=2"]
    done = call(*train(motion.folder, out, *lines, "--seed=3", "--processes=1"))
    assert done.code == 0
    assert "2 seeds; mean and standard deviation over them" in done.out
    assert {path.name for path in out.iterdir()} == {"seed-3", "seed-4", "stability.json"}
    found = json.loads((out / "stability.json").read_text())
    for place, seed in enumerate((3, 4)):
        folder = out / f"seed-{seed}"
        assert Recipe.from_json((folder / "recipe.json").read_text()).seed == seed
        space = ProbabilitySpace.load(folder / "space.json")
        on = space.path_on("paper")["S"]
        np.testing.assert_allclose(found["on by seed and layer"]["S"][place], on)
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("checkpoint-*/*")}
    assert call(*train(motion.folder, out, *lines, "--seed=3", "--processes=1")).code == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


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


def test_the_two_flags_of_the_prior() -> None:
    from vdroppath_tf.commands.flag_words import in_flags
    from vdroppath_tf.commands.recipe_flags import define_recipe, recipe_of_flags

    def recipe(*line: str) -> Recipe:
        values = flags.FlagValues()
        define_recipe(values)
        values(["vdroppath", *line])
        try:
            return recipe_of_flags(values)
        except ValueError as error:
            raise ValueError(in_flags(str(error), values)) from None

    strength = recipe("--recipe=ucf101", "--prior_strength=.002")
    assert (strength.prior_strength, strength.weight_reg) == (0.002, None)
    k = recipe("--recipe=small", "--weight_reg=10")
    assert (k.prior_strength, k.weight_reg) == (None, 10.0)
    with pytest.raises(ValueError, match=r"--weight_reg=1\.0 and --prior_strength=2\.0"):
        recipe("--weight_reg=1", "--prior_strength=2")
    with pytest.raises(ValueError, match=r"--prior_strength must be a number from 0"):
        recipe("--prior_strength=-1")


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
    assert "no gated fusion layers" in done.error


@pytest.mark.slow
def test_options_of_the_network_go_all_the_way(call: Any, motion: Any, tmp_path: Path) -> None:
    """A published recipe on another network, with T, strides in time, a gated classifier."""
    run, data = tmp_path / "run", f"{motion.folder}/train.txt"
    lines = [
        f"train --recipe=ucf101 --network=nano --branches=S,T,ST --temporal_strides=2"
        f" --gate_classifier --frames=4 --short_edge=16 --crop=16 --batch_size=8"
        f" --warmup_epochs=0 --search_epochs=1 --finetune_epochs=1 --data={data} --out={run}",
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "train/000002.mp4 1",
            r"train\.txt: .*The line 'train/000002\.mp4 1' fits only one of them",
        ),
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


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--network=giant"], "Unknown network.*'giant'"),
        (["--recipe=tiny"], "no recipe 'tiny'"),
        (["--batch_size=0"], "batch_size must be a whole number from 1"),
        (["--batch_size=99"], "batch_size 99 exceeds the 24 training videos"),
        (["--learning_rate=0"], "learning_rate must be a number above 0"),
        (["--noise=white"], "noise must be one of"),
        (["--initial_drop=1"], "initial_drop must be a number above 0"),
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
        (["--init_from=a.keras", "--strategy=S S S"], "--init_from starts a template"),
        (["--mirrored", "--devices=2"], "--mirrored is --devices=all, but --devices=2 is given"),
        (["--mirrored", "--workers=2"], "--workers=N .* Leave out --devices and --mirrored"),
        (["--restarts=1", "--seeds=2"], "--restarts are for one training. Leave out --seeds"),
        (["--workers=3"], r"--workers=3 cannot share a batch of 8 .*multiple of 3\."),
        (["--cluster=nowhere"], "--cluster has no effect without --seeds=2"),
        (["--processes=2"], "--processes has no effect without --seeds=2"),
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
    assert (done.code, len(message)) == (3, 1)  # a scheduler shall not begin it again
    assert re.search("phase 'warmup', epoch 1, step [123]", message[0])
    assert "Traceback" not in done.error
    assert not list((tmp_path / "out").glob("*.keras"))


def test_a_run_of_other_settings_is_not_touched(
    call: Any, chain: Path, motion: Any, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(chain / "run", tmp_path / "run"))
    before = tiny.tree(out)
    done = call(*train(motion.folder, out, "--search_epochs=2"))
    assert re.search(r"checkpoint-\S+: the folder holds another run", said(done))
    assert tiny.tree(out) == before
