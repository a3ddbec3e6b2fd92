"""Known-answer tasks as real H.264 files: the project's ground truth.

On `motion` only the direction of travel matters, on `appearance` only the shape, on `both` both;
what does not matter is random. See `shapes` for what keeps the answer from leaking.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vdroppath_tf.data.catalog import Manifest, read_list
from vdroppath_tf.data.encode import write_video
from vdroppath_tf.data.shapes import Difficulty, draw_scene, labels, render

__all__ = ["SPLITS", "Difficulty", "TaskFiles", "make_clip", "write_task"]

SPLITS = ("train", "validation", "test")

_FORMAT = "vdroppath_tf.synthetic_task/1"
_CRF = 12  # fine enough that the noise survives: smoothing it would make the task easier


@dataclasses.dataclass(frozen=True)
class TaskFiles:
    """A task on disk: `train.txt`, `validation.txt`, `test.txt`, and the clips they list.

    Attributes:
        folder: where it is.
        labels: names of the classes.
    """

    folder: Path
    labels: tuple[str, ...]

    def manifest(self, split: str) -> Manifest:
        """The clips of "train", "validation" or "test"."""
        return read_list(self.folder / f"{split}.txt", labels=self.labels)


def make_clip(
    task: str, split: str, item: int, *, seed: int = 0, difficulty: Difficulty | None = None
) -> tuple[np.ndarray, int]:
    """Draws one clip of a task, before it is encoded; a pure function of its arguments.

    Args:
        task: "appearance", "motion" or "both".
        split: "train", "validation" or "test"; no random number is shared between them.
        item: number of the clip; classes take turns.
        seed: of the task.
        difficulty: default `Difficulty()`.

    Returns:
        Frames, uint8 `(frames, size, size, 3)`, and the label.
    """
    difficulty = difficulty or Difficulty()
    label = item % len(labels(task))
    counter = np.array([0, 0, item, SPLITS.index(split)], np.uint64)
    key = np.array([seed % (1 << 64), 0], np.uint64)
    rng = np.random.Generator(np.random.Philox(key=key, counter=counter))
    return render(draw_scene(task, label, difficulty.size, rng), difficulty, rng), label


def write_task(
    folder: str | os.PathLike[str],
    task: str = "motion",
    *,
    clips: Sequence[int] = (1024, 256, 256),
    seed: int = 0,
    difficulty: Difficulty | None = None,
    workers: int | None = None,
    on_clip: Callable[[int, int], None] | None = None,
) -> TaskFiles:
    """Writes a known-answer task as mp4 files with a list file for each split.

    A run that was stopped is taken up again: files appear whole or not at all, and those that are
    there stay. The frames are coded each by itself, so coding carries nothing from one to the next.

    Args:
        folder: where to write; empty, missing, or holding the same task.
        task: "appearance" (4 shapes), "motion" (4 directions) or "both" (16 classes).
        clips: number of clips for training, validation and test.
        seed: of the clips.
        difficulty: default `Difficulty()`.
        workers: threads that encode; default one for each core.
        on_clip: called with (clips done, clips in all) after each, for a progress bar.

    Returns:
        The `TaskFiles`.

    Raises:
        ValueError: there is no such task, a count below 1, or the folder holds anything else.
    """
    files = TaskFiles(Path(folder), labels(task))
    if len(clips) != len(SPLITS) or min(clips) < 1:
        raise ValueError(f"clips must be three numbers of at least 1. Received: {tuple(clips)}.")
    difficulty = difficulty or Difficulty()
    description = {
        "format": _FORMAT,
        "task": task,
        "clips": [int(n) for n in clips],
        "seed": seed,
        "difficulty": dataclasses.asdict(difficulty),
    }
    _claim(files.folder, description)
    jobs = [(split, k) for split, n in zip(SPLITS, clips, strict=True) for k in range(n)]
    for split in SPLITS:
        (files.folder / split).mkdir(exist_ok=True)

    def write(job: tuple[str, int]) -> None:
        path = files.folder / _name(*job)
        if not path.exists():
            frames, _ = make_clip(task, *job, seed=seed, difficulty=difficulty)
            write_video(path, frames, crf=_CRF, gop=1)

    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        for done, _ in enumerate(pool.map(write, jobs), start=1):
            if on_clip is not None:
                on_clip(done, len(jobs))
    _write_lists(files, clips, difficulty.frames)
    return files


def _name(split: str, item: int) -> str:
    return f"{split}/{item:06d}.mp4"


def _claim(folder: Path, description: dict[str, object]) -> None:
    """Marks the folder as this task's, or finds that it is."""
    mark = folder / "task.json"
    if not mark.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder}: is not empty and holds no task. Pass a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
        _write_text(mark, json.dumps(description, indent=1) + "\n")
        return
    try:
        found = json.loads(mark.read_text())
    except ValueError:
        found = None
    if found != description:
        raise ValueError(
            f"{mark}: the folder holds another task ({found}), this one is {description}. Pass a "
            "new folder, or remove the old one."
        )


def _write_lists(files: TaskFiles, clips: Sequence[int], frames: int) -> None:
    classes = len(files.labels)
    for split, count in zip(SPLITS, clips, strict=True):
        lines = (f"{_name(split, k)} {frames} {k % classes}\n" for k in range(count))
        _write_text(files.folder / f"{split}.txt", "".join(lines))
    _write_text(files.folder / "labels.txt", "".join(f"{name}\n" for name in files.labels))


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text)
    os.replace(temporary, path)
