"""Few strategies that have every pair of units in every pair of layers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence


def covering(units: Sequence[str], layers: int, tries: int = 200) -> list[str]:
    """Strategies as text: the uniform ones, then those that add most pairs among random ones.

    A fault in a network built from a strategy is one of a unit in a layer, or of two that meet.
    """
    places = list(itertools.combinations(range(layers), 2))

    def pairs(row: Sequence[str]) -> set[tuple[int, int, str, str]]:
        return {(i, j, row[i], row[j]) for i, j in places}

    rows = [(unit,) * layers for unit in units]
    missing = {(i, j, a, b) for i, j in places for a in units for b in units}
    missing -= set().union(*map(pairs, rows))
    drawn = random.Random(0)
    while missing:
        i, j, a, b = min(missing)
        some = [drawn.choices(units, k=layers) for _ in range(tries)]
        for row in some:
            row[i], row[j] = a, b  # so that every step ends nearer
        best = max(some, key=lambda row: len(missing & pairs(row)))
        rows.append(tuple(best))
        missing -= pairs(best)
    return [" ".join(row) for row in rows]
