"""Ranking: Kendall's tau between scores and stand-alone accuracies, and its upper bound.

The stand-alone accuracy of a strategy (trained from scratch) varies with the seed. It is a noisy
measurement, with which even a perfect score agrees only in part: tau has a ceiling below 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vdroppath_tf.analysis.tau import kendall_tau, tau_difference, tau_interval
from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import Interval

KINDS = ("draws", "uniform draws")
"""The origin of strategies: draws from the learned space, or from the uniform prior."""


@named
@dataclass(frozen=True)
class SeedNoise:
    """The variation of strategies' accuracies over training seeds.

    Attributes:
        seeds: the number of trainings of each strategy.
        deviation: the standard deviation of a training's accuracy about its strategy's mean.
        spread: the highest minus the lowest mean accuracy.
        between_seeds: the mean tau between two seeds, NaN with one seed.
        ceiling: the tau of a perfect score with these means, by simulation: the means are taken as
            the true values, and noise of the estimated size is added.

    Example:
    ```python
    noise = seed_noise(np.array([[0.50, 0.52], [0.61, 0.58], [0.70, 0.73]]))
    print(noise.deviation, noise.spread)
    ```
    """

    seeds: int
    deviation: float
    spread: float
    between_seeds: float
    ceiling: float


@named
def seed_noise(accuracies: np.ndarray, *, resamples: int = 500, seed: int = 0) -> SeedNoise:
    """Estimates how much stand-alone accuracies depend on the seed.

    Args:
        accuracies: ``(strategies, seeds)``, with at least two strategies.
        resamples, seed: the settings of the simulation.

    Raises:
        ValueError: If there are fewer than two strategies, or no seed.

    Example:
    ```python
    accuracies = np.array([[0.50, 0.52], [0.61, 0.58], [0.70, 0.73]])
    print(seed_noise(accuracies).ceiling)
    ```
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


@named
@dataclass(frozen=True, eq=False)
class Ranking:
    """The stand-alone accuracies of strategies, and the scores that templates gave them.

    The two kinds are never mixed in one tau: a template's weights fit the strategies that its space
        makes probable, so its scores of other strategies do not measure their designs.

    Attributes:
        kinds: the kind of each strategy: ``"draws"`` from the space, or ``"uniform draws"``.
        strategies: the texts of the strategies.
        stand_alone: ``(strategies, seeds)`` top-1 of each strategy, trained from scratch.
        scores: by name, ``(strategies,)`` the scores on a template.
        clips: the number of test clips for each accuracy.
        curves: by template, the numbers of adaptation steps and the names of their ``scores``.

    Example:
    ```python
    accuracies = np.array([[0.50, 0.52], [0.61, 0.58], [0.70, 0.73]])  # of two trainings each
    scores = {"template": np.array([0.41, 0.47, 0.44])}
    found = Ranking(("draws",) * 3, ("S S", "S ST", "ST ST"), accuracies, scores, clips=500)
    print(found.taus()["template"], found.noise().ceiling)
    ```
    """

    kinds: tuple[str, ...]
    strategies: tuple[str, ...]
    stand_alone: np.ndarray
    scores: Mapping[str, np.ndarray]
    clips: int
    curves: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    __repr__ = brief

    def of(self, kind: str) -> Ranking:
        """Returns the ranking of the strategies of one kind."""
        here = np.array([k == kind for k in self.kinds], bool)
        return Ranking(
            kinds=(kind,) * int(here.sum()),
            strategies=tuple(s for s, h in zip(self.strategies, here, strict=True) if h),
            stand_alone=self.stand_alone[here],
            scores={name: score[here] for name, score in self.scores.items()},
            clips=self.clips,
            curves=self.curves,
        )

    def noise(self) -> SeedNoise:
        """Estimates the noise of the stand-alone accuracies."""
        return seed_noise(self.stand_alone)

    def taus(self, level: float = 0.95) -> dict[str, Interval]:
        """Returns the tau of each score with the mean accuracy over seeds, and its interval."""
        mean = self.stand_alone.mean(1)
        return {name: tau_interval(mean, s, level=level) for name, s in self.scores.items()}

    def above(self, baseline: str, level: float = 0.95) -> dict[str, Interval]:
        """Returns by how much the tau of each other score exceeds that of one of them.

        Args:
            baseline: The name of a score, such as ``"uniform template"``.
            level: The confidence of the intervals. Defaults to 0.95.

        Raises:
            ValueError: If there is no such score.

        Example:
        ```python
        accuracies = np.array([[0.50], [0.61], [0.70]])
        scores = {"space": np.array([1, 2, 3]), "uniform template": np.array([2, 1, 3])}
        found = Ranking(("draws",) * 3, ("S S", "S ST", "ST ST"), accuracies, scores, clips=500)
        print(found.above("uniform template")["space"])
        ```
        """
        if baseline not in self.scores:
            known = ", ".join(map(repr, self.scores))
            raise ValueError(f"baseline={baseline!r} is no score. Expected one of: {known}.")
        mean, least = self.stand_alone.mean(1), self.scores[baseline]
        return {
            name: tau_difference(mean, score, least, level=level)
            for name, score in self.scores.items()
            if name != baseline
        }
