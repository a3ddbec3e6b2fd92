"""The main job on an embedded default: two known-answer tasks through the whole loop."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tqdm import tqdm

from vdroppath_tf.experiments.loop import Loop, Task
from vdroppath_tf.experiments.processes import in_processes
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.experiments.tasks.synthetic import write_task
from vdroppath_tf.report.page import write_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.training import RECIPES, Recipe

CLIPS = (512, 256, 256)  # training, validation, test: sized for eight trainings in minutes
# So fast that a shape, 10 pixels wide, hardly covers its own place of a frame ago: the frames
# beside one say nothing of its shape, and `appearance` has no use for them. Where places overlap
# (speed 4), a path in time averages noise away, neither path is the better one, and chance decides.
DIFFICULTY = Difficulty(noise=25.0, contrast=90.0, speed=8.0)
DESCRIPTIONS = {
    "motion": "The label is the direction in which a shape moves; which shape it is is random. "
    "One frame says nothing: only a network that looks in time can answer.",
    "appearance": "The label is the shape; the direction in which it moves is random. Every frame "
    "says it: a network need not look in time.",
    "both": "The label is shape and direction: one frame says the shape, only time the direction.",
}
TASKS = ("motion", "appearance")


def quickstart_recipe(seed: int) -> Recipe:
    """The recipe of the quickstart: ``RECIPES["small"]`` with a seed."""
    recipe = RECIPES["small"]
    return recipe.replace(
        seed=seed, sampling=dataclasses.replace(recipe.sampling, frames=DIFFICULTY.frames)
    )


def write_clips(
    folder: Path,
    name: str,
    seed: int,
    place: int = 0,
    *,
    clips: Sequence[int] | None = None,
    difficulty: Difficulty = DIFFICULTY,
) -> Task:
    """A known-answer task as H.264 files; those of the quickstart, unless others are asked for."""
    clips = CLIPS if clips is None else clips
    look: dict[str, Any] = {"unit": " clips", "leave": False, "position": place}
    with tqdm(total=sum(clips), desc=f"write {name}", **look) as bar:
        files = write_task(
            folder,
            name,
            clips=clips,
            seed=seed,
            difficulty=difficulty,
            on_clip=lambda done, _: bar.update(done - bar.n),
        )
    parts = {split: files.manifest(split) for split in ("train", "validation", "test")}
    return Task(name, DESCRIPTIONS[name], **parts)


def run_task(
    name: str, out: Path, seed: int = 0, say: Callable[[str], None] = print, *, place: int = 0
) -> TaskReport:
    """One known-answer task through everything; a stopped run goes on.

    Args:
        name: of the task.
        out: folder for clips and runs.
        seed: of clips, weights and noise.
        say: prints a line.
        place: row of its progress bars, where several tasks run at a time.
    """
    size = DIFFICULTY.size
    say(f"\n{name}: {DESCRIPTIONS[name]}")
    say(f"Writing {sum(CLIPS)} H.264 clips of {DIFFICULTY.frames}x{size}x{size}.")
    task = write_clips(out / "clips" / f"{name}-{seed}", name, seed, place)
    folder = out / f"{name}-{seed}"
    return Loop(task, quickstart_recipe(seed), folder, say=say, place=place).run()


def run_quickstart(
    out: Path, *, seed: int = 0, processes: int = 1, say: Callable[[str], None] = print
) -> Path:
    """Runs both tasks and writes ``report.html``; returns its path.

    Args:
        out: folder for clips, runs and the report.
        seed: of clips, weights and noise.
        processes: how many tasks run at a time, each in a process of its own where there are 2 or
            more. Networks this small keep one core busy, not two.
        say: prints a line.
    """
    start = time.perf_counter()
    tasks = run_tasks([(name, seed) for name in TASKS], out, processes, say)
    path = out / "report.html"
    title = "Where a network looks in time"
    write_report(path, Report(title, machine_line(), tasks, "vdroppath quickstart"))
    say(f"\nDone in {(time.perf_counter() - start) / 60:.1f} minutes. Open {path}")
    return path


def run_tasks(
    jobs: Sequence[tuple[str, int]], out: Path, processes: int, say: Callable[[str], None]
) -> list[TaskReport]:
    """The reports of (task, seed) pairs, in their order."""
    return in_processes(run_task, [(name, out, seed) for name, seed in jobs], processes, say)


def machine_line() -> str:
    """Date, processor and versions, for a report's subtitle."""
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPU cores ({platform.machine()}), "
        f"TensorFlow {tf.__version__}. Small networks on small clips: an illustration of the "
        "method, not a benchmark."
    )
