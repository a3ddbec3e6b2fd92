"""Trials: strategies are trained stand-alone in two rounds, and the best is chosen.

A template scores a strategy with weights that all strategies share, after a training in which some
strategies learn sooner than others. If a strategy learns later but ends higher, neither its score
nor the learned space shows this. Trials do: many strategies are trained from scratch for a part of
the whole length, and the best of them to the end. This is successive halving (Karnin et al.,
"Almost optimal exploration in multi-armed bandits", ICML 2013; Jamieson and Talwalkar, AISTATS
2016) in two rounds, over draws from the space and from the uniform prior, so that strategies which
the space has wrongly excluded are tried as well.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from vdroppath_tf.brief import brief
from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.experiments.stand_alone import StandAlone, final, train_stand_alone
from vdroppath_tf.experiments.task_run import BATCH, TaskRun
from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges, whole
from vdroppath_tf.scoring.adaptation import adapted_in
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.scoring.uniform import uniform_prior
from vdroppath_tf.scoring.video_scores import VideoScores
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import build_template
from vdroppath_tf.training.signals import StopSignals

_MASKED_STEP = 1.2
"""The approximate time of a step under masks, relative to one of a derived network."""


@named
@dataclasses.dataclass(frozen=True)
class Trials:
    """The settings of trials: the strategies to try, and the length of a trial.

    Attributes:
        drawn: The number of draws from the space to try: those with the highest scores on the
            template.
        uniform: The number of draws from the uniform prior to try.
        share: The length of a trial, as a share of a stand-alone training. Short trials favour
            strategies that learn fast.
        finalists: The number of strategies that are trained stand-alone to the end: those with the
            highest top-1 on the validation videos.

    Example:
    ```python
    print(Trials(drawn=4, uniform=12, share=0.5, finalists=3))
    ```
    """

    drawn: int = 4
    uniform: int = 12
    share: float = 0.5
    finalists: int = 3

    RANGES: ClassVar[Mapping[str, Range]] = {
        "drawn": whole(0, 100_000),
        "uniform": whole(0, 100_000),
        "share": Range(0.0, 1.0, above=True),
        "finalists": whole(1, 100_000),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        if self.drawn + self.uniform < 1:
            raise ValueError("Expected at least one strategy to try. Received: drawn=0, uniform=0.")

    def steps(self, run: TaskRun) -> int:
        """Returns the number of steps of one trial."""
        return max(1, round(self.share * run.steps(run.stand_alone_phases())))

    def work(self, run: TaskRun) -> float:
        """Returns the work of both rounds, in steps of a derived network."""
        first = (self.drawn + self.uniform) * self.steps(run) * _MASKED_STEP
        return first + self.finalists * run.steps(run.stand_alone_phases())

    def __str__(self) -> str:
        return (
            f"{self.drawn} draws of the highest scores and {self.uniform} uniform draws, each for "
            f"{self.share:.0%} of a stand-alone training; {self.finalists} of them to the end"
        )


@named
def of_space(drawn: Sequence[FusionStrategy], trials: Trials) -> list[FusionStrategy]:
    """The strategies of the space that are tried, none of them twice.

    Args:
        drawn: Draws from it, best first.
        trials: How many.
    """
    return list(dict.fromkeys(drawn))[: trials.drawn]


@named
def tried(
    space: ProbabilitySpace, drawn: Sequence[FusionStrategy], trials: Trials, seed: int
) -> list[FusionStrategy]:
    """Returns the strategies of the first round, all different.

    Args:
        space: The learned space.
        drawn: Draws from the space, best first.
        trials: The settings of the trials.
        seed: The seed of the uniform draws.
    """
    best = of_space(drawn, trials)
    found = dict.fromkeys(best)
    uniform = uniform_prior(space).sample(20 * trials.uniform, seed=seed) if trials.uniform else ()
    for strategy in uniform:
        if len(found) < len(best) + trials.uniform and not strategy.empty:
            found.setdefault(strategy)
    return list(found)


@named
@dataclasses.dataclass(frozen=True, eq=False)
class Tried:
    """The result of trials.

    Attributes:
        scores: The top-1 of each strategy on the validation videos, after its trial.
        trained: The fully trained networks, uniform strategies first.
        validation: The scores of each of these networks on the validation videos.
        place: The number of the chosen one among them.
        uniform: The number of uniform strategies among them.

    Example:
    ```python
    run, trials = TaskRun(task, recipe, Path("run")), Trials(drawn=4, uniform=4)
    tried = run_trials(run, space, candidates(space, draws=8, seed=0), [], trials, costs)
    print(tried.chosen.strategy, tried.top1)
    ```
    """

    scores: StrategyScores
    trained: tuple[StandAlone, ...]
    validation: tuple[VideoScores, ...]
    place: int
    uniform: int

    __repr__ = brief

    @property
    def chosen(self) -> StandAlone:
        """The network that is chosen."""
        return self.trained[self.place]

    @property
    def top1(self) -> float:
        """Its top-1 on the validation videos, which chose it."""
        return self.validation[self.place].top1

    @property
    def finalists(self) -> tuple[StandAlone, ...]:
        """Those that were trained to the end for the accuracy of their trials."""
        return self.trained[self.uniform :]

    @property
    def best_uniform(self) -> StandAlone | None:
        """The uniform network of the highest top-1 on the validation videos, if there is one."""
        places = range(self.uniform)
        best = max(places, key=lambda k: self.validation[k].top1, default=None)
        return None if best is None else self.trained[best]


@named
def run_trials(
    run: TaskRun,
    space: ProbabilitySpace,
    drawn: Sequence[FusionStrategy],
    uniform: Sequence[StandAlone],
    trials: Trials,
    costs: UnitCosts,
) -> Tried:
    """Runs both rounds: tries strategies, trains the best to the end, and chooses one.

    All start from the same weights and see the same batches in the same order. ``final`` makes the
    choice among the finalists and the uniform strategies.

    Args:
        run: The task, the recipe and the folder, in which stopped trials resume.
        space: The learned space.
        drawn: Draws from the space, best first.
        uniform: The uniform strategies, trained to the end.
        trials: The settings of the trials.
        costs: ``UnitCosts`` of their template.

    Returns:
        ``Tried``.

    Raises:
        KeyboardInterrupt, SystemExit: After SIGINT or SIGTERM, with a line about what is kept.

    Example:
    ```python
    run = TaskRun(task, recipe, Path("run"))
    drawn = [score.strategy for score in scores.ranked()]
    tried = run_trials(run, space, drawn, [], Trials(drawn=4, uniform=4), costs)
    print(tried.chosen.strategy)
    ```
    """
    log, strategies = run.account.log, tried(space, drawn, trials, run.recipe.seed)
    log(f"Trying {len(strategies)} strategies: {trials}.")
    alone, answers = [*uniform], []
    with _saying_what_is_kept(run, len(strategies), alone):
        scores = _trial_scores(run, strategies, trials)
        for score in scores.ranked():
            log(f"trial: {score.strategy}, top-1 {score.top1:.3f} on validation clips.")
        known = [one.strategy for one in uniform]
        for n, score in enumerate(scores.ranked()[: trials.finalists], start=1):
            if score.strategy not in known:
                alone.append(train_stand_alone(run, f"finalist {n}", score.strategy))
        with StopSignals():
            for one in alone:
                answers.append(run.score(one.network, run.task.validation))
                top1 = f"top-1 {answers[-1].top1:.3f} on validation clips"
                log(f"{one.name}: {one.strategy}, {top1}.")
    place = final(alone, answers, costs)
    log(
        f"Chosen, the cheapest within one standard error of the best of {len(alone)} networks: "
        f"{alone[place].strategy}, top-1 {answers[place].top1:.3f} on validation clips."
    )
    return Tried(scores, tuple(alone), tuple(answers), place, len(uniform))


@contextlib.contextmanager
def _saying_what_is_kept(run: TaskRun, tried: int, alone: list[StandAlone]) -> Iterator[None]:
    """Logs what is kept if a signal stops the body.

    Args:
        run: The run, whose folder keeps it.
        tried: The number of trials in all.
        alone: The networks that were trained to the end so far.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        kept = _trials_kept(run, tried)
        run.account.log(
            f"Stopped: {kept} of {tried} trials and {len(alone)} networks that were trained to the "
            f"end are kept in {run.folder}. The same trials, started again, resume after them."
        )
        raise


def _trials_kept(run: TaskRun, tried: int) -> int:
    """Returns the number of finished trials; 0 if their file is damaged, which the next run says.

    The file may be that of other settings, if the run was stopped before it was compared.
    """
    try:
        return min(adapted_in(_of_trials(run)), tried)
    except (ValueError, OSError):
        return 0


def _of_trials(run: TaskRun) -> Path:
    """Returns the folder of the results of trials."""
    return run.folder / "trials"


def _trial_scores(run: TaskRun, strategies: list[FusionStrategy], trials: Trials) -> StrategyScores:
    """Returns the top-1 of each strategy on the validation videos after its trial."""
    task, (phase, *_), steps = run.task, run.stand_alone_phases(), trials.steps(run)
    passes = -(-len(task.validation) // BATCH)
    weight = _MASKED_STEP * steps / passes
    total = passes * len(strategies)
    with (
        StopSignals(),  # SIGTERM too: each finished trial is kept
        run.account.timed("try strategies"),
        run.account.steps(
            "trials", total, passes, weight=weight, unit="strategies", first=True
        ) as step,
    ):
        return evaluate_strategies(
            build_template(run.recipe, run.videos),
            strategies,
            run.clips.evaluation(task.validation, batch_size=BATCH),
            train_clips=run.clips.training(task.train, classes=task.train.num_classes),
            options=EvaluationOptions(
                adapt_steps=steps,
                adapt_learning_rate=phase.learning_rate,
                adapt_rise=run.steps_per_epoch,
                resume=_of_trials(run),
                on_strategy=step,
            ),
        )
