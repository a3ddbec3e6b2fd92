"""Exact search for the most probable strategy under a budget per answer over a stream.

The cost of a unit depends on how many layers before it see several frames, that is, on the edge:
    the frames at each end of a window that cannot be reused. So there is a front of
    ``budget.fronts`` for each edge. If the edge exceeds half a window nothing is reused, so there
    are at most as many edges as half a window has frames.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vdroppath_tf.budget.fronts import NOTHING, Options, Step, front_of, with_layer
from vdroppath_tf.budget.hops import HopCosts
from vdroppath_tf.budget.layer_options import possible_units
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

_NO_OPTIONS = np.zeros((0, 0), bool), np.zeros(0, int)


class _Point(NamedTuple):
    """A layer with a certain edge before it.

    Attributes:
        front: the front of the layer and all later ones.
        masks: the masks of the options in the front.
        edges: the edge after each of these options.
    """

    front: Step
    masks: np.ndarray
    edges: np.ndarray


class HopSearch:
    """Fronts of probability and cost of a hop, from the last layer to the first.

    Args:
        space: the space.
        costs: the costs of its template.
        on_empty: see ``ProbabilitySpace``.
    """

    def __init__(self, space: ProbabilitySpace, costs: HopCosts, on_empty: OnEmpty) -> None:
        self.space, self.costs = space, costs
        self.units = list(possible_units(space, on_empty))
        self.most = max(costs.edge, -(-(costs.window - costs.hop) // 2))  # then nothing is reused
        self.before = self._before()

    @property
    def least(self) -> int:
        """The fewest multiply-adds of a hop of any strategy."""
        return self.costs.base + min(self.before[-1].values())

    def best(self, limit: float) -> FusionStrategy | None:
        """Returns the most probable strategy with at most ``limit`` MACs a hop, or None."""
        behind = {edge: _Point(NOTHING, *_NO_OPTIONS) for edge in self.before[-1]}
        points = [behind]
        for n in reversed(range(len(self.units))):
            behind = {e: self._point(n, e, behind, limit - self.costs.base) for e in self.before[n]}
            points.append(behind)
        points.reverse()
        place = len(points[0][self.costs.edge].front.cost) - 1
        return None if place < 0 else self._traced(points, place)

    def least_filled(self) -> FusionStrategy | None:
        """Returns the cheapest strategy with one layer that has a path, if all can be empty.

        Any other strategy with a path contains the paths of one of these, so none is cheaper.
        """
        empty = [np.zeros(masks.shape[1], bool) for masks, _ in self.units]
        found = []
        for n, (masks, gain) in enumerate(self.units):
            for mask, own in zip(masks, gain, strict=True):
                if mask.any():
                    strategy = self.space.strategy_of([*empty[:n], mask, *empty[n + 1 :]])
                    found.append((self.costs.of(strategy).hop, -own, n, strategy))
        return min(found, key=lambda one: one[:3])[-1] if found else None

    def _before(self) -> list[dict[int, int]]:
        """Returns the possible edges before each layer and after the last, with the least cost.

        The costs exclude ``costs.base``.
        """
        found = [{self.costs.edge: 0}]
        for n, (masks, _) in enumerate(self.units):
            after: dict[int, int] = {}
            for edge, cost in found[-1].items():
                for mask in masks:
                    new = self._behind(edge, mask)
                    total = cost + self.costs.layer_cost(n, mask, new)
                    after[new] = min(total, after.get(new, total))
            found.append(after)
        return found

    def _behind(self, edge: int, mask: np.ndarray) -> int:
        return min(edge + self.costs.reach(mask), self.most)

    def _point(self, n: int, edge: int, behind: dict[int, _Point], limit: float) -> _Point:
        """Returns the front of a layer and later ones, whose fronts are known for each edge."""
        masks, gain = self.units[n]
        edges = np.array([self._behind(edge, mask) for mask in masks])
        cost = np.array(
            [self.costs.layer_cost(n, *one) for one in zip(masks, edges.tolist(), strict=True)],
            "int64",
        )
        parts = []
        for new in np.unique(edges):
            own = np.flatnonzero(edges == new)
            options = Options(cost[own], gain[own], masks[own])
            part = with_layer(behind[int(new)].front, options, limit - self.before[n][edge])
            parts.append(part._replace(option=own[part.option]))
        joined = Step(*map(np.concatenate, zip(*parts, strict=True)))
        kept = front_of(joined.cost, joined.gain)
        return _Point(Step(*(column[kept] for column in joined)), masks, edges)

    def _traced(self, points: list[dict[int, _Point]], place: int) -> FusionStrategy:
        """Traces a point of the first layer's front to its strategy."""
        edge, chosen = self.costs.edge, []
        for known in points[:-1]:
            front, masks, edges = known[edge]
            option, place = int(front.option[place]), int(front.rest[place])
            chosen.append(masks[option])
            edge = int(edges[option])
        return self.space.strategy_of(chosen)
