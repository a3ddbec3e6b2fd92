"""Does a template's ranking hold? Strategies scored on templates, and trained on their own.

On a known-answer task at a difficulty where strategies differ. What comes out is Kendall's tau
between the accuracy that strategies reach on their own and what a template says of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vdroppath_tf.analysis.rank_agreement import KINDS, Ranking
from vdroppath_tf.experiments.ranking_jobs import Job, run_all, template_files
from vdroppath_tf.experiments.ranking_plan import (
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
from vdroppath_tf.scoring.uniform import uniform_prior
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

_FORMAT = "vdroppath_tf.ranking_plan/1"


def run_ranking(
    out: Path, plan: Plan, *, processes: int = 1, say: Callable[[str], None] = print
) -> Ranking:
    """Trains the templates, and every strategy on its own; a stopped run goes on.

    Args:
        out: folder for clips, trainings and results.
        plan: what is trained.
        processes: trainings at a time, each in a process of its own.
        say: prints a line.

    Returns:
        Accuracies and scores of every strategy.

    Raises:
        ValueError: when the folder holds another plan, or a space too few strategies.
    """
    difficulty = dataclasses.asdict(DIFFICULTY)
    fields = {"format": _FORMAT, **plan.trainings, "difficulty": difficulty}
    fields = json.loads(json.dumps(fields))
    create_or_verify(out / "plan.json", fields, holds="ranking")
    say(f"Writing {sum(plan.clips)} H.264 clips of {TASK!r}.")
    counts = (plan.clips[0], 1, plan.clips[1])
    write_task(out / "clips", TASK, clips=counts, seed=plan.seed, difficulty=DIFFICULTY)
    say(f"Training {len(TEMPLATES)} templates for {plan.template_epochs} epochs.")
    run_all(out, plan, [Job("template", name, plan.seed) for name in TEMPLATES], processes)
    space = ProbabilitySpace.load(template_files(out, LEARNED)[1])
    drawn = draw_strategies(space, plan)
    texts = tuple(str(strategy) for kind in KINDS for strategy in drawn[kind])
    say(f"Scoring {len(texts)} strategies, and training each on its own {plan.seeds} times.")
    seeds = range(plan.seed, plan.seed + plan.seeds)
    jobs = [Job("scores", name, plan.seed, texts) for name in TEMPLATES]
    jobs += [Job("alone", text, seed) for seed in seeds for text in texts]
    found = run_all(out, plan, jobs, processes)
    said, alone = found[: len(TEMPLATES)], found[len(TEMPLATES) :]
    scores = {name: result["recalibrated"] for name, result in zip(TEMPLATES, said, strict=True)}
    scores |= {AS_TRAINED: said[0]["as trained"], LOG_PROB: said[0]["log-probability"]}
    return Ranking(
        kinds=tuple(kind for kind in KINDS for _ in drawn[kind]),
        strategies=texts,
        stand_alone=np.reshape([job["top1"] for job in alone], (plan.seeds, -1)).T,
        scores={name: np.array(values) for name, values in scores.items()},
        clips=plan.clips[1],
    )


def draw_strategies(space: ProbabilitySpace, plan: Plan) -> dict[str, list[FusionStrategy]]:
    """Strategies of each kind, none of them twice.

    Raises:
        ValueError: when a space hardly has so many.
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
                "the space has made up its mind. Ask for fewer."
            )
        found[kind] = fresh
        taken.update(fresh)
    return found
