"""Trials: which strategies are tried, and which network is kept of those trained to the end."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf.commands.choices import TRIALS
from vdroppath_tf.cost import unit_costs
from vdroppath_tf.experiments import loop, trials
from vdroppath_tf.experiments.stand_alone import StandAlone, final, uniform_strategies
from vdroppath_tf.experiments.steps import FineTuning
from vdroppath_tf.experiments.task_run import BATCH, Task, TaskRun
from vdroppath_tf.experiments.trial_table import trial_table
from vdroppath_tf.experiments.trials import Trials, tried
from vdroppath_tf.scoring.adaptation import adapted_in
from vdroppath_tf.scoring.scores import StrategyScore, StrategyScores
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import build_template

SPACE = ProbabilitySpace([[0.9, 0.01]] * tiny.LAYERS)  # ST everywhere, nearly


DRAWN = [FusionStrategy.parse(text) for text in ("S ST ST", "ST ST S", "ST ST ST")]


def test_the_best_draws_and_uniform_ones_are_tried() -> None:
    found = tried(SPACE, DRAWN, Trials(drawn=2, uniform=8), seed=0)
    assert found[:2] == DRAWN[:2]
    assert len(found) == len(set(found)) == 10
    assert not any(strategy.empty for strategy in found)
    assert sum(str(strategy[0]) in ("S", "-") for strategy in found[2:]) > 1  # the space: 1 in 100
    assert tried(SPACE, DRAWN, Trials(drawn=2, uniform=8), seed=0) == found
    assert tried(SPACE, DRAWN, Trials(drawn=2, uniform=8), seed=1) != found
    assert tried(SPACE, [*DRAWN, DRAWN[0]], Trials(drawn=9, uniform=0), seed=0) == DRAWN


def test_what_the_flags_start_from() -> None:
    assert dataclasses.asdict(Trials()) == TRIALS


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": 0.0}, "share"),
        ({"share": 1.5}, "share"),
        ({"finalists": 0}, "finalists"),
        ({"drawn": 0, "uniform": 0}, r"at least one strategy to try\. Received: drawn=0, unif"),
    ],
)
def test_trials_that_cannot_be(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Trials(**values)


def test_a_uniform_strategy_that_is_drawn_is_not_trained_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the best of those tried; its network is there already, and another one is trained."""
    space = ProbabilitySpace([[0.9, 0.01]] * tiny.LAYERS, architecture=tiny.ROW)
    uniform = uniform_strategies(space)
    assert dict(uniform)["ST everywhere"] == space.mode() == space.sample(1)[0]
    other = FusionStrategy.parse("S S ST", tiny.ROW)
    scores = tuple(
        StrategyScore(one, top1, 1.0, 9) for one, top1 in ((space.mode(), 0.9), (other, 0.5))
    )
    asked: list[tuple[str, FusionStrategy]] = []

    def train(_: Any, name: str, strategy: FusionStrategy) -> StandAlone:
        asked.append((name, strategy))
        return named(name, strategy)

    monkeypatch.setattr(trials, "train_stand_alone", train)
    monkeypatch.setattr(trials, "_trial_scores", lambda *_: StrategyScores(scores, True))
    account = SimpleNamespace(log=lambda _: None)
    run: Any = SimpleNamespace(account=account, recipe=SimpleNamespace(seed=0))
    run.task = SimpleNamespace(validation="the validation videos")
    right = np.arange(100) < 60

    def score(network: Any, videos: Any) -> Answers:
        assert videos == run.task.validation
        return Answers(right if network != "ST everywhere" else np.arange(100) < 80)

    run.score = score
    alone = [train(run, *each) for each in uniform]
    asked.clear()
    costs = unit_costs(tiny.template(), tiny.SHAPE)
    found = trials.run_trials(run, space, [space.mode(), other], alone, Trials(finalists=2), costs)
    assert asked == [("finalist 2", other)]
    assert len(found.trained) == len(found.validation) == len(uniform) + 1
    assert [one.strategy for one in found.finalists] == [other]
    assert found.best_uniform is found.chosen is alone[1]
    assert found.top1 == 0.8


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_stop_says_what_is_kept(
    number: signal.Signals,
    error: type[BaseException],
    motion: Any,
    tmp_path: Path,
) -> None:
    """In the second trial of two; started again, only that one is trained."""
    lines: list[str] = []
    parts = [motion.manifest(part) for part in ("train", "validation", "validation")]
    recipe = tiny.recipe(1, 1, network=tiny.ONE_LAYER)
    run = TaskRun(Task("trials", "", *parts), recipe, tmp_path, log=lines.append)
    passes = -(-len(parts[1]) // BATCH)
    ended: list[int] = []

    @contextlib.contextmanager
    def steps(*_: Any, **__: Any) -> Iterator[Callable[[], None]]:
        def step() -> None:
            ended.append(1)
            if len(ended) == passes + 1:
                signal.raise_signal(number)

        yield step

    run.account.steps = steps  # type: ignore[method-assign]
    space = ProbabilitySpace.from_model(build_template(recipe, run.videos))
    costs = unit_costs(build_template(recipe, run.videos), tiny.SHAPE)
    drawn = [FusionStrategy.parse(unit, space.architecture) for unit in ("S", "ST")]
    given: Any = (run, space, drawn, [], Trials(drawn=2, uniform=0, share=1.0), costs)
    # a process that was started in the background of a shell ignores SIGINT
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(error):
            trials.run_trials(*given)
    finally:
        signal.signal(signal.SIGINT, before)
    assert lines[-1] == (
        f"Stopped: 1 of 2 trials and 0 networks that were trained to the end are kept in {tmp_path}"
        ". The same trials, started again, resume after them."
    )
    assert adapted_in(tmp_path / "trials") == 1
    assert adapted_in(tmp_path) == 0


class Answers:
    """What ``VideoScores`` has that the final needs."""

    def __init__(self, right: np.ndarray) -> None:
        self.right, self.top1 = np.stack([right, right], 1), float(right.mean())
        self.scored = len(right)


def named(name: str, strategy: FusionStrategy) -> StandAlone:
    network: Any = name
    return StandAlone(name, strategy, network)


def test_the_final_is_decided_clip_by_clip_on_validation_videos() -> None:
    costs = unit_costs(tiny.template(), tiny.SHAPE)
    right = np.arange(100) < 60
    better, lucky = np.arange(100) < 80, right.copy()
    lucky[60] = True  # one more than the others: no evidence
    texts = ("S S ST", "S+ST S+ST S+ST", "ST ST ST", "S+ST S+ST ST")
    trained = [named(text, FusionStrategy.parse(text)) for text in texts]
    found: list[Any] = [Answers(right), Answers(lucky), Answers(right), Answers(better)]
    assert final(trained[:3], found[:3], costs) == 0  # the cheapest of three that hardly differ
    assert final(trained, found, costs) == 3  # dearer, 20 more of 100 clips


@pytest.mark.parametrize(
    ("tuning", "top1"),
    [(None, 0.5), (FineTuning(0.2, 0.6, 10), 0.6), (FineTuning(0.7, 0.6, 10), 0.7)],
)
def test_the_derived_network_is_scored_where_fine_tuning_did_not(
    tuning: FineTuning | None, top1: float
) -> None:
    scored: list[Any] = []

    def score(*given: Any) -> Any:
        scored.append(given)
        return SimpleNamespace(top1=0.5)

    run: Any = SimpleNamespace(
        score=score,
        task=SimpleNamespace(validation="validation"),
        account=SimpleNamespace(log=lambda text: None),
    )
    network: Any = "derived"
    found: Any = SimpleNamespace(chosen=SimpleNamespace(strategy=DRAWN[0]), top1=0.4)
    rival = loop._rival(run, loop._Derived(network, "", tuning), found)
    assert (rival.top1, rival.kept) == (top1, True)
    assert scored == ([("derived", "validation")] if tuning is None else [])


def test_where_each_strategy_comes_from() -> None:
    """A uniform strategy that was drawn from the space counts as one of the space's."""
    space = ProbabilitySpace([[0.9, 0.01]] * tiny.LAYERS, architecture=tiny.ROW)
    mode, other = space.mode(), FusionStrategy.parse("S S ST", tiny.ROW)
    uniform = [named(*each) for each in uniform_strategies(space)]
    scores = StrategyScores(
        tuple(StrategyScore(one, 0.5, 1.0, 9) for one in (mode, other)), recalibrated=True
    )
    answers: Any = tuple(Answers(np.arange(10) < k) for k in (2, 8, 5))
    found = trials.Tried(scores, tuple(uniform), answers, 1, 3)
    run: Any = SimpleNamespace(
        task=SimpleNamespace(validation=Twelve()),
        steps_per_epoch=4,
        steps=lambda _: 24,
        stand_alone_phases=tuple,
    )
    costs = unit_costs(tiny.template(), tiny.SHAPE)
    table = trial_table(run, space, [other, mode], Trials(drawn=2, uniform=0), costs, found)
    rows = {row.strategy: row for row in table.rows}
    assert rows[str(mode)].origin == rows[str(other)].origin == "space"
    assert rows["S S S"].origin == "uniform"
    assert (rows[str(mode)].trial, rows[str(mode)].end, rows["S S S"].trial) == (0.5, 0.8, None)
    assert rows[str(mode)].macs == costs.of(mode)[1]
    assert (table.epochs, table.mode_rank, table.videos) == ((3.0, 6.0), (2, 2), 10)
    assert table.data is not None
    assert (table.data.source, table.data.listed, table.data.scored) == ("list.txt", 12, 10)


class Twelve:
    """Videos."""

    source = "list.txt"

    def __len__(self) -> int:
        return 12

    def digest(self) -> str:
        return "d"
