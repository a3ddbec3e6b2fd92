"""Do two ways of scoring strategies put them in the same order? Kendall's tau, and what bounds it.

The stand-alone accuracy of a strategy (trained from scratch) differs from seed to seed. So it is a
noisy reading, and no score, however good, agrees with noise: tau has a ceiling below 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vdroppath_tf.analysis.tau import kendall_tau, tau_interval
from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import Interval

KINDS = ("draws", "uniform draws")
"""Where strategies come from: the learned space, or the prior under which every path is a coin."""


@named
@dataclass(frozen=True)
class SeedNoise:
    """How much the accuracies of strategies change when they are trained with another seed.

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


@named
def seed_noise(accuracies: np.ndarray, *, resamples: int = 500, seed: int = 0) -> SeedNoise:
    """Estimates how much the stand-alone accuracies of strategies depend on the seed.

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


@named
@dataclass(frozen=True, eq=False)
class Ranking:
    """The stand-alone accuracies of strategies, and the scores that templates gave them.

    The two kinds are never mixed into one tau: a template's weights fit the strategies that its
    space gives mass to, so what it says of others is no verdict on their designs.

    Attributes:
        kinds: of each strategy: ``"draws"``, of the space, or ``"uniform draws"``.
        strategies: as text.
        stand_alone: ``(strategies, seeds)`` top-1 of each, trained from scratch.
        scores: ``(strategies,)`` by name: what templates said.
        clips: test clips of each accuracy.
        curves: by template, which of ``scores`` are those after how many steps of adaptation.
    """

    kinds: tuple[str, ...]
    strategies: tuple[str, ...]
    stand_alone: np.ndarray
    scores: Mapping[str, np.ndarray]
    clips: int
    curves: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    __repr__ = brief

    def of(self, kind: str) -> Ranking:
        """Its strategies of one kind."""
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
        """How far the stand-alone accuracies can be trusted."""
        return seed_noise(self.stand_alone)

    def taus(self, level: float = 0.95) -> dict[str, Interval]:
        """Tau of each score with the mean accuracy over seeds, and its interval."""
        mean = self.stand_alone.mean(1)
        return {name: tau_interval(mean, s, level=level) for name, s in self.scores.items()}
