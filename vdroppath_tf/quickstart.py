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

from .analysis.records import Report
from .analysis.report import write_report
from .data.shapes import Difficulty
from .data.synthetic import write_task
from .loop import Loop, Task
from .training import RECIPES

CLIPS = (512, 256, 256)  # training, validation, test: sized for eight trainings in minutes
DIFFICULTY = Difficulty()
DESCRIPTIONS = {
    "motion": "The label is the direction in which a shape moves; which shape it is is random. One frame "
    "says nothing: only a network that looks in time can answer.",
    "appearance": "The label is the shape; the direction in which it moves is random. Every frame says it: "
    "a network need not look in time.",
}


def quickstart_recipe(seed: int):
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


def run_quickstart(out: Path, *, seed: int = 0, say: Callable[[str], None] = print) -> Path:
    """Runs both tasks and writes ``report.html``; returns its path. A stopped run goes on."""
    start = time.perf_counter()
    tasks = []
    for name in DESCRIPTIONS:
        say(f"\n{name}: {DESCRIPTIONS[name]}")
        say(
            f"Writing {sum(CLIPS)} H.264 clips of {DIFFICULTY.frames}x{DIFFICULTY.size}x{DIFFICULTY.size}."
        )
        task = write_clips(out / "clips" / f"{name}-{seed}", name, seed)
        folder = out / f"{name}-{seed}"
        tasks.append(Loop(task, quickstart_recipe(seed), folder, say=say).run())
    path = out / "report.html"
    write_report(
        path,
        Report("Where a network looks in time", machine_line(), tasks, "vdroppath quickstart"),
    )
    say(f"\nDone in {(time.perf_counter() - start) / 60:.1f} minutes. Open {path}")
    return path


def machine_line() -> str:
    """Date, processor and versions, for a report's subtitle."""
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPU cores ({platform.machine()}), TensorFlow "
        f"{tf.__version__}. Small networks on small clips: an illustration of the method, not a benchmark."
    )
