"""What trials found, as plain data: for the report, and for the file that the command writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.experiments.task_run import TaskRun
from vdroppath_tf.experiments.trials import Trials, Tried, of_space
from vdroppath_tf.names import named
from vdroppath_tf.report.items import DataUsed
from vdroppath_tf.report.trials import (
    BY_TRIALS,
    PRIOR,
    SPACE,
    UNIFORM,
    Rival,
    TrialTable,
    TriedRow,
)
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training.clips import ONE_CLIP


@named
def trial_table(
    run: TaskRun,
    space: ProbabilitySpace,
    drawn: Sequence[FusionStrategy],
    trials: Trials,
    costs: UnitCosts,
    found: Tried,
    *,
    rival: Rival | None = None,
) -> TrialTable:
    """Which strategies were tried and trained, and what became of each.

    Args:
        run: The task, the recipe and the folder.
        space: The learned space.
        drawn: Draws from it, best first.
        trials: How many were tried, for how long.
        costs: ``UnitCosts`` of their template.
        found: What the trials found.
        rival: A network that the chosen one is compared with. Defaults to None.

    Example:
    ```python
    run, trials = TaskRun(task, recipe, Path("run")), Trials(drawn=4, uniform=4)
    drawn = candidates(space, draws=8, seed=0)
    tried = run_trials(run, space, drawn, [], trials, costs)
    table = trial_table(run, space, drawn, trials, costs, tried)
    print(table.kept)
    ```
    """
    validation, mode = run.task.validation, space.mode()
    after = {score.strategy: score.top1 for score in found.scores}
    end = {
        one.strategy: answers.top1
        for one, answers in zip(found.trained, found.validation, strict=True)
    }
    from_space = {*of_space(drawn, trials), mode}

    def row(strategy: FusionStrategy) -> TriedRow:
        drawn_from = PRIOR if strategy in after else UNIFORM
        return TriedRow(
            str(strategy),
            SPACE if strategy in from_space else drawn_from,
            after.get(strategy),
            end.get(strategy),
            costs.of(strategy)[1],
        )

    ranked = list(dict.fromkeys(drawn))
    scored = found.validation[found.place].scored
    per_epoch, whole = run.steps_per_epoch, run.steps(run.stand_alone_phases())
    return TrialTable(
        rows=[row(strategy) for strategy in dict.fromkeys([*end, *after, mode])],
        mode=str(mode),
        chosen=found.chosen.strategy,
        epochs=(round(trials.steps(run) / per_epoch, 2), whole / per_epoch),
        videos=scored,
        mode_rank=(ranked.index(mode) + 1, len(ranked)) if mode in ranked else None,
        rival=rival,
        settings=dataclasses.asdict(trials),
        data=DataUsed(
            BY_TRIALS,
            validation.source,
            validation.digest(),
            len(validation),
            ONE_CLIP.name,
            scored,
        ),
    )
