"""Known-answer tasks in memory, for small trainings: the drawn frames, without encoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.experiments.tasks.synthetic import make_clip
from vdroppath_tf.names import named

Batch = tuple[np.ndarray, np.ndarray]


@named
@dataclass(frozen=True, eq=False)
class ArrayClips:
    """Clips and their labels.

    Attributes:
        clips: uint8 ``(clips, time, height, width, 3)``.
        labels: int64 ``(clips,)``.
    """

    clips: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def in_order(self, batch_size: int) -> list[Batch]:
        """Returns all clips once, in batches of which the last may be smaller."""
        starts = range(0, len(self), batch_size)
        return [self._of(slice(start, start + batch_size)) for start in starts]

    def shuffled(self, batch_size: int, *, seed: int, first_epoch: int = 0) -> Iterator[Batch]:
        """Yields whole batches endlessly; an epoch's order depends on ``seed`` and its number."""
        epoch = first_epoch
        while True:
            for some in self.order(batch_size, seed=seed, epoch=epoch):
                yield self._of(some)
            epoch += 1

    def order(self, batch_size: int, *, seed: int, epoch: int) -> np.ndarray:
        """``(batches, batch_size)`` numbers of the clips in the whole batches of an epoch."""
        order = np.random.default_rng([seed, epoch]).permutation(len(self))
        whole = len(self) // batch_size
        return order[: whole * batch_size].reshape(whole, batch_size)

    def _of(self, some: slice | np.ndarray) -> Batch:
        return self.clips[some], self.labels[some]


@named
def draw_clips(
    task: str, split: str, count: int, *, seed: int = 0, difficulty: Difficulty | None = None
) -> ArrayClips:
    """Draws clips of a task in memory: the frames that ``write_task`` encodes.

    Args:
        task: The name of the task: "appearance", "motion" or "both".
        split: "train", "validation" or "test".
        count: The number of clips.
        seed: The seed of the task. Defaults to 0.
        difficulty: The difficulty of the task. Defaults to `Difficulty()`.

    Returns:
        The clips, whose classes alternate.

    Example:
        clips = draw_clips("motion", "train", 64)
    """
    drawn = [make_clip(task, split, k, seed=seed, difficulty=difficulty) for k in range(count)]
    frames, labels = zip(*drawn, strict=True)
    return ArrayClips(np.stack(frames), np.array(labels, "int64"))
