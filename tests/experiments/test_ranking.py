from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from vdroppath_tf.cli import main
from vdroppath_tf.experiments.ranking import networks
from vdroppath_tf.experiments.ranking.plan import DIFFICULTY, TEMPLATES, Plan
from vdroppath_tf.experiments.ranking.run import draw_strategies
from vdroppath_tf.experiments.tasks.in_memory import draw_clips
from vdroppath_tf.models.resnet import Row, Stage, Stem
from vdroppath_tf.spaces.space import ProbabilitySpace

SMALL = [
    *("--draws=2", "--uniform_draws=0", "--seeds=1", "--epochs=2", "--template_epochs=2"),
    *("--train_clips=32", "--test_clips=16", "--processes=1", "--adapt_steps=2,1"),
]
# Two layers in place of six: tracing them is what takes the time.
ROW = Row("ranking", Stem(4, (1, 5, 5), (1, 4, 4), pool=False), (Stage(2, 4, 1, 2),))


@pytest.mark.slow
def test_ranking_goes_on_where_it_stood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("plan", "networks"):
        monkeypatch.setattr(f"vdroppath_tf.experiments.ranking.{module}.ROW", ROW)
    out = tmp_path / "ranking"
    assert main(["ranking", *SMALL, f"--out={out}"]) == 0
    told = capsys.readouterr().out
    for part in (
        "2 draws, best stand-alone first",
        "Kendall's tau with stand-alone accuracy",
        "Tau above that of 'uniform template'",
        "Tau above that of 'layers in time'",
    ):
        assert part in told
    first = (out / "ranking.json").read_text()
    fields = json.loads(first)
    assert [row["kind"] for row in fields["strategies"]] == ["draws"] * 2
    assert (out / "ranking.png").read_bytes()[:4] == b"\x89PNG"
    uniform = ProbabilitySpace.load(out / "templates" / "uniform-template" / "space.json")
    assert np.all(np.concatenate(uniform.drop) == np.float32(0.5))  # sampled, and nothing learned
    learned = ProbabilitySpace.load(out / "templates" / "space" / "space.json")
    assert not np.allclose(learned.drop, learned.initial)

    results = sorted((out / "results").iterdir())
    assert len(results) == 3 + 3 + 2 * 2 + 2
    assert fields["adaptation"]["space"] == {
        "0": "space",
        "1": "space, after 1 steps",
        "2": "space, after 2 steps",
    }
    assert "after 2 training steps of each strategy, 50.0% of a stand-alone training" in told
    lost = next(path for path in results if path.name.startswith("stand-alone"))
    kept = {path: path.stat().st_mtime_ns for path in results if path != lost}
    lost.unlink()
    assert main(["ranking", *SMALL, f"--out={out}"]) == 0
    assert capsys.readouterr().out == told
    assert (out / "ranking.json").read_text() == first
    assert {path: path.stat().st_mtime_ns for path in kept} == kept

    assert main(["ranking", *SMALL, "--epochs=3", f"--out={out}"]) == 1
    assert "holds another ranking: epochs 2, not 3. Pass a new folder" in capsys.readouterr().err
    assert (out / "ranking.json").read_text() == first

    assert main(["ranking", *SMALL, "--uniform_draws=2", f"--out={out}"]) == 0  # two more
    told = capsys.readouterr().out
    for kind in ("draws", "uniform draws"):
        assert f"2 {kind}, best stand-alone first" in told
        assert f"{kind}: stand-alone accuracies spread" in told
    rows = json.loads((out / "ranking.json").read_text())["strategies"]
    assert rows[:2] == fields["strategies"]
    assert [row["kind"] for row in rows] == ["draws"] * 2 + ["uniform draws"] * 2
    assert all(0 <= a <= 1 for row in rows for a in row["alone"])
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_draws_are_all_different_and_of_both_kinds_apart() -> None:
    space = ProbabilitySpace(np.full((6, 2), 0.3))
    found = draw_strategies(space, Plan(draws=6, uniform_draws=6))
    assert [len(some) for some in found.values()] == [6, 6]
    assert len({strategy for some in found.values() for strategy in some}) == 12
    assert draw_strategies(space, Plan(draws=6, uniform_draws=6)) == found
    assert not any("-" in str(strategy) for some in found.values() for strategy in some)


def test_a_collapsed_space_has_few_draws() -> None:
    sure = ProbabilitySpace(np.tile([0.0, 1.0], (6, 1)), 0.1)
    with pytest.raises(ValueError, match=r"400 draws hold 1 different strategies\. Expected 4"):
        draw_strategies(sure, Plan(draws=4))


def test_recipes_of_a_plan() -> None:
    plan = Plan(epochs=3, template_epochs=10, gate_learning_rate=0.03)
    recipes = {which: plan.template(which) for which in TEMPLATES}
    learned, uniform = recipes["space"], recipes["uniform template"]
    assert [p.epochs for p in learned.template_phases()] == [2, 8]
    assert [p.epochs for p in uniform.template_phases()] == [10]
    assert (learned.initial_drop, learned.gate_learning_rate) == (0.5, 0.03)
    assert (uniform.initial_drop, uniform.gate_learning_rate) == (0.5, 0.0)
    assert [p.epochs for p in plan.stand_alone.stand_alone_phases()] == [3]


@pytest.mark.parametrize("take", [True, False])
def test_averages_replace_weights_at_the_end_of_each_phase(
    take: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If they are taken; else a template is trained as if it had none."""
    found: list[Any] = []
    monkeypatch.setattr(networks, "prepare", lambda model, phase, recipe, steps: phase.name)
    monkeypatch.setattr(networks, "finish", found.append)
    monkeypatch.setattr(networks, "KeepAverages", lambda averages: None)
    recipe = Plan(template_epochs=5).template("space")
    train = draw_clips("motion", "train", 16, seed=0, difficulty=DIFFICULTY)
    last: Any = networks.train_template(mock.Mock(), recipe, train, take=take)
    assert last == "search"
    assert found == ([None, "warmup", "search"] if take else [])


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--draws=1", "draws"),
        ("--seeds=0", "seeds"),
        ("--gate_learning_rate=-1", "gate_learning_rate"),
    ],
)
def test_wrong_flags(flag: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ranking", flag]) == 2
    assert told in capsys.readouterr().err
