"""Does a template's ranking hold? Strategies scored on templates, and trained on their own.

On a known-answer task at a difficulty where strategies differ. What comes out is Kendall's tau
between the accuracy that strategies reach on their own and what a template says of them.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from .analysis.evaluate import evaluate_strategies
from .analysis.rank_agreement import KINDS, Ranking
from .analysis.select import uniform_prior
from .data.disk import claim
from .data.pipeline import VideoCache, evaluation_clips, training_clips
from .data.shapes import Difficulty, labels
from .data.synthetic import TaskFiles, write_task
from .files import write_text
from .space import ProbabilitySpace
from .strategy import FusionStrategy
from .training import RECIPES, Clips, Recipe, build_derived, build_template, train

TASK = "both"
# Small, so that dozens of trainings take minutes; noisy and fast, so that strategies differ.
DIFFICULTY = Difficulty(frames=6, size=16, noise=30.0, contrast=90.0, speed=4.0, shape=6.0)
LEARNED, UNIFORM = "space", "uniform template"
# Templates whose scores are compared, and how they differ from the first. The last is what
# one-shot search without a learned space does: every path is a fair coin, from first to last.
TEMPLATES: dict[str, dict[str, Any]] = {
    LEARNED: {},
    "gates drawn per batch": {"noise": "batch"},
    "gates start at 1/2": {"initial_drop": 0.5},
    UNIFORM: {"initial_drop": 0.5, "gate_learning_rate": 0.0},
}
AS_TRAINED, LOG_PROB = "space, not recalibrated", "log-probability"
_FORMAT = "vdroppath_tf.ranking_plan/1"
_CACHE_BYTES = 2**28


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is trained and scored.

    Attributes:
        draws: strategies drawn from the learned space, all different.
        uniform_draws: strategies of which every path is on with probability 1/2, all different.
        seeds: trainings of each strategy on its own.
        epochs: of a strategy trained on its own.
        template_epochs: of a template: a fifth without gates, the rest with them.
        gate_learning_rate: of the templates; slow enough that the space stays open, as draws from
            one that has made up its mind are all alike.
        seed: of clips, templates and draws.
        clips: of training and test.
    """

    draws: int = 8
    uniform_draws: int = 24
    seeds: int = 2
    epochs: int = 5
    template_epochs: int = 16
    gate_learning_rate: float = 0.02
    seed: int = 0
    clips: tuple[int, int] = (4096, 1008)

    @property
    def alone(self) -> Recipe:
        """Of strategies on their own, but for the seed."""
        small = RECIPES["small"]
        return small.replace(
            sampling=dataclasses.replace(small.sampling, frames=DIFFICULTY.frames),
            warmup=dataclasses.replace(small.warmup, epochs=0),
            search=dataclasses.replace(small.search, epochs=self.epochs),
            seed=self.seed,
        )

    def template(self, which: str) -> Recipe:
        """Of one of ``TEMPLATES``."""
        alone, epochs = self.alone, self.template_epochs
        warmup = 0 if which == UNIFORM else round(0.2 * epochs)
        recipe = alone.replace(
            warmup=dataclasses.replace(alone.warmup, epochs=warmup),
            search=dataclasses.replace(alone.search, epochs=epochs - warmup),
            gate_learning_rate=self.gate_learning_rate,
        )
        return recipe.replace(**TEMPLATES[which])


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
    fields = json.loads(json.dumps({"format": _FORMAT, **dataclasses.asdict(plan)}))
    claim(out / "plan.json", fields, holds="ranking", other="the plan {}, not {}")
    say(f"Writing {sum(plan.clips)} H.264 clips of {TASK!r}.")
    counts = (plan.clips[0], 1, plan.clips[1])
    write_task(out / "clips", TASK, clips=counts, seed=plan.seed, difficulty=DIFFICULTY)
    say(f"Training {len(TEMPLATES)} templates for {plan.template_epochs} epochs.")
    _run_all(out, plan, [Job("template", name, plan.seed) for name in TEMPLATES], processes)
    space = ProbabilitySpace.load(_template_files(out, LEARNED)[1])
    drawn = draw_strategies(space, plan)
    texts = [str(strategy) for kind in KINDS for strategy in drawn[kind]]
    write_text(out / "strategies.json", json.dumps(texts))
    say(f"Scoring {len(texts)} strategies, and training each on its own {plan.seeds} times.")
    seeds = range(plan.seed, plan.seed + plan.seeds)
    jobs = [Job("scores", name, plan.seed) for name in TEMPLATES]
    jobs += [Job("alone", text, seed) for seed in seeds for text in texts]
    found = _run_all(out, plan, jobs, processes)
    said, alone = found[: len(TEMPLATES)], found[len(TEMPLATES) :]
    scores = {name: result["recalibrated"] for name, result in zip(TEMPLATES, said, strict=True)}
    scores |= {AS_TRAINED: said[0]["as trained"], LOG_PROB: said[0]["log-probability"]}
    return Ranking(
        kinds=tuple(kind for kind in KINDS for _ in drawn[kind]),
        strategies=tuple(texts),
        alone=np.reshape([job["top1"] for job in alone], (plan.seeds, -1)).T,
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
    wanted = {
        "draws": (space, plan.draws),
        "uniform draws": (uniform_prior(space), plan.uniform_draws),
    }
    for kind, (source, count) in wanted.items():
        many = dict.fromkeys(source.sample(100 * max(count, 1), seed=plan.seed))
        fresh = [strategy for strategy in many if strategy not in taken][:count]
        if len(fresh) < count:
            raise ValueError(
                f"{100 * count} {kind} hold {len(fresh)} different strategies. Expected {count}: "
                "the space has made up its mind. Ask for fewer."
            )
        found[kind] = fresh
        taken.update(fresh)
    return found


@dataclasses.dataclass(frozen=True)
class Job:
    """One training or scoring, in a process of its own.

    Attributes:
        what: ``"template"``, ``"scores"`` (of all strategies on a template) or ``"alone"``.
        which: template or strategy.
        seed: of the training.
    """

    what: str
    which: str
    seed: int

    def result(self, out: Path) -> Path:
        """Where its result is."""
        name = f"{self.what} {self.which} {self.seed}.json"
        return out / "results" / name.replace(" ", "_").replace("/", "-")


def _run_all(out: Path, plan: Plan, jobs: Sequence[Job], processes: int) -> list[dict[str, Any]]:
    """The results of jobs, in their order; what was done before is not done again."""
    todo = [job for job in jobs if not job.result(out).exists()]
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    with (
        ProcessPoolExecutor(processes, context, _begin) as pool,
        tqdm(total=len(jobs), initial=len(jobs) - len(todo), unit=" jobs", leave=False) as bar,
    ):
        try:
            for done in as_completed([pool.submit(_run, out, plan, job) for job in todo]):
                done.result()
                bar.update(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [json.loads(job.result(out).read_text()) for job in jobs]


def _begin() -> None:
    """Networks this small keep one core busy, not two."""
    tf.config.threading.set_intra_op_parallelism_threads(1)


def _run(out: Path, plan: Plan, job: Job) -> None:
    keras.utils.clear_session()  # a worker builds dozens of networks
    found = _WORK[job.what](out, plan, job)
    job.result(out).parent.mkdir(exist_ok=True)
    write_text(job.result(out), json.dumps(found))


def _template(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    recipe, clips = plan.template(job.which), _clips(out)
    template = build_template(recipe, clips)
    model, space = _template_files(out, job.which)
    train(template, recipe.template_phases(), recipe, clips, folder=model.parent / "run")
    template.save(model)
    ProbabilitySpace.from_model(template).save(space)
    return {"trained": model.name}


def _scores(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    """Of every strategy: accuracy with batch norm recalibrated and without, log-probability."""
    template = keras.models.load_model(_template_files(out, job.which)[0])
    texts = json.loads((out / "strategies.json").read_text())
    recipe, clips = plan.template(job.which), _clips(out)
    batches = training_clips(
        clips.train,
        recipe.sampling,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        cache_bytes=clips.cache,
    )
    own = evaluate_strategies(template, texts, _test_clips(out, recipe), train_clips=batches)
    as_trained = evaluate_strategies(template, texts, _test_clips(out, recipe))
    space = ProbabilitySpace.from_model(template)
    return {
        "recalibrated": [score.top1 for score in own],
        "as trained": [score.top1 for score in as_trained],
        "log-probability": [space.log_prob(FusionStrategy.parse(text)) for text in texts],
    }


def _alone(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    recipe, clips = plan.alone.replace(seed=job.seed), _clips(out)
    network = build_derived(recipe, clips, job.which)
    train(network, recipe.alone_phases(), recipe, clips)
    right = [
        np.argmax(network.predict_on_batch(batch), 1) == labels.numpy()
        for batch, labels in _test_clips(out, recipe)
    ]
    return {"top1": float(np.concatenate(right).mean())}


_WORK = {"template": _template, "scores": _scores, "alone": _alone}


def _template_files(out: Path, which: str) -> tuple[Path, Path]:
    """The model and its space."""
    folder = out / "templates" / which.replace(" ", "-").replace("/", "-")
    return folder / "template.keras", folder / "space.json"


def _files(out: Path) -> TaskFiles:
    return TaskFiles(out / "clips", labels(TASK))


@cache
def _clips(out: Path) -> Clips:
    """Decoded once in each process."""
    return Clips(_files(out).manifest("train"), cache=VideoCache(_CACHE_BYTES))


def _test_clips(out: Path, recipe: Recipe) -> tf.data.Dataset:
    test, cache = _files(out).manifest("test"), _clips(out).cache
    return evaluation_clips(test, recipe.evaluation, batch_size=64, cache_bytes=cache)
