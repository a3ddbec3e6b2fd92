"""The trainings and scorings of a ranking, each in a process of its own, its result in a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import as_completed
from functools import cache
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tqdm import tqdm

from vdroppath_tf.data.clips.pipeline import VideoCache, evaluation_clips, training_clips
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.experiments.processes import worker_pool
from vdroppath_tf.experiments.ranking_plan import TASK, Plan
from vdroppath_tf.experiments.tasks.shapes import labels
from vdroppath_tf.experiments.tasks.synthetic import TaskFiles
from vdroppath_tf.files import write_text
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.videos import score_videos
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import Clips, Recipe, build_derived, build_template, train

_BATCH = 64  # clips that are scored at a time
_CACHE_BYTES = 2**28


@dataclasses.dataclass(frozen=True)
class Job:
    """One training or scoring, in a process of its own.

    Attributes:
        what: ``"template"``, ``"scores"`` (of all strategies on a template) or ``"alone"``.
        which: template or strategy.
        seed: of the training.
        scored: the strategies of ``"scores"``.
    """

    what: str
    which: str
    seed: int
    scored: tuple[str, ...] = ()

    def result(self, out: Path) -> Path:
        """Where its result is."""
        these = "".join(self.scored).encode()
        mark = f" {hashlib.sha256(these).hexdigest()[:8]}" if these else ""
        name = f"{self.what} {self.which} {self.seed}{mark}.json"
        return out / "results" / name.replace(" ", "_").replace("/", "-")


def run_all(out: Path, plan: Plan, jobs: Sequence[Job], processes: int) -> list[dict[str, Any]]:
    """The results of jobs, in their order; what was done before is not done again."""
    todo = [job for job in jobs if not job.result(out).exists()]
    with (
        worker_pool(processes) as pool,
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


def _run(out: Path, plan: Plan, job: Job) -> None:
    keras.utils.clear_session()  # a worker builds dozens of networks
    found = _WORK[job.what](out, plan, job)
    job.result(out).parent.mkdir(exist_ok=True)
    write_text(job.result(out), json.dumps(found))


def _template(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    recipe, clips = plan.template(job.which), _clips(out)
    template = build_template(recipe, clips)
    model, space = template_files(out, job.which)
    train(template, recipe.template_phases(), recipe, clips, folder=model.parent / "run")
    template.save(model)
    ProbabilitySpace.from_model(template).save(space)
    return {"trained": model.name}


def _scores(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    """Of every strategy: accuracy with batch norm recalibrated and without, log-probability."""
    template = keras.models.load_model(template_files(out, job.which)[0])
    recipe, clips = plan.template(job.which), _clips(out)
    batches = training_clips(
        clips.train,
        recipe.sampling,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        cache_bytes=clips.cache,
    )
    own = evaluate_strategies(template, job.scored, _test_clips(out, recipe), train_clips=batches)
    as_trained = evaluate_strategies(template, job.scored, _test_clips(out, recipe))
    space = ProbabilitySpace.from_model(template)
    return {
        "recalibrated": [score.top1 for score in own],
        "as trained": [score.top1 for score in as_trained],
        "log-probability": [
            space.log_prob(FusionStrategy.parse(text), "resample") for text in job.scored
        ],
    }


def _alone(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    recipe, clips = plan.alone.replace(seed=job.seed), _clips(out)
    network = build_derived(recipe, clips, job.which)
    train(network, recipe.alone_phases(), recipe, clips)
    protocol = PROTOCOLS["paper-1clip"]
    test = _files(out).manifest("test")
    found = score_videos(
        network, test, recipe.evaluation, protocol, batch_size=_BATCH, cache=clips.cache
    )
    return {"top1": found.top1}


_WORK = {"template": _template, "scores": _scores, "alone": _alone}


def template_files(out: Path, which: str) -> tuple[Path, Path]:
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
    return evaluation_clips(test, recipe.evaluation, batch_size=_BATCH, cache_bytes=cache)
