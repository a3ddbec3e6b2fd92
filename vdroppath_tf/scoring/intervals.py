"""Confidence intervals of accuracies, and the selection bias of the best of several.

All comparisons are paired: strategies answer the same clips, so the difficulty of a clip, which all
    strategies share, cancels out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from vdroppath_tf.names import named


@named
@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its confidence interval.

    Args:
        value: float, the estimate.
        low: float, the lower end.
        high: float, the upper end.

    Example:
    ```python
    interval = Interval.of_share(0.75, clips=64)
    print(interval)  # 0.7500 [0.6318, 0.8399]
    ```
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"

    @classmethod
    def of_share(cls, share: float, clips: int, level: float = 0.95) -> Interval:
        """Returns a share of ``clips`` clips with its Wilson interval.

        Args:
            share: float in [0, 1].
            clips: int, the number of clips.
            level: float, the confidence. Defaults to 0.95.
        """
        return cls(share, *wilson(share, clips, level=level))


@named
def bootstrap(
    right: np.ndarray, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> list[tuple[Interval, Interval]]:
    """Returns the intervals of accuracies (Wilson) and of their differences (bootstrap).

    The resamples of the clips are the same for all strategies, so the comparisons are paired. If
    two strategies differ in the same way on every clip (for example, agree on all of them), every
    resample shows the same difference. The interval is then Wilson's interval of the share of clips
    on which they differ.

    Args:
        right: ``(strategies, clips)`` array of bool, whether each answer was right. All strategies
            are compared with the first.
        level: float, the confidence of the intervals. Defaults to 0.95.
        resamples: int, the number of resamples of the clips. Defaults to 2000.
        seed: int, the seed of the resamples. Defaults to 0.

    Returns:
        For each strategy a pair of ``Interval``: its top-1, and its top-1 minus that of the first
        strategy, which is exactly 0 for the first.

    Example:
    ```python
    answers = scores.answers([scores.best.strategy, strategies[0]])
    top1, difference = bootstrap(answers)[1]
    ```
    """
    answers = right.T.astype("float64")
    clips = len(answers)
    scores = np.array([picked / clips @ answers for picked in draw(clips, resamples, seed)])
    value = right.mean(1)
    paired = percentiles(scores - scores[:, :1], level).T
    found = []
    for k, (low, high) in enumerate(paired):
        own = Interval.of_share(float(value[k]), clips, level)
        difference = Interval(float(value[k] - value[0]), float(low), float(high))
        alike = k > 0 and bool(np.ptp(answers[:, k] - answers[:, 0]) == 0)
        found.append((own, _with_width(difference, clips, level) if alike else difference))
    return found


def _with_width(difference: Interval, clips: int, level: float) -> Interval:
    """Returns an interval for a difference that is -1, 0 or 1 on every clip."""
    value = difference.value
    differing = Interval.of_share(abs(value), clips, level)
    if value == 0.0:
        return Interval(0.0, -differing.high, differing.high)
    ends = (value * differing.low, value * differing.high)
    return Interval(value, min(ends), max(ends))


@named
def optimism(right: np.ndarray, *, resamples: int = 2000, seed: int = 0) -> float:
    """Estimates the selection bias (winner's curse) of the best of N strategies.

    The bias is the excess of its top-1 on the clips it was chosen on. It is estimated by the
    bootstrap: in each resample of the clips the best strategy is chosen, and its top-1 on the clips
    that the resample leaves out is subtracted from its top-1 in the resample.

    Args:
        right: ``(strategies, clips)`` array of bool, whether each answer was right, on the clips
            used for the choice.
        resamples: int, the number of resamples of the clips. Defaults to 2000.
        seed: int, the seed of the resamples. Defaults to 0.

    Returns:
        The mean over the resamples; NaN if no resample leaves a clip out.

    Example:
    ```python
    right = np.random.default_rng(0).random((20, 100)) < 0.5  # 20 equal strategies, 100 clips
    optimism(right)  # 0.05: the excess of the best one on these clips
    ```
    """
    gaps = []
    answers = right.T.astype("float64")
    clips = len(answers)
    for picked in draw(clips, resamples, seed):
        out = picked == 0
        if out.any():
            inside = picked / clips @ answers
            best = int(inside.argmax())
            gaps.append(inside[best] - right[best, out].mean())
    return float(np.mean(gaps)) if gaps else math.nan


def draw(size: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yields resamples with replacement, as ``(size,)`` counts of how often each item is drawn.

    With counts, a resample is one matrix product with the answers of all strategies: 0.2 s of
        processor time for 100 strategies on 2,048 clips. ``scipy.stats.bootstrap``, which gathers
        items by index, takes 2.6 s for the accuracies and as long again for the paired differences.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    for _ in range(resamples):
        yield np.bincount(rng.integers(0, size, size), minlength=size)


def percentiles(values: Any, level: float) -> np.ndarray:
    """Returns the two percentiles that enclose a share of ``level`` of the values."""
    ends: np.ndarray = np.percentile(values, [50 * (1 - level), 50 * (1 + level)], axis=0)
    return ends


def standard_error(share: float, count: int) -> float:
    """Returns the standard error of a share of ``count`` clips: ``sqrt(a (1 - a) / count)``."""
    return math.sqrt(share * (1.0 - share) / count)


def paired_difference(wins: Any, losses: Any, clips: Any) -> tuple[Any, Any]:
    """Returns the difference of two accuracies on the same clips, and its standard error.

    By Bonett and Price (2012): one clip is added to those that only the first gets right, and one
    to those that only the second gets right.
    """
    won, lost = (wins + 1) / (clips + 2), (losses + 1) / (clips + 2)
    difference = won - lost
    return difference, np.sqrt((won + lost - difference**2) / (clips + 2))


@named
def wilson(
    share: float, clips: int | None, standard_error: float = 0.0, *, level: float = 0.95
) -> tuple[float, float]:
    """Returns Wilson's interval of a share, which has a positive width at 0 and 1 too.

    Every interval of an accuracy in this package is of this kind: the bootstrap's has zero width if
        all answers are right, or none is.

    Args:
        share: float in [0, 1].
        clips: int, the number of clips; None takes 1.96 standard errors.
        standard_error: float, used if ``clips`` is None. Defaults to 0.
        level: float, the confidence of the interval. Defaults to 0.95.

    Returns:
        The lower and the upper end.

    Example:
    ```python
    low, high = wilson(1.0, 8)  # 0.676 and 1: eight of eight do not prove an accuracy of 1
    ```
    """
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    if not clips:
        reach = z * standard_error
        return max(0.0, share - reach), min(1.0, share + reach)
    # scipy.stats.binomtest takes a count, but a share may be the mean of several runs; and it takes
    # 0.8 ms for each of the thousands of draws in a report.
    square = z**2 / clips
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) / clips + square / (4 * clips))
    # at 0 and 1 one end of the formula equals the share, but for a rounding error
    low = 0.0 if share <= 0.0 else max(0.0, middle - reach)
    return low, 1.0 if share >= 1.0 else min(1.0, middle + reach)
