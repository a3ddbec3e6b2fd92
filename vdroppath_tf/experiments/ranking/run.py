"""Does a template's ranking hold? Strategies scored on templates, and trained stand-alone.

On a known-answer task at a difficulty where strategies differ. What comes out is Kendall's tau
between the accuracy that strategies reach stand-alone and the scores that a template gives them.
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
    AS_TRAINED,
    DIFFICULTY,
    LEARNED,
    LOG_PROB,
    TASK,
    TEMPLATES,
    Plan,
)
from vdroppath_tf.experiments.tasks.synthetic import write_task
from vdroppath_tf.files import create_or_verify
from vdroppath_tf.names import named
from vdroppath_tf.scoring.uniform import uniform_prior
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

_FORMAT = "vdroppath_tf.ranking_plan/2"


@named
def run_ranking(
    out: Path, plan: Plan, *, processes: int = 1, log: Callable[[str], object] = print
) -> Ranking:
    """Trains the templates, and every strategy stand-alone; a stopped run goes on.

    Args:
        out: The folder for clips, trainings and results.
        plan: What is trained.
        processes: Trainings at a time, each in a process of its own where there are 2 or more.
        log: Called with each line of the progress. Defaults to ``print``.

    Returns:
        Accuracies and scores of every strategy.

    Raises:
        ValueError: If the folder holds another plan, or a space too few strategies.
    """
    difficulty = dataclasses.asdict(DIFFICULTY)
    fields = {"format": _FORMAT, **plan.trainings, "difficulty": difficulty}
    fields = json.loads(json.dumps(fields))
    create_or_verify(out / "plan.json", fields, holds="ranking")
    log(f"Writing {sum(plan.clips)} H.264 clips of {TASK!r}.")
    counts = (plan.clips[0], 1, plan.clips[1])
    write_task(out / "clips", TASK, clips=counts, seed=plan.seed, difficulty=DIFFICULTY)
    log(f"Training {len(TEMPLATES)} templates for {plan.template_epochs} epochs.")
    run_jobs(out, plan, [Job("template", name, plan.seed) for name in TEMPLATES], processes)
    space = ProbabilitySpace.load(template_files(out, LEARNED)[1])
    drawn = draw_strategies(space, plan)
    texts = tuple(str(strategy) for kind in KINDS for strategy in drawn[kind])
    log(f"Scoring {len(texts)} strategies, and training each stand-alone {plan.seeds} times.")
    seeds = range(plan.seed, plan.seed + plan.seeds)
    jobs = [Job("scores", name, plan.seed, texts) for name in TEMPLATES]
    jobs += [Job("stand-alone", text, seed) for seed in seeds for text in texts]
    found = run_jobs(out, plan, jobs, processes)
    scored, stand_alone = found[: len(TEMPLATES)], found[len(TEMPLATES) :]
    scores = {name: result["recalibrated"] for name, result in zip(TEMPLATES, scored, strict=True)}
    scores |= {AS_TRAINED: scored[0]["as trained"], LOG_PROB: scored[0]["log-probability"]}
    return Ranking(
        kinds=tuple(kind for kind in KINDS for _ in drawn[kind]),
        strategies=texts,
        stand_alone=np.reshape([job["top1"] for job in stand_alone], (plan.seeds, -1)).T,
        scores={name: np.array(values) for name, values in scores.items()},
        clips=plan.clips[1],
    )


@named
def draw_strategies(space: ProbabilitySpace, plan: Plan) -> dict[str, list[FusionStrategy]]:
    """Strategies of each kind, none of them twice.

    Raises:
        ValueError: If a space hardly has so many.
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
                "the space has collapsed. Ask for fewer."
            )
        found[kind] = fresh
        taken.update(fresh)
    return found
