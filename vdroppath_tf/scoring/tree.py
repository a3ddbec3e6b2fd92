"""Scoring: scores a tree of strategies on batches, with recalibration, races and resuming."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vdroppath_tf.models.fusion_model import check_clips
from vdroppath_tf.scoring.batch_statistics import some_clips
from vdroppath_tf.scoring.progress import Progress
from vdroppath_tf.scoring.race import Race
from vdroppath_tf.scoring.several import check_several, mean_precisions
from vdroppath_tf.scoring.videos import mean_over_views
from vdroppath_tf.scoring.walk import Statistics, StrategyTree


class Found(NamedTuple):
    """The result of ``Scoring.score``.

    Attributes:
        right: ``(K, videos, 2)`` bool, whether top-1 and top-5 were right.
        seen: ``(K,)`` the number of videos that each strategy has seen.
        labels: ``(videos,)`` classes; the first of several, -1 for none.
        maps: ``(K,)`` mean average precisions on the videos seen, if they have several classes.
    """

    right: np.ndarray
    seen: np.ndarray
    labels: np.ndarray
    maps: np.ndarray | None


_ONE_CLASS = 16  # a shuffled list practically never begins with this many clips of one class


class Scoring:
    """Scores the strategies of a tree batch by batch.

    Args:
        tree: the tree of strategies.
        classes: the number of classes.
        tick: a function that is called after each strategy and batch.
        views: the number of clips of each video, adjacent and in one batch; their mean softmax is
            the video's score.
        multi_label: whether labels are ``(batch, classes)`` of 0 and 1, and probabilities sigmoids.
            An answer is then right if it is one of the classes of the video.
    """

    def __init__(
        self,
        tree: StrategyTree,
        classes: int,
        tick: Callable[[], object],
        views: int = 1,
        *,
        multi_label: bool = False,
    ) -> None:
        self.tree, self.classes, self.tick, self.views = tree, classes, tick, views
        self.multi_label = multi_label
        self.rows = list(range(len(tree)))
        self.statistics: Statistics | None = None

    def measure(self, clips: Iterable[Any], batches: int, path: Path | None, mark: str) -> None:
        """Measures each strategy's batch-norm statistics: the means over some batches."""
        progress = Progress(path, mark)
        total, count = progress.results, 0
        for batch in some_clips(clips, batches, self.tree.channels):
            if not progress.has(count, [batch]):
                found = self._measured(batch)
                total = found if count == 0 else total + found
                progress.keep([batch], total)
            count += 1
        progress.finish(count)
        self.statistics = self._by_node(total / np.float32(count))

    def _measured(self, batch: Any) -> np.ndarray:
        """Returns the statistics of every node on a batch, in the order of the walk."""
        parts = []
        for rows, found in self.tree.measure(batch, self.rows):
            parts += [found[key] for key in sorted(found, key=len)]
            for _ in rows:
                self.tick()
        return tf.concat(parts, 0).numpy() if parts else np.zeros(0, "float32")

    def _by_node(self, values: np.ndarray) -> Statistics:
        statistics: Statistics = {}
        start = 0
        for key, size in self.tree.statistics_sizes():
            statistics[key] = tf.constant(values[start : start + size])
            start += size
        return statistics

    def score(
        self, clips: Iterable[Any], race: Race | None, room: int, path: Path | None, mark: str
    ) -> Found:
        """Scores every strategy on the batches.

        Args:
            clips: batches ``(clips, labels)``.
            race: the race that drops strategies between batches, or None.
            room: the memory for activations, in bytes.
            path: a file for the results after each batch, or None.
            mark: a fingerprint of everything but the batches that the results depend on.
        """
        progress = Progress(path, mark)
        seen, labels = np.zeros(len(self.tree), "int64"), self._none()
        active, found, count = self.rows, self._answers(0), 0
        for batch, own in clips:
            check_clips(batch, self.tree.channels, self.tree.least)
            own = self._checked(np.asarray(own), ordered=race is not None)
            start, labels = len(labels), np.concatenate([labels, own])
            if progress.has(count, [batch, own]):
                found = progress.results[:, : len(labels)]
            else:
                found = np.concatenate([found, self._scored(batch, own, active, room)], 1)
                progress.keep([batch, own], found)
            count += 1
            seen[active] += len(own)
            active = race.after(found[:, start:, 0] > 0) if race is not None else active
            if len(active) == 1 < len(self.tree):
                break
        if not len(labels):
            raise ValueError("There are no clips to evaluate on.")
        progress.finish(count)
        maps = None
        if self.multi_label:
            maps = mean_precisions(labels, found[..., 2:], seen)
        return Found(found[..., :2] > 0, seen, _first_class(labels), maps)

    def _none(self) -> np.ndarray:
        """Returns an empty array of labels."""
        return np.zeros((0, self.classes) if self.multi_label else 0, "int64")

    def _answers(self, videos: int) -> np.ndarray:
        """Returns an empty array for the top-1 and top-5 hits, or for multi-label probabilities."""
        if self.multi_label:
            return np.zeros((len(self.tree), videos, 2 + self.classes), "float32")
        return np.zeros((len(self.tree), videos, 2), bool)

    def _scored(self, batch: Any, labels: np.ndarray, rows: Sequence[int], room: int) -> np.ndarray:
        found = self._answers(len(labels))
        piece, views = self._piece(batch.shape[1:], room), self.views
        for start in range(0, len(labels), piece):
            part = slice(start, start + piece)
            clips = batch[views * start : views * (start + piece)]
            for same, logits in self.tree.logits(clips, rows, self.statistics):
                answers = self._of_videos(logits)
                found[same, part, :2] = _hits(answers, labels[part])
                if self.multi_label:
                    found[same, part, 2:] = answers
                for _ in same if part.stop >= len(labels) else ():
                    self.tick()
        return found

    def _of_videos(self, logits: tf.Tensor) -> np.ndarray:
        if self.views == 1:
            return logits.numpy()
        chances = tf.sigmoid if self.multi_label else tf.nn.softmax
        return mean_over_views(chances(logits).numpy(), self.views)

    def _piece(self, clip_shape: Sequence[int], room: int) -> int:
        """Returns how many videos fit into memory at once."""
        each = self.views * self.tree.bytes_per_clip(clip_shape)
        if room < each:
            what = "one clip" if self.views == 1 else f"the {self.views} views of a video"
            raise ValueError(
                f"Scoring {what} of {tuple(clip_shape)} needs up to {each} bytes. "
                f"Expected memory_bytes of at least that. Received: {room}"
            )
        return room // each

    def _checked(self, labels: np.ndarray, *, ordered: bool) -> np.ndarray:
        if self.multi_label:
            check_several(labels, self.classes)
        elif labels.ndim != 1 or not ((labels >= 0) & (labels < self.classes)).all():
            raise ValueError(
                f"Labels must be (batch,) of 0 to {self.classes - 1}, the classes of the model. "
                f"Received: {labels!r}"
            )
        first = _first_class(labels)
        if ordered and self.classes > 1 and len(labels) >= _ONE_CLASS and np.ptp(first) == 0:
            raise ValueError(
                f"A batch of {len(labels)} clips holds only class {first[0]}. A race needs clips "
                "in random order: shuffle the list."
            )
        if len(labels) % self.views:
            raise ValueError(
                f"{len(labels)} clips in a batch are no multiple of {self.views} views."
            )
        return labels[:: self.views].astype("int64")


def _first_class(labels: np.ndarray) -> np.ndarray:
    """Returns the class of each clip; the first of several, -1 for none."""
    if labels.ndim == 1:
        return labels
    return np.where(labels.any(1), labels.argmax(1), -1)


def _hits(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns whether each label is the top-1 answer, and among the top 5, ``(clips, 2)``.

    If labels are ``(clips, classes)``, the most probable of a clip's classes counts; a clip without
    a class is never a hit.
    """
    if labels.ndim == 2:
        own = np.where(labels > 0, logits, -np.inf).max(1, keepdims=True)
        above = np.where(labels.any(1), (logits > own).sum(1), 5)
        return np.isfinite(logits).all(1)[:, None] & (above[:, None] < np.array([1, 5]))
    own = np.take_along_axis(logits, labels[:, None], 1)
    above = (logits > own).sum(1)
    return np.isfinite(logits).all(1)[:, None] & (above[:, None] < np.array([1, 5]))
