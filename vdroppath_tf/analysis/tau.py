"""Kendall's tau between two scores of the same strategies, and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import Interval, draw, percentiles


@named
def kendall_tau(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float:
    """Computes Kendall's tau-b of two scores of the same strategies, which accounts for ties.

    Args:
        a, b: ``(strategies,)`` scores.

    Returns:
        A number from -1, the opposite order, to 1, the same order; NaN if a score has no order (all
        equal, or fewer than two strategies).

    Raises:
        ValueError: If the lengths differ or a score is not finite.

    Example:
    ```python
    kendall_tau([1, 2, 3], [1, 3, 2])  # 0.333
    ```
    """
    first, second = np.asarray(a, "float64"), np.asarray(b, "float64")
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(
            "Expected two scores of the same strategies. "
            f"Received: shapes {first.shape} and {second.shape}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("A score is not finite. Expected numbers without NaN and infinity.")
    return _tau(_order(first), _order(second))


def _order(scores: np.ndarray) -> np.ndarray:
    """Compares all pairs: 1 if the row's strategy scores higher, -1 if lower, 0 if equal."""
    order: np.ndarray = np.sign(scores[:, None] - scores[None, :])
    return order


def _tau(a: np.ndarray, b: np.ndarray) -> float:
    """Computes tau-b of two orders.

    ``scipy.stats.kendalltau`` divides by two roots one after the other, so it gives 1 - 1e-16 for
    equal orders, which lies outside its interval. It is also 20 times slower for 40 strategies, and
    does not take weights, which the interval needs.
    """
    pairs = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return float((a * b).sum()) / pairs if pairs else math.nan


@named
def tau_interval(
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Computes Kendall's tau with its percentile bootstrap interval over strategies.

    If a resample holds a strategy twice, the two copies are not compared; in
    ``scipy.stats.bootstrap`` they would count as a tie.

    Args:
        a, b: ``(strategies,)`` scores.
        level: float, the confidence of the interval. Defaults to 0.95.
        resamples: int, the number of resamples of the strategies. Defaults to 2000.
        seed: int, the seed of the resamples. Defaults to 0.

    Returns:
        An ``Interval``; its ends are NaN if no resample has an order.

    Raises:
        ValueError: If the lengths differ, a score is not finite, or there is no resample.

    Example:
    ```python
    print(tau_interval([1, 2, 3, 4, 5], [1, 3, 2, 4, 5]))
    ```
    """
    return _interval(kendall_tau(a, b), _resampled([a, b], resamples, seed)[0], level)


@named
def tau_difference(
    truth: Sequence[float] | np.ndarray,
    score: Sequence[float] | np.ndarray,
    other: Sequence[float] | np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Computes by how much one score agrees better with the truth than another does.

    The comparison is paired: each resample of the strategies gives a tau of both scores. The
    interval is usually narrower than the intervals of the two suggest, since scores of the same
    strategies tend to err in the same direction.

    Args:
        truth: ``(strategies,)`` such as stand-alone accuracies.
        score, other: ``(strategies,)`` the two scores.
        level, resamples, seed: As for ``tau_interval``.

    Returns:
        An ``Interval`` of the tau of ``score`` minus that of ``other``.

    Raises:
        ValueError: If the lengths differ, a score is not finite, or there is no resample.

    Example:
    ```python
    truth = [1, 2, 3, 4, 5]
    print(tau_difference(truth, [1, 2, 3, 5, 4], [2, 1, 3, 5, 4]))
    ```
    """
    value = kendall_tau(truth, score) - kendall_tau(truth, other)
    own, others = _resampled([truth, score, other], resamples, seed)
    return _interval(value, own - others, level)


def _resampled(scores: Sequence[Any], resamples: int, seed: int) -> np.ndarray:
    """Returns the tau of the first score with each other one, ``(others, resamples)``."""
    if resamples < 1:
        raise ValueError(f"resamples must be 1 or more. Received: {resamples}")
    first, *others = (_order(np.asarray(score, "float64")) for score in scores)
    taus = []
    for count in draw(len(first), resamples, seed):
        weight = np.sqrt(np.outer(count, count))
        taus.append([_tau(first * weight, other * weight) for other in others])
    return np.array(taus).T


def _interval(value: float, taus: np.ndarray, level: float) -> Interval:
    found = taus[~np.isnan(taus)]
    if not len(found):
        return Interval(value, math.nan, math.nan)
    low, high = percentiles(found, level)
    return Interval(value, float(low), float(high))
