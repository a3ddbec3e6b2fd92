"""run_ranking: compares a template's scores of strategies with stand-alone trainings.

The task has known answers, at a difficulty at which strategies differ. The result is Kendall's tau
between the stand-alone accuracy of strategies and their scores on a template.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vdroppath_tf.analysis.rank_agreement import KINDS, Ranking
from vdroppath_tf.experiments.ranking.jobs import Job, run_jobs, template_files
from vdroppath_tf.experiments.ranking.plan import (
    ADAPTED,
    AS_TRAINED,
    COUNT,
    DIFFICULTY,
    LEARNED,
    LOG_PROB,
    MEAN,
    TEMPLATES,
    Plan,
    after_steps,
)
from vdroppath_tf.files import create_or_verify
from vdroppath_tf.names import named
from vdroppath_tf.scoring.uniform import uniform_prior
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

_FORMAT = "vdroppath_tf.ranking_plan/3"


@named
def run_ranking(
    out: Path,
    plan: Plan,
    *,
    processes: int = 1,
    cluster: str | None = None,
    log: Callable[[str], object] = print,
) -> Ranking:
    """Trains the templates, and every strategy stand-alone; a stopped run resumes.

    Args:
        out: The folder for templates and results.
        plan: The trainings and scores.
        processes: The number of parallel trainings; with 2 or more each has a separate process.
        cluster: The Ray cluster to run them on, see ``in_processes``. Defaults to None, this
            machine.
        log: Called with each line of the progress. Defaults to ``print``.

    Returns:
        Accuracies and scores of every strategy.

    Raises:
        ValueError: If the folder holds another plan, or a space holds too few strategies.

    Example:
    ```python
    found = run_ranking(Path("ranking"), Plan(draws=12, uniform_draws=12, seeds=2))
    print(found.of("draws").taus())
    ```
    """
    where = processes, cluster
    difficulty = dataclasses.asdict(DIFFICULTY)
    fields = {"format": _FORMAT, **plan.trainings, "difficulty": difficulty}
    fields = json.loads(json.dumps(fields))
    create_or_verify(out / "plan.json", fields, holds="ranking")
    log(f"Training {len(TEMPLATES)} templates for {plan.template_epochs} epochs.")
    run_jobs(out, plan, [Job("template", name, plan.seed) for name in TEMPLATES], *where)
    space = ProbabilitySpace.load(template_files(out, LEARNED)[1])
    drawn = draw_strategies(space, plan)
    texts = tuple(str(strategy) for kind in KINDS for strategy in drawn[kind])
    log(f"Scoring {len(texts)} strategies, and training each stand-alone {plan.seeds} times.")
    alone = [Job("stand-alone", text, seed) for seed in plan.all_seeds for text in texts]
    scored = {name: Job("scores", name, plan.seed, texts) for name in TEMPLATES}
    points = sorted(set(plan.adapt_steps))
    adapted = {
        after_steps(name, steps): Job("scores", name, plan.seed, texts, steps)
        for steps in points
        for name in ADAPTED
    }
    # the first seed comes first, so that a stopped run has a result for every strategy
    first, others = alone[: len(texts)], alone[len(texts) :]
    jobs = [*scored.values(), *first, *adapted.values(), *others]
    found = dict(zip(jobs, run_jobs(out, plan, jobs, *where), strict=True))
    scores = {name: found[job]["recalibrated"] for name, job in {**scored, **adapted}.items()}
    scores[MEAN] = np.mean([scores[name] for name in TEMPLATES], 0)
    scores[COUNT] = [_layers_in_time(strategy) for kind in KINDS for strategy in drawn[kind]]
    own = found[scored[LEARNED]]
    scores |= {AS_TRAINED: own["as trained"], LOG_PROB: own["log-probability"]}
    return Ranking(
        kinds=tuple(kind for kind in KINDS for _ in drawn[kind]),
        strategies=texts,
        stand_alone=np.reshape([found[job]["top1"] for job in alone], (plan.seeds, -1)).T,
        scores={name: np.array(values) for name, values in scores.items()},
        clips=plan.clips[1],
        curves={
            name: {0: name, **{steps: after_steps(name, steps) for steps in points}}
            for name in ADAPTED
        },
    )


def _layers_in_time(strategy: FusionStrategy) -> int:
    """Counts the temporal layers: a baseline score that needs no template."""
    return sum(any("T" in branch for branch in unit.branches) for unit in strategy)


@named
def draw_strategies(space: ProbabilitySpace, plan: Plan) -> dict[str, list[FusionStrategy]]:
    """Draws strategies of each kind, all different.

    Raises:
        ValueError: If a space is too concentrated to hold that many.

    Example:
    ```python
    found = draw_strategies(space, Plan(draws=2, uniform_draws=3))
    print(found["draws"], found["uniform draws"])
    ```
    """
    found: dict[str, list[FusionStrategy]] = {}
    taken: set[FusionStrategy] = set()
    wanted = ((space, plan.draws), (uniform_prior(space), plan.uniform_draws))
    for kind, (source, count) in zip(KINDS, wanted, strict=True):
        many = dict.fromkeys(source.sample(100 * max(count, 1), plan.seed, "resample"))
        fresh = [strategy for strategy in many if strategy not in taken][:count]
        if len(fresh) < count:
            raise ValueError(
                f"{100 * count} {kind} hold {len(fresh)} different strategies. Expected {count}: "
                "the space has collapsed. Request fewer."
            )
        found[kind] = fresh
        taken.update(fresh)
    return found
