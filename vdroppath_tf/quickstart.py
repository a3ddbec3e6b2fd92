"""The main job on an embedded default: two known-answer tasks through the whole loop."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from tqdm import tqdm

from .analysis.records import Report, TaskReport
from .analysis.report import write_report
from .data.shapes import Difficulty
from .data.synthetic import write_task
from .loop import Loop, Task
from .training import RECIPES, Recipe

CLIPS = (512, 256, 256)  # training, validation, test: sized for eight trainings in minutes
DIFFICULTY = Difficulty(noise=25.0, contrast=90.0, speed=4.0)
DESCRIPTIONS = {
    "motion": "The label is the direction in which a shape moves; which shape it is is random. "
    "One frame says nothing: only a network that looks in time can answer.",
    "appearance": "The label is the shape; the direction in which it moves is random. Every frame "
    "says it: a network need not look in time.",
}


def quickstart_recipe(seed: int) -> Recipe:
    """The recipe of the quickstart: ``RECIPES["small"]`` with a seed."""
    recipe = RECIPES["small"]
    return recipe.replace(
        seed=seed, sampling=dataclasses.replace(recipe.sampling, frames=DIFFICULTY.frames)
    )


def write_clips(folder: Path, name: str, seed: int) -> Task:
    """A known-answer task as H.264 files."""
    with tqdm(total=sum(CLIPS), unit=" clips", desc=f"write {name}", leave=False) as bar:
        files = write_task(
            folder,
            name,
            clips=CLIPS,
            seed=seed,
            difficulty=DIFFICULTY,
            on_clip=lambda done, _: bar.update(done - bar.n),
        )
    parts = {split: files.manifest(split) for split in ("train", "validation", "test")}
    return Task(name, DESCRIPTIONS[name], **parts)


def run_task(name: str, out: Path, seed: int = 0, say: Callable[[str], None] = print) -> TaskReport:
    """One known-answer task through everything; a stopped run goes on."""
    size = DIFFICULTY.size
    say(f"\n{name}: {DESCRIPTIONS[name]}")
    say(f"Writing {sum(CLIPS)} H.264 clips of {DIFFICULTY.frames}x{size}x{size}.")
    task = write_clips(out / "clips" / f"{name}-{seed}", name, seed)
    return Loop(task, quickstart_recipe(seed), out / f"{name}-{seed}", say=say).run()


def run_quickstart(out: Path, *, seed: int = 0, say: Callable[[str], None] = print) -> Path:
    """Runs both tasks and writes ``report.html``; returns its path."""
    start = time.perf_counter()
    tasks = [run_task(name, out, seed, say) for name in DESCRIPTIONS]
    path = out / "report.html"
    title = "Where a network looks in time"
    write_report(path, Report(title, machine_line(), tasks, "vdroppath quickstart"))
    say(f"\nDone in {(time.perf_counter() - start) / 60:.1f} minutes. Open {path}")
    return path


def machine_line() -> str:
    """Date, processor and versions, for a report's subtitle."""
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPU cores ({platform.machine()}), "
        f"TensorFlow {tf.__version__}. Small networks on small clips: an illustration of the "
        "method, not a benchmark."
    )
