"""Choosing among scored strategies, and saying how sure the choice is.

The clips that a strategy is chosen on flatter it: of N scores the highest is partly luck. So the
choice is made on one part of the validation clips, and reported on the other. All comparisons are
paired: strategies answer the same clips, and what all find easy or hard cancels out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit

UNIFORM = ("S", "ST", "S+ST")


def split(labels: Sequence[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the clips to choose on and of those to report on: halves, class by class.

    A pure function of its arguments. Both parts are in random order, as a race needs it.

    Args:
        labels: class of each clip.
        seed: of the shuffle.

    Returns:
        Two arrays of numbers from 0, of sizes that differ by one clip at most.

    Raises:
        ValueError: when there are fewer than two clips.
    """
    classes = np.asarray(labels)
    if len(classes) < 2:
        raise ValueError(
            "Choosing on one part of the validation clips and reporting on the other needs at "
            f"least 2 of them. Received: {len(classes)}"
        )
    rng = np.random.Generator(np.random.PCG64(seed))
    shuffled = rng.permutation(len(classes))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    return rng.permutation(by_class[::2]), rng.permutation(by_class[1::2])


def controls(space: ProbabilitySpace, draws: int, seed: int = 0) -> dict[str, FusionStrategy]:
    """What a chosen strategy is held against: S, ST, S+ST everywhere, and uniform draws.

    Of the uniform strategies, those whose branches the network has everywhere. Every path of a
    uniform draw is on with probability 1/2.

    Args:
        space: of the template.
        draws: from the uniform prior.
        seed: of the draws.

    Returns:
        Names and strategies.
    """
    named = {
        f"{unit} everywhere": FusionStrategy.uniform(unit, len(space), space.architecture)
        for unit in UNIFORM
        if _everywhere(space, unit)
    }
    uniform = uniform_prior(space).sample(draws, seed=seed)
    return named | {f"uniform draw {n}": drawn for n, drawn in enumerate(uniform, 1)}


def _everywhere(space: ProbabilitySpace, unit: str) -> bool:
    wanted = FusionUnit(unit).branches
    places = [space.branches.index(b) for b in wanted if b in space.branches]
    return len(places) == len(wanted) and bool(space.gated[:, places].all())


def uniform_prior(space: ProbabilitySpace) -> ProbabilitySpace:
    """The space in which every path that there is is on with probability 1/2."""
    return ProbabilitySpace(
        tuple(np.where(start < 1.0, 0.5, 1.0) for start in space.initial),
        layers=space.layers,
        architecture=space.architecture,
        branches=space.branches,
        has_residual=space.has_residual,
    )


@dataclass(frozen=True)
class Interval:
    """A number and the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap(
    right: np.ndarray, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> list[tuple[Interval, Interval]]:
    """Percentile bootstrap over clips, the same resamples for all strategies (so it is paired).

    Args:
        right: ``(strategies, clips)`` bool; the first strategy is what the others are compared to.
        level: of the intervals.
        resamples: of the clips.
        seed: of the resamples.

    Returns:
        For each strategy its top-1, and its top-1 minus that of the first. At 0 and 1 an interval
        has no width: the clips do not say more.
    """
    answers = right.T.astype("float64")
    scores = np.array([picked @ answers for picked in _resamples(len(answers), resamples, seed)])
    value = right.mean(1)
    ends = [50 * (1 - level), 50 * (1 + level)]
    own = np.percentile(scores, ends, axis=0).T
    paired = np.percentile(scores - scores[:, :1], ends, axis=0).T
    return [
        (Interval(float(v), float(a), float(b)), Interval(float(v - value[0]), float(c), float(d)))
        for v, (a, b), (c, d) in zip(value, own, paired, strict=True)
    ]


def optimism(right: np.ndarray, *, resamples: int = 2000, seed: int = 0) -> float:
    """How much the best of N flatters on the clips it was chosen on, on average.

    In each bootstrap resample of the clips the best strategy is chosen; its top-1 there, minus its
    top-1 on the clips the resample left out. The mean over resamples.

    Args:
        right: ``(strategies, clips)`` bool, those it was chosen on.
        resamples, seed: as for ``bootstrap``.
    """
    gaps = []
    answers = right.T.astype("float64")
    for picked in _resamples(len(answers), resamples, seed):
        out = picked == 0
        if out.any():
            inside = picked @ answers
            best = int(inside.argmax())
            gaps.append(inside[best] - right[best, out].mean())
    return float(np.mean(gaps)) if gaps else math.nan


def _resamples(clips: int, count: int, seed: int) -> Iterator[np.ndarray]:
    """``count`` times ``(clips,)`` weights that sum to 1."""
    rng = np.random.Generator(np.random.PCG64(seed))
    for _ in range(count):
        yield np.bincount(rng.integers(0, clips, clips), minlength=clips) / clips


def not_told_apart(right: np.ndarray, level: float = 0.05) -> list[int]:
    """The strategies that may be the best: this set holds the best with probability ``1 - level``.

    A strategy is told apart where any other is better by an exact paired test (McNemar's, one
    sided: of the clips that only one of the two gets right) at ``level / (N - 1)``. The best one
    has N - 1 others that might beat it by chance, so it is left out with probability ``level`` at
    most, however the choice was made.

    Args:
        right: ``(strategies, clips)`` bool.
        level: probability of leaving out the best.

    Returns:
        Their numbers.
    """
    own = right.astype("int64")
    wins = own @ (1 - own).T
    count = len(right)
    threshold = level / max(1, count - 1)
    return [
        k
        for k in range(count)
        if all(sign_test(int(wins[j, k]), int(wins[k, j])) > threshold for j in range(count))
    ]


@cache
def sign_test(wins: int, losses: int) -> float:
    """P(at least so many wins), were each of the ``wins + losses`` decided by a fair coin."""
    n = wins + losses
    if wins <= losses:
        return 1.0  # more than 1/2: no evidence
    ways = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(wins, n + 1)
    ]
    return sum(math.exp(way - n * math.log(2)) for way in ways)


@dataclass(frozen=True)
class Row:
    """A strategy on the clips that were not chosen on.

    Attributes:
        name: what it is.
        strategy: what ran.
        top1: with its interval.
        difference: top-1 minus that of the selected strategy, paired, with its interval.
    """

    name: str
    strategy: FusionStrategy
    top1: Interval
    difference: Interval


@dataclass(frozen=True)
class Selection:
    """What was chosen, and how sure that is.

    Attributes:
        strategy: the best on the clips it was chosen on.
        top1_chosen_on: its top-1 there, which flatters.
        optimism: by about so much (``optimism``).
        rows: it, and the controls, on the other clips.
        not_told_apart: those that may be the best, of all that were scored.
        level: probability that the best is not among these.
        confidence: of the intervals.
        clips: how many it was chosen on, and how many it is reported on.
    """

    strategy: FusionStrategy
    top1_chosen_on: float
    optimism: float
    rows: tuple[Row, ...]
    not_told_apart: tuple[FusionStrategy, ...]
    level: float
    confidence: float
    clips: tuple[int, int]


def select(
    chosen_on: StrategyScores,
    reported_on: StrategyScores,
    named: dict[str, FusionStrategy],
    *,
    level: float = 0.05,
    confidence: float = 0.95,
) -> Selection:
    """Chooses by some clips and reports on others.

    Args:
        chosen_on: scores of all strategies. After a race, what was dropped was told apart already
            at the race's level, which adds to ``level`` (with a margin: or is not that much better
            than one that stayed); the rest goes by the finalists.
        reported_on: scores, on other clips, of the chosen strategy and the named ones.
        named: controls.
        level: of ``not_told_apart``.
        confidence: of the intervals.

    Raises:
        ValueError: when the answers clip by clip were not kept, or a strategy was not scored.
    """
    best = chosen_on.best
    finalists = list(dict.fromkeys(score.strategy for score in chosen_on.finalists))
    answers = chosen_on.answers(finalists)
    rows = {"selected": best.strategy, **named}
    intervals = bootstrap(reported_on.answers(list(rows.values())), level=confidence)
    return Selection(
        strategy=best.strategy,
        top1_chosen_on=best.top1,
        optimism=optimism(answers),
        rows=tuple(
            Row(name, strategy, *pair)
            for (name, strategy), pair in zip(rows.items(), intervals, strict=True)
        ),
        not_told_apart=tuple(finalists[k] for k in not_told_apart(answers, level)),
        level=level,
        confidence=confidence,
        clips=(answers.shape[1], reported_on.scores[0].clips),
    )
