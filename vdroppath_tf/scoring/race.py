"""Race: strategies that can no longer win are dropped between batches, at a stated error level.

Two strategies are compared on the same clips by a test by betting. Its null hypothesis is that the
second is better than the first by a margin m or more. A stake x against it multiplies the wealth by
``1 + x (1 + m)`` on a clip that only the first gets right, by ``1 + x m`` on one where they agree,
and by ``1 - x (1 - m)`` where only the second is right. Under the null hypothesis no factor is
above 1 on average, so the wealth process, averaged over many x, is a test martingale (an e-process)
that starts at 1. By Ville's inequality it ever exceeds ``1/a`` with probability ``a`` at most: the
test is valid at any stopping time, after every batch, without a correction.

References: Ville, 1939; Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", JRSS B 2024; Maron and Moore, "Hoeffding races", NIPS 1993 (racing).
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
    """Which strategies are still in it: a function of the answers so far, and of nothing else.

    Without a margin the strategy of the highest accuracy over all clips of the kind that are drawn
    here is never dropped, with probability ``1 - level`` at least (of several equal ones, each with
    that probability). With a margin it may be, but for one that comes nearer to it than the margin
    and stays: dropping on a margin again and again would add them up, so who has dropped another
    that way (or inherits it) is dropped only by one that is better.

    It takes the clips to be independent draws: in random order, not class by class.

    Args:
        strategies: how many start.
        level: probability of losing the best.
        margin: difference in accuracy, below 1, that is not worth clips.
    """

    def __init__(self, strategies: int, level: float, margin: float = 0.0) -> None:
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, such as 0.05. Received: {level}")
        if not 0.0 <= margin < 1.0:
            raise ValueError(f"margin must be 0 or more and below 1. Received: {margin}")
        self.active = list(range(strategies))
        self.kept: set[int] = set()  # stand for a better one that may have been dropped
        self.wins = np.zeros((strategies, strategies), "int64")
        self.total = np.zeros(strategies, "int64")
        self.clips = 0
        self.margin = margin
        # each of the others may be the one that the best loses to by chance; with a margin what
        # holds for the best must hold for those that stand for it, so for every pair
        tests = max(1, strategies - 1) * (strategies if margin else 1)
        self.enough = math.log(tests / level)

    def after(self, right: np.ndarray) -> list[int]:
        """The strategies that are left after more clips.

        Args:
            right: ``(strategies, clips)`` bool; rows of those already dropped count for nothing.
        """
        own = right[self.active].astype("int64")
        self.wins[np.ix_(self.active, self.active)] += own @ (1 - own).T
        self.total[self.active] += own.sum(1)
        self.clips += right.shape[1]
        leader = max(self.active, key=lambda k: self.total[k])
        worse = self._dropped(leader, 0.0)
        as_good: set[int] = set()
        if self.margin:
            as_good = self._dropped(leader, self.margin) - worse - self.kept
        if as_good or worse & self.kept:
            self.kept.add(leader)
        self.active = [k for k in self.active if k not in worse | as_good]
        return self.active

    def _dropped(self, leader: int, margin: float) -> set[int]:
        """Those that the test rejects to be better than the leader by the margin."""
        others = np.array([k for k in self.active if k != leader], "int64")
        wins, losses = self.wins[leader, others], self.wins[others, leader]
        evidence = log_evidence(wins, losses, self.clips - wins - losses, margin)
        return set(others[evidence >= self.enough].tolist())


def log_evidence(
    wins: np.ndarray, losses: np.ndarray, equal: np.ndarray, margin: float = 0.0
) -> np.ndarray:
    """Logarithm of the mean wealth, the e-value against "the loser is better by the margin".

    Args:
        wins, losses, equal: clips that only the first of two gets right, that only the second gets
            right, and others; of any shape.
        margin: see ``Race``.
    """
    shares = _SHARES / (1.0 - margin)  # of 1 and more would be lost with one clip
    gains = np.log1p(shares * (1.0 + margin)), np.log1p(-_SHARES), np.log1p(shares * margin)
    counts = (np.asarray(count)[..., None] for count in (wins, losses, equal))
    wealth = sum(count * gain for count, gain in zip(counts, gains, strict=True))
    evidence: np.ndarray = np.logaddexp.reduce(wealth + _PARTS, axis=-1)
    return evidence
