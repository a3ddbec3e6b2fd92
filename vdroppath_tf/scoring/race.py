"""Race: strategies that can no longer win are dropped between batches, at a stated error level.

Two strategies are compared on the same clips by a test by betting. Its null hypothesis is that the
second is better than the first by a margin m or more. A stake x against it multiplies the wealth by
``1 + x (1 + m)`` on a clip that only the first gets right, by ``1 + x m`` on one where they agree,
and by ``1 - x (1 - m)`` where only the second is right. Under the null hypothesis no factor is
above 1 on average, so the wealth process, averaged over many x, is a test martingale (an e-process)
that starts at 1. By Ville's inequality it ever exceeds ``1/a`` with probability ``a`` at most: the
test is valid at any stopping time, after every batch, without a correction.

The best strategy is tested against each of the others, and the mean of these wealth processes is a
test martingale too. So a strategy is dropped if the mean of its tests exceeds ``1/a``. This is
stronger than testing each pair at ``a / (N - 1)``, since the evidence of all that seem better than
the strategy adds up. A test against a strategy that has been dropped stops, and stays in the mean.

References: Ville, 1939; Vovk and Wang, "E-values: calibration, combination and applications",
Annals of Statistics 2021 (means of e-values); Waudby-Smith and Ramdas, "Estimating means of bounded
random variables by betting", JRSS B 2024; Maron and Moore, "Hoeffding races", NIPS 1993 (racing).
"""

from __future__ import annotations

import math

import numpy as np

from vdroppath_tf.names import named

# Stakes: points and weights that integrate polynomials of degree 127 over 0..1 exactly.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_SHARES, _PARTS = (_POINTS + 1) / 2, np.log(_WEIGHTS / 2)


@named
class Race:
    """The strategies that remain in a race: a pure function of the answers so far.

    Without a margin, the strategy with the highest expected accuracy is never dropped, with a
    probability of at least ``1 - level`` (if several are equally good, each with that probability).
    With a margin it may be dropped, but only in favour of a strategy within the margin of it that
    stays. Repeated drops could add margins up, so a strategy that has dropped another within the
    margin (or replaces one that has) is dropped only by a better one.

    The clips are assumed to be independent draws: in random order, not sorted by class.

    Args:
        strategies: the number of strategies at the start.
        level: the probability of dropping the best.
        margin: a difference in accuracy, below 1, that does not matter.

    Example:
    ```python
    race = Race(strategies=2, level=0.05)
    answers = np.array([[True] * 40, [False] * 40])
    race.after(answers)  # [0]: the second strategy is dropped
    ```
    """

    def __init__(self, strategies: int, level: float, margin: float = 0.0) -> None:
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, such as 0.05. Received: {level}")
        if not 0.0 <= margin < 1.0:
            raise ValueError(f"margin must be 0 or more and below 1. Received: {margin}")
        self.active = list(range(strategies))
        self.kept: set[int] = set()  # replace a better one that may have been dropped
        self.wins = np.zeros((strategies, strategies), "int64")
        self.total = np.zeros(strategies, "int64")
        self.clips = 0
        self.margin = margin
        others = max(1, strategies - 1)
        # A margin has two more ways to lose the best: in favour of one that is not within the
        # margin, and by dropping the one that replaces it, which may be any of them.
        self.enough = math.log((2.0 if margin else 1.0) * others / level)
        self.enough_within = math.log(4.0 * others / level)
        self.enough_for_kept = math.log(4.0 * others * strategies / level)

    def after(self, right: np.ndarray) -> list[int]:
        """Returns the strategies that remain after more clips.

        Args:
            right: ``(strategies, clips)`` bool; rows of dropped strategies are ignored.
        """
        own = right[self.active].astype("float64")  # exact, and a fast matrix product
        wins = np.rint(own @ (1 - own).T).astype("int64")
        self.wins[np.ix_(self.active, self.active)] += wins
        self.total[self.active] += own.sum(1).astype("int64")
        self.clips += right.shape[1]
        leader = max(self.active, key=lambda k: self.total[k])
        worse = self._worse() - self.kept - {leader}
        as_good: set[int] = set()
        if self.margin:
            as_good = self._beaten(leader, self.margin, self.enough_within) - worse - self.kept
            replaced = self._beaten(leader, 0.0, self.enough_for_kept) & self.kept
            worse |= replaced
            if as_good or replaced:
                self.kept.add(leader)
        self.active = [k for k in self.active if k not in worse | as_good]
        return self.active

    def _worse(self) -> set[int]:
        """Returns the strategies for which "better than each of the others" is rejected."""
        return {k for k in self.active if self._against(k) >= self.enough}

    def _against(self, strategy: int) -> float:
        """Returns the log of the summed wealth of the others' tests against a strategy."""
        wins, losses = (
            np.delete(n, strategy) for n in (self.wins[:, strategy], self.wins[strategy])
        )
        ahead = wins > losses
        evidence = log_evidence(wins[ahead], losses[ahead], np.zeros(ahead.sum()))
        return float(np.logaddexp.reduce(evidence, initial=-math.inf))

    def _beaten(self, leader: int, margin: float, enough: float) -> set[int]:
        """Returns the strategies for which "better than the leader by the margin" is rejected."""
        others = np.array([k for k in self.active if k != leader], "int64")
        wins, losses = self.wins[leader, others], self.wins[others, leader]
        evidence = log_evidence(wins, losses, self.clips - wins - losses, margin)
        return set(others[evidence >= enough].tolist())


def log_evidence(
    wins: np.ndarray, losses: np.ndarray, equal: np.ndarray, margin: float = 0.0
) -> np.ndarray:
    """Returns the log e-value (mean wealth) against "the loser is better by the margin".

    Args:
        wins, losses, equal: the numbers of clips that only the first of two gets right, that only
            the second gets right, and of the others; arrays of any one shape.
        margin: see ``Race``.
    """
    shares = _SHARES / (1.0 - margin)  # a stake of 1 or more would be lost with one clip
    gains = np.log1p(shares * (1.0 + margin)), np.log1p(-_SHARES), np.log1p(shares * margin)
    counts = (np.asarray(count)[..., None] for count in (wins, losses, equal))
    wealth = sum(count * gain for count, gain in zip(counts, gains, strict=True))
    parts = wealth + _PARTS
    largest = parts.max(-1)
    evidence: np.ndarray = largest + np.log(np.exp(parts - largest[..., None]).sum(-1))
    return evidence
