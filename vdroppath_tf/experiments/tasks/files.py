"""Writes a task to disk: clips, lists, labels, and a file that describes the task."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vdroppath_tf.data.catalog import read_list
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.sources.encode import write_video
from vdroppath_tf.files import create_or_verify, write_text
from vdroppath_tf.names import named

SPLITS = ("train", "validation", "test")

_CRF = 12  # fine enough to preserve the noise: smoothing it would make a task easier


@named
@dataclasses.dataclass(frozen=True)
class TaskFiles:
    """A task on disk: `train.txt`, `validation.txt`, `test.txt`, and the clips they list.

    Attributes:
        folder: The folder of the task.
        labels: The names of the classes.

    Example:
    ```python
    files = write_task("clips", "motion", clips=(8, 4, 4))
    print(len(files.manifest("train")), files.labels)
    ```
    """

    folder: Path
    labels: tuple[str, ...]

    def manifest(self, split: str) -> Manifest:
        """Returns the clips of "train", "validation" or "test"."""
        return read_list(self.folder / f"{split}.txt", labels=self.labels)


@named
def clip_rng(seed: int, split: str, item: int) -> np.random.Generator:
    """Returns the random generator of one clip; no two clips of any split share numbers."""
    counter = np.array([0, 0, item, SPLITS.index(split)], np.uint64)
    key = np.array([seed % (1 << 64), 0], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


@named
def check_counts(clips: Sequence[int]) -> None:
    """Raises a ValueError unless `clips` has a number of clips for each split."""
    if len(clips) != len(SPLITS) or min(clips) < 1:
        raise ValueError(f"clips must be three numbers of at least 1. Received: {tuple(clips)}.")


@named
def write_clips(
    files: TaskFiles,
    description: Mapping[str, object],
    clips: Sequence[int],
    frames: int,
    make_clip: Callable[[str, int], np.ndarray],
    *,
    workers: int | None = None,
    on_clip: Callable[[int, int], None] | None = None,
) -> TaskFiles:
    """Writes a task's clips, lists and labels; a stopped call can be repeated to continue.

    Files are written atomically, and existing ones are kept. Each frame is coded separately, so
    coding carries no information from one to the next. Item k of a split has the label k modulo the
    number of classes.

    Args:
        files: The folder and the classes.
        description: All settings that determine the clips, as plain JSON values.
        clips: The number of clips of each split.
        frames: The number of frames in a clip.
        make_clip: Called with (split, item), from several threads; returns frames, uint8
            `(frames, height, width, 3)`.
        workers: Threads that make and encode clips. Defaults to one for each core.
        on_clip: Called with (clips done, clips in all) after each, for a progress bar.

    Returns:
        `files`.

    Raises:
        ValueError: If the folder holds anything but this task.
    """
    create_or_verify(files.folder / "task.json", description, holds="task")
    jobs = [(split, k) for split, n in zip(SPLITS, clips, strict=True) for k in range(n)]
    for split in SPLITS:
        (files.folder / split).mkdir(exist_ok=True)

    def write(job: tuple[str, int]) -> None:
        path = files.folder / _name(*job)
        if not path.exists():
            write_video(path, make_clip(*job), crf=_CRF, gop=1)

    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        for done, _ in enumerate(pool.map(write, jobs), start=1):
            if on_clip is not None:
                on_clip(done, len(jobs))
    _write_lists(files, clips, frames)
    return files


def _write_lists(files: TaskFiles, clips: Sequence[int], frames: int) -> None:
    classes = len(files.labels)
    for split, count in zip(SPLITS, clips, strict=True):
        lines = (f"{_name(split, k)} {frames} {k % classes}\n" for k in range(count))
        write_text(files.folder / f"{split}.txt", "".join(lines))
    write_text(files.folder / "labels.txt", "".join(f"{name}\n" for name in files.labels))


def _name(split: str, item: int) -> str:
    return f"{split}/{item:06d}.mp4"
