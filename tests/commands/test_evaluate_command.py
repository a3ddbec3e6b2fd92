"""`vdroppath evaluate`: strategies that are named, drawn or raced, and what is reported of them."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tiny
from command_lines import said

from vdroppath_tf.commands.evaluate import beaten, repeated
from vdroppath_tf.commands.scores_file import show
from vdroppath_tf.cost import unit_costs
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.experiments import candidates
from vdroppath_tf.scoring.choosing import choose
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.listed import Row
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.scoring.selection import Selection, select
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy


def test_what_was_chosen_on_is_not_reported_on(chain: Path) -> None:
    run = chain / "run"
    selection = json.loads((run / "scores.json").read_text())["selection"]
    assert selection["clips"] == [5, 5]
    names = ["mode", "S everywhere", "ST everywhere", "S+ST everywhere"]
    names += [f"uniform draw {n}" for n in range(1, 6)]
    rows = [row["name"] for row in selection["rows"]]
    assert rows[0] == "selected"
    assert [name for name in rows[1:] if name != "most accurate"] == names
    first = selection["rows"][0]
    assert first["top1"]["low"] <= first["top1"]["value"] <= first["top1"]["high"]
    assert first["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert selection["strategy"] in selection["not_told_apart"]
    chosen_on = StrategyScores.load(run / "scores.chosen_on.npz")
    reported_on = StrategyScores.load(run / "scores.reported_on.npz")
    costs = unit_costs(keras.saving.load_model(run / "template.keras"), tiny.SHAPE)
    assert selection["rule"] == "cheapest"
    assert choose(chosen_on, costs).top1 == selection["top1_chosen_on"]
    macs = [costs.of(text)[1] for text in selection["not_told_apart"]]
    assert costs.of(selection["strategy"])[1] == min(macs)
    assert ("most accurate" in rows) == (str(chosen_on.best.strategy) != selection["strategy"])
    (own,) = [s for s in reported_on if str(s.strategy) == selection["strategy"]]
    assert own.top1 == first["top1"]["value"]
    assert not (run / "scores.json.progress").exists()


def test_evaluate_scores_the_strategies_that_are_named(call: Any, chain: Path, motion: Any) -> None:
    done = call(
        "evaluate",
        f"--model={chain}/run/template.keras",
        f"--data={motion.folder}/validation.txt",
        "--strategy=S S S",
        "--strategy=ST - S+ST",
        "--choose=accurate",
    )
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("The 5 clips used for the choice; the best first, and of equals")
    assert lines[1].split() == ["top-1", "95", "%", "interval", "MACs", "strategy"]  # 4 classes
    found = [re.fullmatch(r"0\.\d+  \[.*\] +[\d,]+  (.*)", line) for line in lines[2:4]]
    assert {each[1] for each in found if each} == {"S S S", "ST - S+ST"}
    assert "The 5 clips of the report (chosen on one half of" in lines[5]
    assert re.fullmatch(r"0\.\d+  \[.*\] +0\.0000 +\[0\.0000, 0\.0000\]  selected: .*", lines[8])
    assert re.fullmatch(r"Selected: the highest top-1 \(.* MACs\), whatever it costs\.", lines[-4])
    assert lines[-3:] == [
        "In the 95 % confidence set of the best: 2 of 2.",
        "paper-1clip, chosen on: 5 of 5 videos scored",
        "paper-1clip, reported on: 5 of 5 videos scored",
    ]


@pytest.mark.parametrize("classes", [3, 6])
def test_scores_are_a_table_for_people(classes: int, capsys: Any) -> None:
    """Of equals the cheapest first; a head over each column; top-5 only if it differs from 1."""
    right = np.zeros((3, 4, 2), bool)
    right[:, :, 1] = True
    right[1:, :, 0] = True
    draws = [FusionStrategy.parse(text, None) for text in ("S S", "S+ST ST", "- S")]
    macs = {str(each): n for each, n in zip(draws, (2_000_000, 3_000, 10), strict=True)}
    costs: Any = SimpleNamespace(of=lambda each: (0, macs[str(each)]))
    scores = StrategyScores.of(draws, right, [4] * 3, np.zeros(4, int), True)
    result = select(scores, scores, {"S everywhere": draws[0]}, costs=costs)
    result = dataclasses.replace(result, optimism=-1e-17)
    show(result, scores, scores, "why", costs, classes)
    lines = capsys.readouterr().out.splitlines()
    top5 = ["top-5"] if classes > 5 else []
    assert lines[1].split() == ["top-1", "95", "%", "interval", *top5, "MACs", "strategy"]
    ends = ["       10  - S", "    3,000  S+ST ST", "2,000,000  S S"]
    assert all(line.endswith(end) for line, end in zip(lines[2:5], ends, strict=True))
    assert lines[1].endswith("     MACs  strategy")
    assert [line[:6] for line in lines[2:5]] == ["1.0000", "1.0000", "0.0000"]
    assert {line.index("[") for line in lines[2:5]} == {8}
    assert "-0.0000" not in "".join(lines)
    assert any(line.endswith("selection bias of about 0.0000.") for line in lines)


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
        "--margin=0.01",
        "--uniform_draws=0",
    ]
    done = call(*line)
    assert done.code == 0, done.error
    assert "Dropped ones may be as good: the race dropped those not better by 0.01.\n" in done.out
    assert "The 10 clips used for the choice; " in done.out
    assert "The 8 clips of the report (chosen on " in done.out
    assert "uniform draw" not in done.out
    assert re.search(
        "The prior decided in . of 3 layers, the data in .; . hardly moved", done.error
    )
    assert "Selected: the cheapest of those that may be the best (" in done.out
    space = ProbabilitySpace.load(tmp_path / "space.json")
    dataclasses.replace(space, architecture="micro").save(tmp_path / "space.json")
    assert re.search("'micro'.*'nano'", call(*line).error)


def test_draws_that_repeat_are_counted() -> None:
    space = ProbabilitySpace([[0.01, 0.98], [0.02, 0.99]])
    found = candidates(space, 20, seed=0)
    said = repeated(space, 20, len(found))
    assert said is not None
    assert said.startswith(f"20 draws and the mode are {len(found)} different strategies, which")
    assert said.endswith("is its mode with probability 0.94.")
    assert "are 1 strategy, which is" in str(repeated(space, 20, 1))
    assert repeated(space, 20, 20) is None


def test_a_control_that_beats_the_choice_is_named() -> None:
    even = Interval(0.0, 0.0, 0.0)
    rows = [
        Row("selected", "S ST", 0.125, 0.0, difference=even),
        Row("mode", "ST S", 0.9, 0.0, difference=Interval(0.775, 0.6, 0.9)),
        Row("most accurate", "ST ST", 0.9, 0.0, difference=Interval(0.775, 0.6, 0.9)),
        Row("ST everywhere", "ST ST", 0.375, 0.0, difference=Interval(0.25, -0.125, 0.5)),
        Row("S everywhere", "S S", 0.5, 0.0, difference=Interval(0.375, 0.125, 0.75)),
    ]
    chosen = FusionStrategy.parse("S ST")
    found = Selection(chosen, 0.2, 0.0, tuple(rows), (chosen,), 0.05, 0.95, (8, 8))
    assert str(beaten(found)).startswith(
        "S everywhere has a higher top-1 than the selected strategy, by 0.3750 [0.1250, 0.7500]: "
    )
    assert beaten(dataclasses.replace(found, rows=tuple(rows[:4]))) is None


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
