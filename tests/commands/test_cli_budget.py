"""`vdroppath space` under a budget: answers, files, and what a user may get wrong."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import keras
import pytest
import tiny

from vdroppath_tf.budget.choices import Choice, pareto
from vdroppath_tf.budget.hops import hop_costs
from vdroppath_tf.budget.latency import LatencyTable
from vdroppath_tf.budget.least import least
from vdroppath_tf.budget.search import most_probable
from vdroppath_tf.cli import main
from vdroppath_tf.cost import unit_costs
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

CLIP = ",".join(map(str, tiny.SHAPE))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gates that differ from layer to layer."""
    path = tmp_path_factory.mktemp("budget") / "template.keras"
    model = tiny.template()
    for n, gate in enumerate(model.gates):
        gate.logit.assign([-1.0 + n, 0.5 - n])
    model.save(path)
    return path


@pytest.fixture
def call(template: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    def run(*more: str, code: int = 0) -> str:
        capfd.readouterr()
        assert main(["space", f"--model={template}", *more]) == code
        out, error = capfd.readouterr()
        return out if code == 0 else error

    return run


@pytest.fixture
def front(template: Path) -> tuple[Choice, ...]:
    model = keras.saving.load_model(template)
    return pareto(ProbabilitySpace.from_model(model), model=model, clip_shape=tiny.SHAPE)


@pytest.mark.parametrize("by", ["macs", "parameters"])
def test_the_most_probable_under_a_budget(call: Any, template: Path, front: Any, by: str) -> None:
    model = keras.saving.load_model(template)
    space = ProbabilitySpace.from_model(model)
    limit: Any = {f"max_{by}": getattr(front[1], by)}
    best = most_probable(space, model=model, clip_shape=tiny.SHAPE, **limit)
    out = call(f"--clip_shape={CLIP}", f"--max_{by}={limit[f'max_{by}']}")
    assert f": {best}\n" in out
    for strategy in (best, space.mode()):
        assert f"log-probability {space.log_prob(strategy):.4f} " in out


def test_a_budget_for_an_answer_over_a_stream(
    call: Any, template: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = keras.saving.load_model(template)
    space = ProbabilitySpace.from_model(model)
    shape = (8, *tiny.SHAPE[1:])
    costs = hop_costs(model, shape, hop=2)
    limit = costs.of(space.mode()).hop - 1
    best = most_probable(space, model=model, clip_shape=shape, hop=2, max_macs=limit)
    assert str(best) != str(space.mode())
    out = call("--clip_shape=8,16,16", f"--max_macs={limit}", "--hop=2")
    assert f"most probable with at most {limit:,} MACs a hop of 2 frames: {best}\n" in out
    for what, strategy in (("of it", best), ("of the mode", space.mode())):
        cost = costs.of(strategy)
        (line,) = (each for each in out.splitlines() if each.startswith(f"  {what}: "))
        assert line.endswith(f"  {cost.hop:,} MACs a hop, {cost.share:.2f} of a window's")
    space.save(tmp_path / "space.json")  # whose network is built by its name
    given = ["--clip_shape=8,16,16", f"--max_macs={limit}", "--hop=2"]
    assert main(["space", f"--space={tmp_path}/space.json", *given]) == 0
    assert capfd.readouterr().out.splitlines()[-3:] == out.splitlines()[-3:]


def test_a_budget_that_leaves_only_the_empty_network(
    template: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = keras.saving.load_model(template)
    costs = unit_costs(model, tiny.SHAPE)
    space = ProbabilitySpace.from_model(model)
    cheapest = least(space, costs=costs)
    assert sorted(map(str, cheapest))[:2] == ["-", "-"]
    assert not cheapest.empty
    given = f"--max_macs={costs.of(cheapest)[1] - 1}"
    assert main(["space", f"--model={template}", f"--clip_shape={CLIP}", given]) == 0
    out, error = capfd.readouterr()
    assert ": - - -\n" in out
    assert "leave only the empty network: no layer has a path" in error
    said = f"The cheapest strategy with a path has {costs.of(cheapest)[1]:,} MACs: '{cheapest}'"
    assert said in error
    assert "SpaceWarning" not in error  # a line, not a place in the source
    given = f"--max_macs={costs.of('- - -')[1] - 1}"
    assert main(["space", f"--model={template}", f"--clip_shape={CLIP}", given]) == 1
    assert said in capfd.readouterr().err


def test_the_front_is_written(
    call: Any, front: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = call(f"--clip_shape={CLIP}", f"--pareto={tmp_path}/front.csv")
    assert f"{len(front)} strategies, from the cheapest in macs" in out
    with open(tmp_path / "front.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    name = front[0].strategy.architecture
    read = [
        Choice(
            FusionStrategy.parse(row["strategy"], name),
            float(row["log_prob"]),
            int(row["parameters"]),
            int(row["macs"]),
        )
        for row in rows
    ]
    assert tuple(read) == front
    assert "of them are shown" not in out
    monkeypatch.setattr("vdroppath_tf.commands.budget_flags._SHOWN", 2)
    out = call(f"--clip_shape={CLIP}", f"--pareto={tmp_path}/front.json")
    assert out.endswith(f"2 of them are shown; all are in {tmp_path}/front.json.\n")
    fields = json.loads((tmp_path / "front.json").read_text())
    assert (fields["format"], fields["architecture"]) == ("vdroppath_tf.pareto/1", "nano")
    assert [row["log_prob"] for row in fields["choices"]] == [c.log_prob for c in front]


def test_latency_from_measuring_to_a_budget(call: Any, tmp_path: Path) -> None:
    file = tmp_path / "latency.json"
    out = call(f"--clip_shape={CLIP}", f"--measure_latency={file}")
    table = LatencyTable.load(file)
    ratios = re.findall(r"^  (\d+\.\d\d) \(.* ms / .* ms\)  (.*)$", out, re.MULTILINE)
    assert {text: float(ratio) for ratio, text in ratios} == {
        text: pytest.approx(ratio, abs=0.006) for text, ratio in table.ratios().items()
    }
    out = call(f"--latency={file}", "--max_latency=1e6", "--by=latency", f"--pareto={file}.csv")
    assert "most probable with at most 1,000,000 ms: " in out
    assert "from the cheapest in latency" in out
    assert "latency" in Path(f"{file}.csv").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([f"--clip_shape={CLIP}", "--max_macs=5"], r"No strategy .* at most 5 MACs\. The cheapest"),
        (["--max_macs=5"], r"frames, height and width as --clip_shape\. Received"),
        (
            ["--clip_shape=4,x,3", "--max_macs=5"],
            "--clip_shape=4,x,3: expected frames, height and width",
        ),
        (
            ["--clip_shape=4,0,3", "--max_macs=5"],
            "--clip_shape=4,0,3: expected frames, height and width",
        ),
        (["--max_macs=5", "--max_parameters=5"], "--max_macs and --max_parameters: expected one"),
        (["--max_parameters=5", "--hop=2"], "--hop has no effect without --max_macs"),
        (
            [f"--clip_shape={CLIP}", "--max_macs=5", "--hop=5"],
            "hop must be a whole number",
        ),
        ([f"--clip_shape={CLIP}", "--max_macs=5", "--hop=1"], "most 5 MACs a hop of 1 frames.*Exp"),
        (["--max_latency=5"], "--max_latency has no effect without --latency or --measure_lat"),
        (["--pareto=x.csv", "--by=latency"], "--by=latency has no effect without --latency or"),
        (["--by=parameters"], "--by has no effect without --pareto"),
        (["--pareto=x.txt"], r"--pareto=x\.txt: expected a file that ends in"),
        (["--latency=nowhere.json", "--max_latency=5"], r"nowhere\.json"),
        (
            [f"--clip_shape={CLIP}"],
            "--clip_shape has no effect without --max_macs or .* or --pareto",
        ),
        (["--latency=a", "--measure_latency=a"], "expected one of them"),
    ],
)
def test_wrong_calls(call: Any, more: list[str], message: str) -> None:
    error = call(*more, code=1)
    assert re.search(f"vdroppath space: .*{message}", error)
    assert "Traceback" not in error
