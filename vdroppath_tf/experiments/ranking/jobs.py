"""The training and scoring jobs of a ranking, each with its result in a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from vdroppath_tf.experiments.processes import in_processes
from vdroppath_tf.experiments.ranking.networks import score, stand_alone_top1, trained_template
from vdroppath_tf.experiments.ranking.plan import DIFFICULTY, TASK, Plan
from vdroppath_tf.experiments.tasks.in_memory import ArrayClips, draw_clips
from vdroppath_tf.files import read_text, write_text
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
@dataclasses.dataclass(frozen=True)
class Job:
    """One training or scoring job.

    Attributes:
        what: ``"template"``, ``"scores"`` (of all strategies on a template) or ``"stand-alone"``.
        which: The name of the template, or the strategy.
        seed: The seed of the training.
        scored: The strategies of ``"scores"``.
        adapt_steps: The number of training steps of each of them before it is scored.
    """

    what: str
    which: str
    seed: int
    scored: tuple[str, ...] = ()
    adapt_steps: int = 0

    @property
    def name(self) -> str:
        """The name of the job in lines and file names."""
        after = f" after {self.adapt_steps} steps" if self.adapt_steps else ""
        return f"{self.what} {self.which} {self.seed}{after}"

    def result(self, out: Path) -> Path:
        """Returns the file of the result."""
        these = "".join(self.scored).encode()
        mark = f" {hashlib.sha256(these).hexdigest()[:8]}" if these else ""
        name = f"{self.name}{mark}.json"
        return out / "results" / name.replace(" ", "_").replace("/", "-")


@named
def run_jobs(
    out: Path, plan: Plan, jobs: Sequence[Job], processes: int, cluster: str | None = None
) -> list[dict[str, Any]]:
    """Returns the results of jobs, in their order; those with a result are not run again."""
    todo = [job for job in jobs if not job.result(out).exists()]
    calls = [(job.name, out, plan, job) for job in todo]
    done = len(jobs) - len(todo)
    with tqdm(total=len(jobs), initial=done, unit=" jobs", leave=False, disable=None) as bar:
        in_processes(
            _run, calls, processes, cluster=cluster, on_done=lambda: bar.update(1), log=tqdm.write
        )
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
    found = _WORK[job.what](out, plan, job)
    job.result(out).parent.mkdir(exist_ok=True)
    write_text(job.result(out), json.dumps(found))


def _template(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    template = trained_template(plan, job.which, _clips(plan, "train"))
    model, space = template_files(out, job.which)
    model.parent.mkdir(parents=True, exist_ok=True)
    template.save(model)
    ProbabilitySpace.from_model(template).save(space)
    return {"trained": model.name}


def _scores(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    """Returns every strategy's accuracy, with and without recalibration, and log-probability."""
    template = keras.models.load_model(template_files(out, job.which)[0])
    parts = _clips(plan, "train"), _clips(plan, "test")
    own = score(template, job.scored, *parts, adapt_steps=job.adapt_steps)
    if job.adapt_steps:
        return {"recalibrated": own}
    space = ProbabilitySpace.from_model(template)
    drawn = [FusionStrategy.parse(text) for text in job.scored]
    return {
        "recalibrated": own,
        "as trained": score(template, job.scored, None, parts[1]),
        "log-probability": [space.log_prob(strategy, "resample") for strategy in drawn],
    }


def _stand_alone(out: Path, plan: Plan, job: Job) -> dict[str, Any]:
    parts = _clips(plan, "train"), _clips(plan, "test")
    return {"top1": stand_alone_top1(plan, job.which, job.seed, *parts)}


_WORK = {"template": _template, "scores": _scores, "stand-alone": _stand_alone}


@named
def template_files(out: Path, which: str) -> tuple[Path, Path]:
    """Returns the files of a template and of its space."""
    folder = out / "templates" / which.replace(" ", "-").replace("/", "-")
    return folder / "template.keras", folder / "space.json"


@cache
def _clips(plan: Plan, split: str) -> ArrayClips:
    """Returns clips in memory, drawn once in each process."""
    count = plan.clips[0 if split == "train" else 1]
    return draw_clips(TASK, split, count, seed=plan.seed, difficulty=DIFFICULTY)
