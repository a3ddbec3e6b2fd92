"""Race: strategies that can no longer win are dropped between batches, at a stated error level.

Of two strategies on the same clips only those clips count that one of them gets right and the other
wrong. Were the second one as good as the first, or better, the first would win each of these with
probability 1/2 at most. The evidence against that is a bet on each such clip, its odds averaged
over all p from 1/2 to 1: ``E = integral of 2 (2p)^w (2(1-p))^l dp`` after w wins and l losses. If
it were so, E would be a supermartingale that starts at 1, and by Ville's inequality exceed ``1/a``
at any time at all with probability ``a`` at most: one may look after every batch and pay nothing.

References: Ville, 1939; Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", JRSS B 2024 (bets); Maron and Moore, "Hoeffding races", NIPS 1993 (racing).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np


class Race:
    """Who is still in it. A function of the answers so far alone.

    With probability ``1 - level`` at least, the strategy of the highest accuracy over all clips of
    the kind that are drawn here is never dropped (of several equal ones, each with that
    probability). It takes the clips to be independent draws: in random order, not class by class.

    Args:
        strategies: how many start.
        level: probability of losing the best.
    """

    def __init__(self, strategies: int, level: float) -> None:
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must be between 0 and 1, such as 0.05. Received: {level}")
        self.active = list(range(strategies))
        self.wins = np.zeros((strategies, strategies), "int64")
        self.total = np.zeros(strategies, "int64")
        # each of the others may be the one that the best loses to by chance
        self.enough = math.log(max(1, strategies - 1) / level)

    def after(self, right: np.ndarray) -> list[int]:
        """The strategies that are left after more clips.

        Args:
            right: ``(strategies, clips)`` bool; rows of those already dropped count for nothing.
        """
        own = right[self.active].astype("int64")
        self.wins[np.ix_(self.active, self.active)] += own @ (1 - own).T
        self.total[self.active] += own.sum(1)
        leader = max(self.active, key=lambda k: self.total[k])
        self.active = [
            k
            for k in self.active
            if log_evidence(int(self.wins[leader, k]), int(self.wins[k, leader])) < self.enough
        ]
        return self.active


@cache
def log_evidence(wins: int, losses: int) -> float:
    """Logarithm of E: of the evidence that who won ``wins`` clips of the pair is the better one.

    In closed form ``E = sum of w! l! / (i! (n + 1 - i)!) over i = 0 ... w``, with n = w + l.
    """
    n = wins + losses
    own = math.lgamma(wins + 1) + math.lgamma(losses + 1)
    terms = [own - math.lgamma(i + 1) - math.lgamma(n + 2 - i) for i in range(wins + 1)]
    highest = max(terms)
    return highest + math.log(sum(math.exp(term - highest) for term in terms))
