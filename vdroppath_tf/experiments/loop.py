"""run_loop: the whole loop on a task: train, read, choose, derive, export, predict, compare."""

from __future__ import annotations

import dataclasses

from vdroppath_tf.analysis.class_gains import ClassGains
from vdroppath_tf.cost import UnitCosts, unit_costs
from vdroppath_tf.experiments.answers import answers_in_fresh_process
from vdroppath_tf.experiments.stand_alone import (
    StandAlone,
    train_stand_alone,
    uniform_strategies,
    uniform_units,
)
from vdroppath_tf.experiments.steps import (
    FineTuning,
    candidates,
    derive_network,
    export_network,
)
from vdroppath_tf.experiments.task_run import TEMPLATE_STEP, TaskRun
from vdroppath_tf.experiments.trial_table import trial_table
from vdroppath_tf.experiments.trials import Trials, Tried, run_trials
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.report.classes import gains_over
from vdroppath_tf.report.items import Prediction
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.trials import Rival
from vdroppath_tf.scoring.best_set import confidence_set
from vdroppath_tf.scoring.choosing import choose
from vdroppath_tf.scoring.intervals import optimism
from vdroppath_tf.scoring.listed import DRAWN, STAND_ALONE, Draw, Row
from vdroppath_tf.scoring.scores import StrategyScore, StrategyScores
from vdroppath_tf.scoring.uniform import controls
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import summary
from vdroppath_tf.training.model_files import save_model

UNIFORM_DRAWS = 2
_FRAMES, _DERIVED = "S everywhere", "chosen strategy, derived"  # names of rows
_RETRAINED = "chosen strategy, stand-alone"


@named
def run_loop(
    run: TaskRun,
    *,
    draws: int = 24,
    shown: int = 8,
    retrained: bool = False,
    trials: Trials | None = None,
) -> TaskReport:
    """Runs every step on a task, with an account of each.

    The folder of the run then holds the files of ``vdroppath train``, ``derive`` and ``export``.

    Args:
        run: The recipe, the task and the folder.
        draws: The number of strategies drawn from the space and scored on the validation clips.
            Defaults to 24.
        shown: The number of held-out clips whose answers by the served network the report shows.
            Defaults to 8.
        retrained: Whether the chosen strategy is also trained stand-alone, as long as the uniform
            ones, for a comparison in which only the strategy differs. Defaults to False.
        trials: The strategies to train stand-alone for the choice. The network that is kept is then
            the stand-alone or the derived network of the chosen strategy, whichever is right on
            more validation clips. Defaults to None: the choice is made by scores on the template.

    Returns:
        The content of the report.

    Example:
    ```python
    run = TaskRun(task, recipe, Path("run"))
    report = run_loop(run, draws=24)
    ```
    """
    task = run.task
    run.account.expect(_work(run, retrained=retrained, trials=trials))
    template, history = run.learn()
    space = ProbabilitySpace.from_model(template)
    costs = unit_costs(template, run.clips.clip_shape(task.test))
    scores, chosen = _choose(run, template, space, draws, costs)
    alone = [train_stand_alone(run, *each) for each in uniform_strategies(space)]
    rows = [_stand_alone_row(run, one, costs) for one in alone]
    drawn = [score.strategy for score in scores.ranked()]
    tried = None
    if trials is not None:
        tried = _named_as_chosen(run_trials(run, space, drawn, alone, trials, costs))
        chosen, alone = tried.chosen.strategy, [*tried.trained]
        rows += [_stand_alone_row(run, one, costs) for one in tried.finalists]
    rows += _drawn_rows(run, template, space, chosen, costs)
    derived = _derive(run, template, chosen)
    rows.append(_derived_row(run, derived, chosen, costs))
    if retrained and chosen not in [one.strategy for one in alone]:
        own = train_stand_alone(run, _RETRAINED, chosen)
        rows.append(_stand_alone_row(run, own, costs))
    network, kept, table = derived.network, _DERIVED, None
    if trials is not None and tried is not None:
        rival = _rival(run, derived, tried)
        table = trial_table(run, space, drawn, trials, costs, tried, rival=rival)
        if not rival.kept:
            network, kept = tried.chosen.network, tried.chosen.name
    return TaskReport(
        name=task.name,
        description=task.description,
        space=space,
        rows=rows,
        chosen=chosen,
        chosen_as=_chosen_as(trials),
        kept=kept,
        trials=table,
        classes=task.train.num_classes,
        clips=run.clips.faults.scored(task.test, "test"),
        chosen_on_same_clips=False,
        draws=_draws(scores, costs),
        history=history,
        answers={name: run.answers[name] for name in (kept, _FRAMES) if name in run.answers},
        gains=_gains(run, kept),
        predictions=_serve(run, network, shown),
        settings={
            **_sizes(run),
            **summary(run.recipe, len(task.train)),
            "draws": str(draws),
            **({} if trials is None else {"trials": str(trials)}),
        },
        timings=run.account.timings,
    )


def _chosen_as(trials: Trials | None) -> str:
    if trials is None:
        return "the chosen strategy, the cheapest draw that may be the best"
    return "the chosen strategy, the cheapest within one standard error of the best stand-alone"


def _named_as_chosen(found: Tried) -> Tried:
    """Returns the result with the chosen network under the name of its row, unless uniform."""
    if found.place < found.uniform:
        return found
    trained = list(found.trained)
    trained[found.place] = dataclasses.replace(found.chosen, name=_RETRAINED)
    return dataclasses.replace(found, trained=tuple(trained))


def _rival(run: TaskRun, derived: _Derived, found: Tried) -> Rival:
    """Returns the derived network as a rival, kept if it has a higher validation top-1."""
    if derived.tuning is None:
        top1 = run.score(derived.network, run.task.validation).top1
    else:
        top1 = max(derived.tuning.before, derived.tuning.after)
    rival = Rival.of(_DERIVED, found.chosen.strategy, top1, against=found.top1, derived=True)
    run.account.log(
        f"Of the chosen strategy's networks the one that was "
        f"{'derived' if rival.kept else 'trained stand-alone'} is kept: top-1 {found.top1:.3f} "
        f"stand-alone, {rival.top1:.3f} derived, on validation clips."
    )
    if not rival.kept:
        network, labels = found.chosen.network, run.task.train.labels
        save_model(network, run.folder / "network.keras", run.recipe, labels)
    return rival


def _choose(
    run: TaskRun, template: FusionModel, space: ProbabilitySpace, draws: int, costs: UnitCosts
) -> tuple[StrategyScores, FusionStrategy]:
    """Scores the mode and draws on the validation clips, and chooses a strategy."""
    drawn = candidates(space, draws, run.recipe.seed)
    run.account.log(
        f"Scoring {len(drawn)} strategies (the mode, and {draws} draws without repeats) "
        f"on {len(run.task.validation)} validation clips, none of them trained."
    )
    with run.account.timed("score the draws"):
        scores = run.scores(template, drawn, run.task.validation)
    answers = scores.answers(drawn)
    chosen = choose(scores, costs)
    bias = round(optimism(answers), 3) + 0.0  # never -0.0
    run.account.log(
        f"Most accurate draw: {scores.best.strategy}, top-1 {scores.best.top1:.3f}; as the best of "
        f"{len(drawn)} its selection bias is about {bias:.3f}. In the 95 % "
        f"confidence set of the best: {len(confidence_set(answers))} of {len(drawn)}. Chosen, the "
        f"cheapest of these: {chosen.strategy}, top-1 {chosen.top1:.3f}."
    )
    return scores, chosen.strategy


def _draws(scores: StrategyScores, costs: UnitCosts) -> list[Draw]:
    """Returns the draws for the report, with costs and membership in the confidence set."""
    best = confidence_set(scores.answers([score.strategy for score in scores]))
    return [
        Draw.of(score, costs.of(score.strategy)[1], k in best) for k, score in enumerate(scores)
    ]


def _work(run: TaskRun, *, retrained: bool, trials: Trials | None) -> float:
    """Returns the number of training steps of a run, with the template's steps weighted."""
    recipe = run.recipe
    networks = len(uniform_units(recipe.branches)) + (retrained and trials is None)
    tuned = () if recipe.finetune is None else (recipe.finetune,)
    return (
        TEMPLATE_STEP * run.steps(recipe.template_phases())
        + networks * run.steps(run.stand_alone_phases())
        + run.steps(tuned)
        + (0.0 if trials is None else trials.work(run))
    )


def _drawn_rows(
    run: TaskRun,
    template: FusionModel,
    space: ProbabilitySpace,
    chosen: FusionStrategy,
    costs: UnitCosts,
) -> list[Row]:
    """Returns rows for the mode, the choice, and controls that do not depend on the space."""
    others = controls(space, UNIFORM_DRAWS, run.recipe.seed)
    drawn = {"mode": space.mode(), "chosen strategy": chosen}
    drawn |= {name: strategy for name, strategy in others.items() if "draw" in name}
    rows = []
    scores = run.scores(template, list(drawn.values()), run.task.test)
    for name, score in zip(drawn, scores, strict=True):
        run.account.log(f"{name}: {score.strategy}, top-1 {score.top1:.3f} on held-out clips.")
        rows.append(_row(run, name, score, DRAWN, costs))
    return rows


@dataclasses.dataclass(frozen=True, eq=False)
class _Derived:
    """The derived network, a note on how it was made, and what its fine-tuning did, if any."""

    network: FusionModel
    note: str
    tuning: FineTuning | None = None


def _derive(run: TaskRun, template: FusionModel, chosen: FusionStrategy) -> _Derived:
    tuned = run.recipe.finetune
    total = 0 if tuned is None else run.steps((tuned,))
    tunings: list[FineTuning] = []
    with (
        run.account.timed("derive and fine-tune"),
        run.account.steps("finetune", total, run.steps_per_epoch) as step,
    ):
        network = derive_network(
            template,
            chosen,
            run.clips,
            run.videos,
            finetune_in=None if tuned is None else run.checkpoints("finetune"),
            validation=run.task.validation,
            on_tuned=tunings.append,
            on_step=step,
        )
    save_model(network, run.folder / "derived.keras", run.recipe, run.task.train.labels)
    if tuned is None:
        return _Derived(network, "derived")
    (tuning,) = tunings
    run.account.log(str(tuning))
    note = f"derived, {tuned.epochs} epochs of fine-tuning"
    if not tuning.kept:
        note = "derived; fine-tuning undone, worse on the validation clips"
    return _Derived(network, note, tuning)


def _derived_row(run: TaskRun, derived: _Derived, chosen: FusionStrategy, costs: UnitCosts) -> Row:
    score = run.accuracy(derived.network, chosen, _DERIVED)
    run.account.log(
        f"The derived network ({derived.note}): top-1 {score.top1:.3f} on held-out clips."
    )
    return _row(run, _DERIVED, score, derived.note, costs)


def _stand_alone_row(run: TaskRun, one: StandAlone, costs: UnitCosts) -> Row:
    score = run.accuracy(one.network, one.strategy, one.name)
    run.account.log(f"{one.name}: top-1 {score.top1:.3f} on {score.clips} held-out clips.")
    return _row(run, one.name, score, STAND_ALONE, costs)


def _gains(run: TaskRun, kept: str) -> list[ClassGains]:
    """Returns the gains by class of the kept network over S everywhere, if both were tested."""
    own, frames = (run.answers.get(name) for name in (kept, _FRAMES))
    if own is None or frames is None or kept == _FRAMES:
        return []
    one = "the derived network" if kept == _DERIVED else "the chosen strategy's network"
    return [gains_over(own, frames, one=one, other=_FRAMES)]


def _row(run: TaskRun, name: str, score: StrategyScore, note: str, costs: UnitCosts) -> Row:
    parameters, macs = costs.of(score.strategy)
    top5 = score.top5 if run.task.train.num_classes > 5 else None
    text, error = str(score.strategy), score.standard_error
    return Row(name, text, score.top1, error, parameters, macs, top5, note)


def _serve(run: TaskRun, network: FusionModel, shown: int) -> list[Prediction]:
    """Exports the network, and collects the SavedModel's answers in a fresh process."""
    served = run.folder / "served" / "1"
    export_network(network, served, run.recipe, run.task.train.labels, overwrite=True)
    with run.account.timed("serve in a fresh process"):
        predictions = answers_in_fresh_process(served, run.task.test, shown)
    correct = sum(p.label == p.predicted for p in predictions)
    run.account.log(
        f"Served in a fresh process: {correct} of {len(predictions)} shown clips correct."
    )
    return predictions


def _sizes(run: TaskRun) -> dict[str, str]:
    """Returns the numbers of videos, for the report."""
    task = run.task
    parts = ("training", task.train), ("validation", task.validation), ("test", task.test)
    return {"videos": ", ".join(f"{len(videos)} {name}" for name, videos in parts)}
