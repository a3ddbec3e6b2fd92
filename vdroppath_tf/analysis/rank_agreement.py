"""Do two ways of scoring strategies put them in the same order? Kendall's tau, and what bounds it.

A strategy trained on its own again with another seed scores otherwise. So its accuracy is a noisy
reading, and no score, however good, agrees with noise: tau has a ceiling below 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.scoring.select import Interval

KINDS = ("draws", "uniform draws")
"""Where strategies come from: the learned space, or the prior under which every path is a coin."""


def kendall_tau(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float:
    """Kendall's tau-b of two scores of the same strategies, with ties accounted for.

    Args:
        a, b: ``(strategies,)`` scores.

    Returns:
        From -1, the opposite order, to 1, the same; NaN where a score has no order (all equal, or
        fewer than two strategies).

    Raises:
        ValueError: when the lengths differ or a score is not finite.
    """
    first, second = np.asarray(a, "float64"), np.asarray(b, "float64")
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(
            "Expected two scores of the same strategies. "
            f"Received: shapes {first.shape} and {second.shape}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("A score that is not finite has no place in an order.")
    return _tau(_order(first), _order(second))


def _order(scores: np.ndarray) -> np.ndarray:
    """``(strategies, strategies)`` 1 where the row's strategy scores higher, -1 lower, 0 equal."""
    order: np.ndarray = np.sign(scores[:, None] - scores[None, :])
    return order


def _tau(a: np.ndarray, b: np.ndarray) -> float:
    pairs = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return float((a * b).sum()) / pairs if pairs else math.nan


def tau_interval(
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Tau with its percentile bootstrap interval over strategies.

    A strategy that a resample holds twice is no pair with itself: it would count as a tie.

    Args:
        a, b: ``(strategies,)`` scores.
        level: of the interval.
        resamples, seed: of the strategies.
    """
    value = kendall_tau(a, b)
    first, second = _order(np.asarray(a, "float64")), _order(np.asarray(b, "float64"))
    rng = np.random.Generator(np.random.PCG64(seed))
    taus = []
    for _ in range(resamples):
        count = np.bincount(rng.integers(0, len(first), len(first)), minlength=len(first))
        weight = np.sqrt(np.outer(count, count))
        taus.append(_tau(first * weight, second * weight))
    found = [tau for tau in taus if not math.isnan(tau)]
    if not found:
        return Interval(value, math.nan, math.nan)
    low, high = np.percentile(found, [50 * (1 - level), 50 * (1 + level)])
    return Interval(value, float(low), float(high))


@dataclass(frozen=True)
class SeedNoise:
    """What training again with another seed does to the accuracies of strategies.

    Attributes:
        seeds: trainings of each strategy.
        deviation: standard deviation of one training's accuracy about its strategy's own.
        spread: highest minus lowest mean accuracy.
        between_seeds: mean tau of two seeds, NaN with one seed.
        ceiling: tau that a perfect score would have with these means, by simulation: the means are
            taken for the truth, and noise of their own size is added.
    """

    seeds: int
    deviation: float
    spread: float
    between_seeds: float
    ceiling: float


def seed_noise(accuracies: np.ndarray, *, resamples: int = 500, seed: int = 0) -> SeedNoise:
    """How far the accuracies of strategies trained on their own can be trusted.

    Args:
        accuracies: ``(strategies, seeds)``, of at least two strategies.
        resamples, seed: of the simulation.

    Raises:
        ValueError: when there are fewer than two strategies, or no seed.
    """
    strategies, seeds = accuracies.shape
    if strategies < 2 or seeds < 1:
        raise ValueError(
            "An order needs at least two strategies, each trained once or more. Received: "
            f"accuracies of shape {accuracies.shape}"
        )
    mean = accuracies.mean(1)
    spread = float(mean.max() - mean.min())
    if seeds == 1:
        return SeedNoise(1, math.nan, spread, math.nan, math.nan)
    deviation = math.sqrt(float(accuracies.var(1, ddof=1).mean()))
    pairs = [
        kendall_tau(accuracies[:, i], accuracies[:, j]) for i in range(seeds) for j in range(i)
    ]
    rng = np.random.Generator(np.random.PCG64(seed))
    noise = rng.normal(0.0, deviation / math.sqrt(seeds), (resamples, strategies))
    ceiling = [kendall_tau(mean, mean + shift) for shift in noise]
    return SeedNoise(seeds, deviation, spread, float(np.mean(pairs)), float(np.mean(ceiling)))


@dataclass(frozen=True, eq=False)
class Ranking:
    """Strategies trained on their own, and what templates said of them.

    The two kinds are never mixed into one tau: a template's weights fit the strategies that its
    space gives mass to, so what it says of others is no verdict on their designs.

    Attributes:
        kinds: of each strategy: ``"draws"``, of the space, or ``"uniform draws"``.
        strategies: as text.
        alone: ``(strategies, seeds)`` top-1 of each trained on its own.
        scores: ``(strategies,)`` by name: what templates said.
        clips: test clips of each accuracy.
    """

    kinds: tuple[str, ...]
    strategies: tuple[str, ...]
    alone: np.ndarray
    scores: Mapping[str, np.ndarray]
    clips: int

    def of(self, kind: str) -> Ranking:
        """Its strategies of one kind."""
        here = np.array([k == kind for k in self.kinds], bool)
        return Ranking(
            kinds=(kind,) * int(here.sum()),
            strategies=tuple(s for s, h in zip(self.strategies, here, strict=True) if h),
            alone=self.alone[here],
            scores={name: score[here] for name, score in self.scores.items()},
            clips=self.clips,
        )

    def noise(self) -> SeedNoise:
        """How far the accuracies of strategies on their own can be trusted."""
        return seed_noise(self.alone)

    def taus(self, level: float = 0.95) -> dict[str, Interval]:
        """Tau of each score with the mean accuracy over seeds, and its interval."""
        mean = self.alone.mean(1)
        return {name: tau_interval(mean, s, level=level) for name, s in self.scores.items()}
