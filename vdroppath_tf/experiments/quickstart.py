"""The quickstart: the whole loop on known-answer tasks that ship with the package."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tqdm import tqdm

from vdroppath_tf.experiments.loop import run_loop
from vdroppath_tf.experiments.processes import in_processes
from vdroppath_tf.experiments.task_run import Task, TaskRun
from vdroppath_tf.experiments.tasks.files import SPLITS
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.experiments.tasks.synthetic import write_task
from vdroppath_tf.experiments.trials import Trials
from vdroppath_tf.names import named
from vdroppath_tf.report.headline import headline
from vdroppath_tf.report.page import write_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.training import RECIPES, Phase, Recipe

CLIPS = (512, 256, 256)  # training, validation, test: eight trainings take minutes
# Fast enough that a shape, 10 pixels wide, hardly overlaps its position in the previous frame: so
# neighbouring frames carry no information about its shape, and `appearance` does not need them. If
# positions overlap (speed 4), a temporal path averages noise, neither path is better, and the
# outcome is random.
DIFFICULTY = Difficulty(noise=25.0, contrast=90.0, speed=8.0)
DESCRIPTIONS = {
    "motion": "The label is the direction in which a shape moves; the shape is random. A single "
    "frame carries no information about the label: only a network that reads several frames can "
    "answer.",
    "appearance": "The label is the shape; the direction in which it moves is random. Every frame "
    "shows the shape: temporal paths are not needed.",
    "both": "The label is the shape and the direction in which it moves. One frame shows the "
    "shape, but only several frames show the direction.",
}


@named
@dataclasses.dataclass(frozen=True)
class Setup:
    """The settings of the quickstart for one known-answer task.

    Attributes:
        clips: The numbers of clips for training, validation and test.
        difficulty: The difficulty of the clips.
        recipe: The changes to ``RECIPES["small"]``.
        draws: The number of strategies drawn from the space and scored.
        retrained: Whether the chosen strategy is also trained stand-alone.
        trials: The strategies to train stand-alone for the choice; None chooses by scores on the
            template.
    """

    clips: tuple[int, int, int] = CLIPS
    difficulty: Difficulty = DIFFICULTY
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    draws: int = 24
    retrained: bool = False
    trials: Trials | None = None


# The main result first, which takes longest, then its controls. With 512 clips of 16 classes a
# network memorises its clips and generalises poorly, so here designs differ, whatever the epochs.
TASKS: dict[str, Setup] = {
    "both": Setup(
        clips=(512, 512, 1024),
        difficulty=Difficulty(frames=6, size=16, noise=25.0, contrast=90.0, speed=4.0, shape=6.0),
        recipe={
            "batch_size": 32,
            "search": Phase("search", 26, 0.05, cosine=True, gates=True),
            "finetune": Phase("finetune", 4, 0.01, cosine=True),
            "prior_strength": 1e-2,
        },
        retrained=True,
        # Strategies that learn late end highest here, which neither the space nor scores show.
        trials=Trials(),
    ),
    "motion": Setup(),
    "appearance": Setup(),
}


@named
def quickstart_recipe(seed: int, task: str = "motion") -> Recipe:
    """Returns the recipe of the quickstart for a task: ``RECIPES["small"]`` with a seed.

    Args:
        seed: The seed.
        task: The name of the task. Defaults to ``"motion"``.

    Example:
    ```python
    print(quickstart_recipe(seed=1, task="both").search.epochs)
    ```
    """
    setup, recipe = TASKS[task], RECIPES["small"]
    sampling = dataclasses.replace(recipe.sampling, frames=setup.difficulty.frames)
    return recipe.replace(seed=seed, sampling=sampling, **setup.recipe)


@named
def write_clips(
    folder: Path,
    name: str,
    seed: int,
    *,
    clips: Sequence[int] | None = None,
    difficulty: Difficulty | None = None,
    bar_position: int = 0,
) -> Task:
    """Writes a known-answer task as H.264 files, by default with the quickstart's settings.

    Args:
        folder: The folder for the files.
        name: The name of the task.
        seed: The seed of the clips.
        clips: The numbers of clips for training, validation and test. Defaults to those of the
            quickstart.
        difficulty: The difficulty of the task. Defaults to that of the quickstart.
        bar_position: The row of the progress bar if several tasks are active.

    Example:
    ```python
    task = write_clips(Path("clips"), "motion", seed=1, clips=(8, 4, 4))
    print(len(task.train), task.train.labels)
    ```
    """
    setup = TASKS.get(name, Setup())
    clips = setup.clips if clips is None else clips
    look: dict[str, Any] = {"unit": " clips", "leave": False, "disable": None}
    look["position"] = bar_position
    with tqdm(total=sum(clips), desc=f"write {name}", **look) as bar:
        files = write_task(
            folder,
            name,
            clips=clips,
            seed=seed,
            difficulty=setup.difficulty if difficulty is None else difficulty,
            on_clip=lambda done, _: bar.update(done - bar.n),
        )
    return Task(name, DESCRIPTIONS[name], **{split: files.manifest(split) for split in SPLITS})


@named
def run_task(
    name: str,
    out: Path,
    seed: int = 0,
    *,
    log: Callable[[str], object] = print,
    bar_position: int = 0,
) -> TaskReport:
    """Runs the loop on one known-answer task; a stopped run resumes.

    Args:
        name: The name of the task.
        out: The folder for clips and runs.
        seed: The seed of clips, weights and noise. Defaults to 0.
        log: Called with each line of the progress. Defaults to ``print``.
        bar_position: The row of its progress bars if several tasks are active.
    """
    setup = TASKS[name]
    difficulty, size = setup.difficulty, setup.difficulty.size
    log(f"\n{name}: {DESCRIPTIONS[name]}")
    log(f"Writing {sum(setup.clips)} H.264 clips of {difficulty.frames}x{size}x{size}.")
    task = write_clips(out / "clips" / f"{name}-{seed}", name, seed, bar_position=bar_position)
    recipe, folder = quickstart_recipe(seed, name), out / f"{name}-{seed}"
    run = TaskRun(task, recipe, folder, log=log, bar_position=bar_position)
    report = run_loop(run, draws=setup.draws, retrained=setup.retrained, trials=setup.trials)
    log(f"{name}: {headline(report)}")
    return report


@named
def run_quickstart(
    out: Path,
    *,
    seed: int = 0,
    processes: int = 1,
    cluster: str | None = None,
    log: Callable[[str], object] = print,
) -> Path:
    """Runs the tasks and writes ``report.html``; returns its path.

    Args:
        out: The folder for clips, runs and the report.
        seed: The seed of clips, weights and noise. Defaults to 0.
        processes: The number of parallel tasks; with 2 or more each has a separate process.
            Networks this small use one core, not two.
        cluster: The Ray cluster to run them on, see ``in_processes``. Defaults to None, this
            machine.
        log: Called with each line of the progress. Defaults to ``print``.

    Example:
    ```python
    print(run_quickstart(Path("quickstart"), seed=1))  # quickstart/report.html
    ```
    """
    start = time.perf_counter()
    tasks = run_tasks([(name, seed) for name in TASKS], out, processes, cluster=cluster, log=log)
    path = out / "report.html"
    title = "Where a network looks in time"
    write_report(path, Report(title, machine_line(), tasks, "vdroppath quickstart"))
    log(f"\nDone in {(time.perf_counter() - start) / 60:.1f} minutes. Open {path}")
    return path


@named
def run_tasks(
    jobs: Sequence[tuple[str, int]],
    out: Path,
    processes: int,
    *,
    cluster: str | None = None,
    log: Callable[[str], object] = print,
) -> list[TaskReport]:
    """Returns the reports of (task, seed) pairs, in their order."""
    calls = [(name, out, seed) for name, seed in jobs]
    return in_processes(run_task, calls, processes, cluster=cluster, log=log)


def machine_line() -> str:
    """Returns date, processor and versions, for a report's subtitle."""
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPU cores ({platform.machine()}), "
        f"TensorFlow {tf.__version__}. Small networks on small clips: an illustration of the "
        "method, not a benchmark."
    )
