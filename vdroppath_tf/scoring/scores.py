"""StrategyScores: the answers of strategies for each clip, and their accuracies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vdroppath_tf.files.shown import ShortTable, ShowsTable
from vdroppath_tf.names import named
from vdroppath_tf.scoring.array_files import read_arrays, write_arrays
from vdroppath_tf.scoring.intervals import Interval, standard_error
from vdroppath_tf.spaces.strategy import FusionStrategy

_FORMAT = "vdroppath_tf.right/1"
_NAMES = ("strategies", "architectures", "right", "seen", "labels", "recalibrated")


@named
@dataclass(frozen=True)
class StrategyScore:
    """The score of one strategy on the validation clips.

    Attributes:
        strategy: the strategy.
        top1, top5: the shares of correct clips (top5 is 1 if there are at most 5 classes).
        clips: the number of clips that were scored.
        map: the mean average precision over classes if clips have several classes; otherwise None.

    Example:
    ```python
    for score in scores.ranked():
        print(score.strategy, score.top1, score.interval)
    ```
    """

    strategy: FusionStrategy
    top1: float
    top5: float
    clips: int
    map: float | None = None

    @property
    def standard_error(self) -> float:
        """The standard error of ``top1``."""
        return standard_error(self.top1, self.clips)

    @property
    def interval(self) -> Interval:
        """``top1`` with its 95 % interval (Wilson's), which has a positive width at 0 and 1 too."""
        return Interval.of_share(self.top1, self.clips)


@named
@dataclass(frozen=True, eq=False)
class StrategyScores(ShowsTable):
    """The scores of strategies, in the order in which the strategies were passed.

    Attributes:
        scores: one score for each strategy.
        recalibrated: whether the batch-norm statistics were measured again for each strategy.
        right: ``(strategies, clips, 2)`` bool, whether top-1 and top-5 were right on each clip;
            False on clips that a strategy did not see because a race dropped it. None if not kept.
        labels: ``(clips,)`` the classes of the clips. None if not kept.

    Example:
    ```python
    scores = evaluate_strategies(template, space.sample(8), val_clips, train_clips=train_clips)
    print(scores)  # a table of the best
    scores.save("scores.npz")
    StrategyScores.load("scores.npz").best
    ```
    """

    scores: tuple[StrategyScore, ...]
    recalibrated: bool
    right: np.ndarray | None = None
    labels: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        strategies: Sequence[FusionStrategy],
        right: np.ndarray,
        seen: Sequence[int],
        labels: np.ndarray,
        recalibrated: bool,
        maps: np.ndarray | None = None,
    ) -> StrategyScores:
        """Creates the scores from ``right``; each strategy has seen its first ``seen`` clips."""
        shares = right.sum(1) / np.asarray(seen)[:, None]
        precisions = [None] * len(shares) if maps is None else [float(one) for one in maps]
        scores = (
            StrategyScore(strategy, float(top1), float(top5), int(count), precision)
            for strategy, (top1, top5), count, precision in zip(
                strategies, shares, seen, precisions, strict=True
            )
        )
        return cls(tuple(scores), recalibrated, right, labels)

    def __repr__(self) -> str:
        if not self.scores:
            return "StrategyScores(no strategies)"
        best, clips = self.best, max(score.clips for score in self.scores)
        strategy = str(best.strategy)
        return (
            f"StrategyScores({len(self):,} strategies, {clips:,} clips, best top1={best.top1:.3f} "
            f"of {strategy if len(strategy) <= 80 else strategy[:80] + '...'!r}, "
            f"recalibrated={self.recalibrated})"
        )

    def __str__(self) -> str:
        return self._table(self.ranked()).text()

    def _repr_html_(self) -> str:
        return self._table(self.ranked()).html()

    def ranked(self) -> list[StrategyScore]:
        """Returns the scores, best first, equals in their order; those a race dropped come last."""
        return sorted(self.scores, key=lambda score: (-score.clips, -score.top1))

    def short_table(self) -> ShortTable:
        """Returns a table with a line for each strategy, in order; printed, the best come first."""
        return self._table(self.scores)

    def _table(self, scores: Sequence[StrategyScore]) -> ShortTable:
        clips = max((score.clips for score in scores), default=0)
        how = "" if self.recalibrated else ", batch norm not recalibrated"
        heads = ["strategy", "top1", "standard_error", "top5", "clips"]
        lines: list[list[Any]] = [
            [str(one.strategy), one.top1, one.standard_error, one.top5, one.clips] for one in scores
        ]
        if any(one.map is not None for one in scores):
            heads.append("map")
            lines = [[*line, one.map] for line, one in zip(lines, scores, strict=True)]
        title = f"{len(scores):,} strategies on {clips:,} clips{how}{self._tied()}"
        return ShortTable(title, heads, lines)

    def _tied(self) -> str:
        """Returns a note if every strategy that saw all clips has the same top-1."""
        if not self.scores or len({one.strategy for one in self.finalists}) < 2:
            return ""
        if len({(one.top1, one.map) for one in self.finalists}) > 1:
            return ""
        return "; all that saw every clip have the same top-1, so these clips rank nothing"

    def __iter__(self) -> Iterator[StrategyScore]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, k: int) -> StrategyScore:
        return self.scores[k]

    @property
    def best(self) -> StrategyScore:
        """The highest top-1 among the strategies not dropped from a race.

        Of several with the same top-1 it is the first in the order in which they were passed. If
        all have the same, which ``print(scores)`` then says, these clips rank nothing.
        Its accuracy on these clips has a selection bias, which ``scoring.select()`` estimates.
        Others may be as good and cheaper: ``scoring.choose()`` takes the cheapest of them.
        """
        return max(self.finalists, key=lambda score: score.top1)

    @property
    def finalists(self) -> tuple[StrategyScore, ...]:
        """The scores on every clip: all of them, unless there was a race."""
        clips = max(score.clips for score in self.scores)
        return tuple(score for score in self.scores if score.clips == clips)

    def answers(self, strategies: Sequence[FusionStrategy]) -> np.ndarray:
        """Returns whether the top-1 of some strategies was right, ``(strategies, clips)`` bool.

        Raises:
            ValueError: If the answers were not kept, or a strategy was not scored on every clip.
        """
        if self.right is None:
            raise ValueError("These scores hold no answers clip by clip. Score the clips again.")
        place = {str(score.strategy): k for k, score in enumerate(self.finalists)}
        absent = [str(s) for s in strategies if str(s) not in place]
        if absent:
            raise ValueError(f"{absent[0]!r} was not scored on every clip.")
        whole = [k for k, score in enumerate(self.scores) if score in self.finalists]
        return self.right[[whole[place[str(s)]] for s in strategies], :, 0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an ``.npz`` file without pickles, atomically.

        Raises:
            ValueError: If the answers were not kept.
        """
        if self.right is None or self.labels is None:
            raise ValueError("These scores hold no answers clip by clip. Score the clips again.")
        maps = {}
        if self.scores[0].map is not None:
            maps["maps"] = np.array([score.map for score in self.scores])
        write_arrays(
            path,
            _FORMAT,
            strategies=np.array([str(score.strategy) for score in self.scores]),
            architectures=np.array([score.strategy.architecture or "" for score in self.scores]),
            right=self.right,
            seen=np.array([score.clips for score in self.scores]),
            labels=self.labels,
            recalibrated=np.array(self.recalibrated),
            **maps,
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> StrategyScores:
        """Reads a file that ``save`` wrote.

        Raises:
            ValueError: If the file has another format; the message names the file.
            OSError: If the file cannot be read.
        """
        found = read_arrays(path, _FORMAT, _NAMES, optional=("maps",))
        right, seen, labels = found["right"], found["seen"], found["labels"]
        count = len(found["strategies"])
        expected = (count, len(labels), 2)
        if right.dtype != bool or right.shape != expected or not count or seen.shape != (count,):
            raise ValueError(
                f"{path}: expected answers of shape {expected}, one bool for each strategy and "
                f"clip. Found {right.shape}, {right.dtype}."
            )
        if not ((seen >= 1) & (seen <= len(labels))).all():
            raise ValueError(f"{path}: strategies saw {seen.tolist()} of {len(labels)} clips.")
        maps = found.get("maps")
        if maps is not None and (maps.shape != (count,) or not ((maps >= 0) & (maps <= 1)).all()):
            raise ValueError(f"{path}: expected {count} mean average precisions from 0 to 1.")
        pairs = zip(found["strategies"], found["architectures"], strict=True)
        strategies = [FusionStrategy.parse(str(text), str(name) or None) for text, name in pairs]
        return cls.of(strategies, right, seen, labels, bool(found["recalibrated"]), maps)
