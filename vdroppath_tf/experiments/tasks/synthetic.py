"""Known-answer tasks as real H.264 files, the project's ground truth.

In `motion` only the direction of travel matters, in `appearance` only the shape, in `both` both;
the rest is random. See `shapes` for how other cues to the answer are excluded.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vdroppath_tf.experiments.tasks.files import (
    SPLITS,
    TaskFiles,
    check_counts,
    clip_rng,
    write_clips,
)
from vdroppath_tf.experiments.tasks.shapes import Difficulty, draw_scene, labels, render
from vdroppath_tf.names import named

__all__ = ["SPLITS", "Difficulty", "TaskFiles", "make_clip", "write_task"]

_FORMAT = "vdroppath_tf.synthetic_task/1"


@named
def make_clip(
    task: str, split: str, item: int, *, seed: int = 0, difficulty: Difficulty | None = None
) -> tuple[np.ndarray, int]:
    """Draws one clip of a task, before it is encoded; a pure function of its arguments.

    Args:
        task: The name of the task: "appearance", "motion" or "both".
        split: "train", "validation" or "test"; no random number is shared between them.
        item: The number of the clip; classes alternate.
        seed: The seed of the task. Defaults to 0.
        difficulty: How hard the task is. Defaults to `Difficulty()`.

    Returns:
        Frames, uint8 `(frames, size, size, 3)`, and the label.

    Example:
    ```python
    frames, label = make_clip("motion", "train", item=0)
    frames.shape  # (8, 32, 32, 3)
    ```
    """
    difficulty = difficulty or Difficulty()
    label = item % len(labels(task))
    rng = clip_rng(seed, split, item)
    return render(draw_scene(task, label, difficulty, rng), difficulty, rng), label


@named
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

    A stopped call can be repeated to continue: files are written atomically, and existing ones are
        kept. Each frame is coded separately, so coding carries no information from one to the next.

    Args:
        folder: The folder to write; empty, missing, or holding the same task.
        task: "appearance" (4 shapes), "motion" (4 directions) or "both" (16 classes). Defaults to
            "motion".
        clips: The numbers of clips for training, validation and test.
        seed: The seed of the clips. Defaults to 0.
        difficulty: How hard the task is. Defaults to `Difficulty()`.
        workers: Threads that encode. Defaults to one for each core.
        on_clip: Called with (clips done, clips in all) after each, for a progress bar.

    Returns:
        The `TaskFiles`.

    Raises:
        ValueError: If there is no such task, a count is below 1, or the folder holds anything else.

    Example:
    ```python
    files = write_task("clips", "motion", clips=(8, 4, 4))
    train_videos = files.manifest("train")
    ```
    """
    files = TaskFiles(Path(folder), labels(task))
    check_counts(clips)
    difficulty = difficulty or Difficulty()
    description = {
        "format": _FORMAT,
        "task": task,
        "clips": [int(n) for n in clips],
        "seed": seed,
        "difficulty": dataclasses.asdict(difficulty),
    }

    def draw(split: str, item: int) -> np.ndarray:
        return make_clip(task, split, item, seed=seed, difficulty=difficulty)[0]

    return write_clips(
        files, description, clips, difficulty.frames, draw, workers=workers, on_clip=on_clip
    )
