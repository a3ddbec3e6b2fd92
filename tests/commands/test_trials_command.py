"""`vdroppath trials`: strategies that are trained stand-alone, and the network that is kept."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_lines import said

from vdroppath_tf.commands.run_plan import steps_of
from vdroppath_tf.report import read_scores, read_trials
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import load_model

pytestmark = pytest.mark.slow


def test_one_strategy_is_tried_and_trained(
    call: Any, chain: Path, motion: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Beside S everywhere; what is kept is the better of the chosen one and the derived network."""
    monkeypatch.setattr("vdroppath_tf.experiments.stand_alone.UNIFORM", ("S",))
    out, derived = tmp_path / "trials", chain / "run" / "derived.keras"
    line = [
        "trials",
        f"--model={chain}/run/template.keras",
        f"--against={derived}",
        f"--data={motion.folder}/train.txt",
        f"--validation={motion.folder}/validation.txt",
        *("--drawn=0", "--uniform=1", "--finalists=1", f"--out={out}"),
    ]
    done = call(*line)
    assert done.code == 0, done.error
    found = json.loads((out / "trials.json").read_text())
    assert found["format"] == "vdroppath_tf.trials/2"
    assert found["epochs"] == {"trial": 2.0, "whole": 4.0}
    assert found["trials"] == {"drawn": 0, "uniform": 1, "share": 0.5, "finalists": 1}
    rows = {one["strategy"]: one for one in found["strategies"]}
    (tried,) = [one for one in rows.values() if one["trial"] is not None]
    trained = [one for one in rows.values() if one["end"] is not None]
    assert {one["strategy"] for one in trained} == {"S S S", tried["strategy"]}
    own = "space" if found["mode"] == "S S S" else "uniform"
    assert rows["S S S"]["origin"] == own or rows["S S S"] is tried
    assert tried["origin"] in ("uniform prior", "space")
    assert rows[found["mode"]]["outcome"] in ("not tried", "chosen", "trained to the end")
    assert rows[found["strategy"]]["outcome"] == "chosen"
    assert all(one["end"] * found["videos"] % 1 == pytest.approx(0, abs=1e-9) for one in trained)
    assert load_model(out / "uniform.keras")[0].architecture["strategy"] == "S S S"
    network, _, labels = load_model(out / "network.keras")
    assert labels == motion.labels
    against, kept = found["against"], found["strategy"]
    assert against["derived"] is True
    assert against["strategy"] == load_model(derived)[0].architecture["strategy"]
    assert against["kept"] == (against["top1"] > rows[found["strategy"]]["end"])
    if against["kept"]:
        assert found["kept"] == against["name"] == str(derived)
        kept = against["strategy"]
    assert network.architecture["strategy"] == kept
    assert "Chosen, the cheapest within one standard error of the best on these 10 " in done.out
    assert re.search(r"derived\.keras: top-1 0\.\d+; (not )?kept", done.out)
    page = tmp_path / "report.html"
    line_of = ["report", f"--space={chain}/run/space.json", f"--out={page}"]
    assert call(*line_of, f"--trials={out}/trials.json").code == 0
    text = page.read_text()
    assert "Strategies trained stand-alone (trials)" in text
    assert "After 2 epochs" in text
    assert read_trials(out / "trials.json").kept == FusionStrategy.parse(kept, "nano")
    shutil.copytree(chain / "run", tmp_path / "other", ignore=shutil.ignore_patterns("*.keras"))
    shutil.copy(out / "uniform.keras", tmp_path / "other")
    alone = f"--against={tmp_path}/other/uniform.keras"
    scores = f"--scores={chain}/run/scores.json"
    done = call(*line[:2], alone, *line[3:], scores)  # trains nothing again
    assert done.code == 0, done.error
    scored = read_scores(chain / "run" / "scores.json").scores
    rank = read_trials(out / "trials.json").mode_rank
    assert rank is not None
    assert rank[1] == len(scored)
    found = json.loads((out / "trials.json").read_text())
    assert found["against"]["derived"] is False
    other = said(call(*line[:2], "--against=nowhere.keras", *line[3:-1], f"--out={tmp_path}/b"))
    assert "nowhere.keras" in other


def test_a_template_is_needed(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    derived = chain / "run" / "derived.keras"
    parts = [f"--data={motion.folder}/train.txt", f"--validation={motion.folder}/validation.txt"]
    message = said(call("trials", f"--model={derived}", *parts, f"--out={tmp_path}/trials"))
    assert "derived.keras: is not a template. Expected one to draw from." in message
    template = f"{chain}/run/template.keras"
    for name in ("derived.keras", "recipe.json"):
        shutil.copy(chain / "run" / name, tmp_path)
    names = (chain / "run" / "labels.txt").read_text().upper()
    (tmp_path / "labels.txt").write_text(names)
    other = f"--against={tmp_path}/derived.keras"
    message = said(call("trials", f"--model={template}", other, *parts, f"--out={tmp_path}/trials"))
    assert f"{other}: has other classes than the template." in message
    given = (f"--model={template}", f"--against={template}")
    message = said(call("trials", *given, *parts, f"--out={tmp_path}/trials"))
    assert "is a template. Expected a network of one strategy of the template" in message


def test_a_run_tries_strategies_where_it_is_told_to(tmp_path: Path) -> None:
    """Then what is tested and exported is the network that the trials keep."""
    how: Any = {"draws": 3, "init": None, "more": [], "shown": None}
    plain = {step.name: step.line for step in steps_of(tmp_path, None, **how)}
    given = {**how, "trials": ["--uniform=2"]}
    tried = {step.name: step.line for step in steps_of(tmp_path, None, **given)}
    beside = "test of the best uniform network"
    assert [*tried] == [*[*plain][:3], "trials", "test", beside, *[*plain][4:]]
    assert "--uniform=2" in tried["trials"]
    assert f"--model={tmp_path}/trials/uniform.keras" in tried[beside]
    for word in ("--result={}/uniform.json", "--trials={}/trials/trials.json"):
        assert word.format(tmp_path) in tried["report"]
        assert word.format(tmp_path) not in plain["report"]
    assert f"--against={tmp_path}/derived.keras" in tried["trials"]
    assert f"--validation={tmp_path}/plan/validation.manifest" in tried["trials"]
    for name in ("test", "export"):
        assert f"--model={tmp_path}/derived.keras" in plain[name]
        assert f"--model={tmp_path}/trials/network.keras" in tried[name]


def test_how_to_try_says_nothing_where_nothing_is_tried(call: Any, tmp_path: Path) -> None:
    message = said(call("run", str(tmp_path), "--uniform=2", f"--out={tmp_path}-run"))
    assert re.search("--uniform .*--trials", message)
