"""Exact Pareto fronts of sums over layers: least cost and most gain, one option per layer.

Gains are log-probabilities in integer steps of `RESOLUTION` nats (stored as floats, with -inf for
impossible options). Sums of integers do not depend on the order, so equally probable strategies
compare equal; rounding changes the log-probability of n layers by at most n steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

RESOLUTION = 2.0**-32
_AT_ONCE = 1 << 22  # sums compared at a time: bounds the memory, not the result
_MOST = 1 << 25  # the largest number of points of a front


class Options(NamedTuple):
    """The options of a layer, one in each row, or partial sums of them.

    Attributes:
        cost: `(options,)` integers.
        gain: `(options,)` log-probabilities in steps of `RESOLUTION`; -inf where impossible.
        masks: `(options, paths)` of 0 and 1.
    """

    cost: np.ndarray
    gain: np.ndarray
    masks: np.ndarray

    def best(self) -> Options:
        """Returns the options that no other beats in cost and gain, cheapest first."""
        kept = front_of(self.cost, self.gain)
        return Options(self.cost[kept], self.gain[kept], self.masks[kept])

    def plus(self, cost: float, gain: float, mask: np.ndarray | int = 0) -> Options:
        """Returns the options with cost and gain added, and more paths on."""
        return Options(self.cost + int(cost), self.gain + gain, self.masks | mask)


class Step(NamedTuple):
    """The front of a layer and all later ones, cheapest first, with pointers to trace it."""

    cost: np.ndarray
    gain: np.ndarray
    option: np.ndarray  # the option of the layer
    rest: np.ndarray  # the point in the next layer's front


NOTHING = Step(*(np.zeros(1, kind) for kind in ("int64", "float64", "int32", "int32")))
"""The front after the last layer."""


def in_steps(logarithms: np.ndarray) -> np.ndarray:
    """Rounds log-probabilities to integer steps of `RESOLUTION`."""
    return np.round(np.asarray(logarithms) / RESOLUTION)


def front_of(cost: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Returns indices of the Pareto front, cheapest first; the first of equals, never -inf."""
    order = np.argsort(cost, kind="stable")
    ordered = gain[order]
    before = np.maximum.accumulate(np.append(-np.inf, ordered))[:-1]
    kept = order[ordered > before]
    costs = cost[kept]
    last_of_its_cost = np.append(costs[1:] > costs[:-1], True)[: len(kept)]
    return kept[last_of_its_cost]


def joined(parts: Iterable[Options]) -> Options:
    """Concatenates options."""
    cost, gain, masks = zip(*parts, strict=True)
    return Options(np.concatenate(cost), np.concatenate(gain), np.concatenate(masks))


def crossed(first: Options, second: Options) -> Options:
    """Combines every option of the first with every option of the second."""
    a, b = (index.ravel() for index in np.indices((len(first.cost), len(second.cost))))
    return Options(
        first.cost[a] + second.cost[b],
        first.gain[a] + second.gain[b],
        first.masks[a] | second.masks[b],
    )


def sums(layers: Sequence[Options], limit: float = np.inf) -> list[Step]:
    """Returns the front of each layer with those after it, by dynamic programming from the last.

    If another partial sum beats one in cost and gain, it does so whatever the earlier layers are,
    so keeping only fronts is exact.

    Args:
        layers: the options of each layer.
        limit: the largest cost of the whole sum; partial sums that must exceed it are left out.

    Returns:
        The steps, first layer first; empty if nothing meets the limit.

    Raises:
        ValueError: If a front has more points than memory is likely to hold.
    """
    cheapest = [layer.cost.min() for layer in layers]
    step, steps = NOTHING, []
    for n in reversed(range(len(layers))):
        step = with_layer(step, layers[n], limit - sum(cheapest[:n]))
        steps.append(step)
    return steps[::-1]


def with_layer(rest: Step, layer: Options, limit: float) -> Step:
    """Returns the front of a layer with those after it, up to a limit."""
    step = Step(*(np.zeros(0, kind) for kind in ("int64", "float64", "int32", "int32")))
    together = max(1, _AT_ONCE // max(1, len(rest.cost)))
    for start in range(0, len(layer.cost), together):
        options = slice(start, start + together)
        cost = (layer.cost[options, None] + rest.cost).ravel()
        gain = (layer.gain[options, None] + rest.gain).ravel()
        option, point = np.divmod(np.arange(len(cost), dtype="int32"), np.int32(len(rest.cost)))
        parts = zip(step, (cost, gain, option + np.int32(start), point), strict=True)
        both = Step(*map(np.concatenate, parts))
        both = Step(*(column[both.cost <= limit] for column in both))
        kept = front_of(both.cost, both.gain)
        step = Step(*(column[kept] for column in both))
    if len(step.cost) > _MOST:
        raise ValueError(
            f"The front has more than {_MOST:,} points. Expected costs with a common divisor, as "
            "MACs have, or fewer layers: in coarser units (latency in 0.1 ms) there are fewer."
        )
    return step


def traced(steps: Sequence[Step], points: np.ndarray) -> np.ndarray:
    """Traces points of the first layer's front to `(points, layers)` options."""
    chosen = np.empty((len(points), len(steps)), "int32")
    for n, step in enumerate(steps):
        chosen[:, n], points = step.option[points], step.rest[points]
    return chosen
