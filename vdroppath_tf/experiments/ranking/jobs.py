"""The trainings and scorings of a ranking, each with its result in a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.experiments.processes import in_processes
from vdroppath_tf.experiments.ranking.plan import TASK, Plan
from vdroppath_tf.experiments.scorer import Scorer
from vdroppath_tf.experiments.steps import score_network
from vdroppath_tf.experiments.task_run import BATCH
from vdroppath_tf.experiments.tasks.files import TaskFiles
from vdroppath_tf.experiments.tasks.shapes import labels
from vdroppath_tf.files import read_text, write_text
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import Clips, Recipe, RecipeClips, build_derived, build_template, train

_CACHE_BYTES = 2**28


@named
@dataclasses.dataclass(frozen=True)
class Job:
    """One training or scoring.

    Attributes:
        what: ``"template"``, ``"scores"`` (of all strategies on a template) or ``"stand-alone"``.
        which: The template or the strategy.
        seed: The seed of the training.
        scored: The strategies of ``"scores"``.
    """

    what: str
    which: str
    seed: int
    scored: tuple[str, ...] = ()

    def result(self, out: Path) -> Path:
        """The file of its result."""
        these = "".join(self.scored).encode()
        mark = f" {hashlib.sha256(these).hexdigest()[:8]}" if these else ""
        name = f"{self.what} {self.which} {self.seed}{mark}.json"
        return out / "results" / name.replace(" ", "_").replace("/", "-")


@named
def run_jobs(out: Path, plan: Plan, jobs: Sequence[Job], processes: int) -> list[dict[str, Any]]:
    """The results of jobs, in their order; what was done before is not done again."""
    _videos.cache_clear()  # of an earlier ranking: this folder may hold other clips by now
    todo = [job for job in jobs if not job.result(out).exists()]
    calls = [(f"{job.what} {job.which} {job.seed}", out, plan, job) for job in todo]
    done = len(jobs) - len(todo)
    with tqdm(total=len(jobs), initial=done, unit=" jobs", leave=False, disable=None) as bar:
        in_processes(_run, calls, processes, on_done=lambda: bar.update(1))
    return [json.loads(read_text(job.result(out))) for job in jobs]


def _run(
    name: str,
    out: Path,
    plan: Plan,
    job: Job,
    *,
    log: Callable[[str], object],
    bar_position: int,
) -> None:
    if multiprocessing.parent_process() is not None:  # not the session of who has called us
        keras.utils.clear_session()  # one process builds dozens of networks
    found = _WORK[job.what](out, plan, job)
    job.result(out).parent.mkdir(exist_ok=True)
    write_text(job.result(out), json.dumps(found))


def _template(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    recipe, videos = plan.template(job.which), _videos(out)
    template = build_template(recipe, videos)
    model, space = template_files(out, job.which)
    train(template, recipe.template_phases(), recipe, videos, folder=model.parent / "run")
    template.save(model)
    ProbabilitySpace.from_model(template).save(space)
    return {"trained": model.name}


def _scores(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    """Of every strategy: accuracy with batch norm recalibrated and without, log-probability."""
    template = keras.models.load_model(template_files(out, job.which)[0])
    clips, test = _clips(out, plan.template(job.which)), _test(out)
    own = Scorer(template, clips, _videos(out).train, batch_size=BATCH).scores(job.scored, test)
    as_trained = Scorer(template, clips, None, batch_size=BATCH).scores(job.scored, test)
    space = ProbabilitySpace.from_model(template)
    return {
        "recalibrated": [score.top1 for score in own],
        "as trained": [score.top1 for score in as_trained],
        "log-probability": [
            space.log_prob(FusionStrategy.parse(text), "resample") for text in job.scored
        ],
    }


def _stand_alone(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    recipe, videos = plan.stand_alone.replace(seed=job.seed), _videos(out)
    network = build_derived(recipe, videos, job.which)
    train(network, recipe.stand_alone_phases(), recipe, videos)
    found = score_network(network, _test(out), _clips(out, recipe), batch_size=BATCH)
    return {"top1": found.top1}


_WORK = {"template": _template, "scores": _scores, "stand-alone": _stand_alone}


@named
def template_files(out: Path, which: str) -> tuple[Path, Path]:
    """The file of a template and that of its space."""
    folder = out / "templates" / which.replace(" ", "-").replace("/", "-")
    return folder / "template.keras", folder / "space.json"


def _clips(out: Path, recipe: Recipe) -> RecipeClips:
    """All videos were written here, so that one that cannot be read is an error."""
    return RecipeClips(recipe, _videos(out).cache, FaultLog(0.0))


def _test(out: Path) -> Manifest:
    return _files(out).manifest("test")


def _files(out: Path) -> TaskFiles:
    return TaskFiles(out / "clips", labels(TASK))


@cache
def _videos(out: Path) -> Clips:
    """The training videos, decoded once in each process."""
    return Clips(_files(out).manifest("train"), cache=VideoCache(_CACHE_BYTES))
