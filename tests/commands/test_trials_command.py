"""`vdroppath trials`: strategies that are trained stand-alone, and the network that is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_lines import said

from vdroppath_tf.commands.run_plan import steps_of
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
    assert found["format"] == "vdroppath_tf.trials/1"
    assert found["trials"] == {"drawn": 0, "uniform": 1, "share": 0.5, "finalists": 1}
    (tried,), trained = found["scores"], found["trained"]
    assert {one["strategy"] for one in trained} == {"S S S", tried["strategy"]}
    assert found["strategy"] in {one["strategy"] for one in trained}
    assert all(one["top1"] * found["videos"] % 1 == pytest.approx(0, abs=1e-9) for one in trained)
    network, _, labels = load_model(out / "network.keras")
    assert labels == motion.labels
    kept = [one["strategy"] for one in trained if one["name"] == found["kept"]]
    if found["kept"] == str(derived):
        kept = [load_model(derived)[0].architecture["strategy"]]
    assert [network.architecture["strategy"]] == kept
    assert "Chosen, the cheapest within one standard error of the best on these 10 " in done.out
    assert re.search(r"derived\.keras: top-1 0\.\d+; (not )?kept\.", done.out)
    other = said(call(*line[:2], "--against=nowhere.keras", *line[3:-1], f"--out={tmp_path}/b"))
    assert "nowhere.keras" in other


def test_a_template_is_needed(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    derived = chain / "run" / "derived.keras"
    parts = [f"--data={motion.folder}/train.txt", f"--validation={motion.folder}/validation.txt"]
    message = said(call("trials", f"--model={derived}", *parts, f"--out={tmp_path}/trials"))
    assert "derived.keras: is no template. Expected one to draw from." in message


def test_a_run_tries_strategies_where_it_is_told_to(tmp_path: Path) -> None:
    """Then what is tested and exported is the network that the trials keep."""
    how: Any = {"draws": 3, "init": None, "more": [], "shown": None}
    plain = {step.name: step.line for step in steps_of(tmp_path, None, **how)}
    tried = {step.name: step.line for step in steps_of(tmp_path, None, **how, trials=True)}
    assert [*tried] == [*[*plain][:3], "trials", *[*plain][3:]]
    assert f"--against={tmp_path}/derived.keras" in tried["trials"]
    assert f"--validation={tmp_path}/plan/validation.manifest" in tried["trials"]
    for name in ("test", "export"):
        assert f"--model={tmp_path}/derived.keras" in plain[name]
        assert f"--model={tmp_path}/trials/network.keras" in tried[name]
