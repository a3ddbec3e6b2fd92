"""Writes the labelled clips of `footage` as the files of a task."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from footage import Footage

from vdroppath_tf.experiments.tasks.files import TaskFiles, check_counts, write_clips
from vdroppath_tf.files import sha256_of

_FORMAT = "vdroppath_tf.footage_task/1"


def write_footage(
    folder: str | os.PathLike[str],
    task: str,
    *,
    films: Mapping[str, str | os.PathLike[str]],
    clips: Sequence[int] = (480, 160, 160),
    seed: int = 0,
    frames: int = 8,
    size: int = 64,
    on_clip: Callable[[int, int], None] | None = None,
) -> TaskFiles:
    """Cuts films into the mp4 files of a task, with a list file for each split.

    An interrupted run resumes, see `experiments.tasks.files.write_clips`.

    Args:
        folder: str or path, the folder to write. It must be empty or missing, or contain the same
            task.
        task: str, "appearance" (a class for each film) or "motion" (4 directions).
        films: dict, the file of each film by its name, at least two.
        clips: sequence of int, the numbers of clips for training, validation and test. Defaults
            to (480, 160, 160).
        seed: int, the seed of the clips. Defaults to 0.
        frames: int, the number of frames in a clip, at least 2. Defaults to 8.
        size: int, the height and width of a clip in pixels, even. Defaults to 64.
        on_clip: callable, called with (clips done, clips in all) after each clip, for a progress
            bar. Defaults to None.

    Returns:
        The `TaskFiles`.

    Raises:
        VideoError: If a film cannot be read, or is too short or too small.
        ValueError: If another argument is out of range, or the folder contains anything else.
    """
    check_counts(clips)
    footage = Footage(films, frames, size)
    files = TaskFiles(Path(folder), footage.labels(task))
    description = {
        "format": _FORMAT,
        "task": task,
        "clips": [int(n) for n in clips],
        "seed": seed,
        "frames": frames,
        "size": size,
        "films": {name: sha256_of(film.file) for name, film in footage.films.items()},
    }

    def make_clip(split: str, item: int) -> np.ndarray:
        return footage.cut(footage.draw(task, split, item, seed=seed))

    return write_clips(files, description, clips, frames, make_clip, on_clip=on_clip)
