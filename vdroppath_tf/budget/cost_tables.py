"""The cost tables of a space's network, checked against the space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from vdroppath_tf.budget.fronts import Options
from vdroppath_tf.budget.latency import LatencyTable
from vdroppath_tf.budget.layer_options import per_input_options, shared_options
from vdroppath_tf.cost import UnitCosts, unit_costs
from vdroppath_tf.names import unknown_name
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo import NETWORKS

ClipShape = tuple[int, int, int]
_ROWS = ("parameters", "macs")  # of UnitCosts


@dataclass(frozen=True)
class CostTables:
    """What units cost: at least one of the two is there."""

    space: ProbabilitySpace
    units: UnitCosts | None
    latency: LatencyTable | None

    def options(self, by: str, on_empty: OnEmpty) -> list[Options]:
        """The units of each layer, by a cost."""
        if by == "latency":
            assert self.latency is not None
            return shared_options(self.space, self.latency.cost_of, on_empty)
        assert self.units is not None
        units, which = self.units, _ROWS.index(by)
        if self.space.per_input:
            return per_input_options(self.space, units, which, on_empty)

        def cost_of(layer: int, mask: np.ndarray) -> int:
            return int(units.layer_cost(layer, mask[None])[which])

        return shared_options(self.space, cost_of, on_empty)

    def left(self, by: str, budget: float) -> float:
        """What a budget leaves for the layers, in the whole numbers that tables have."""
        if by == "latency":
            assert self.latency is not None
            return round(budget * 1000, 6) - self.latency.base
        assert self.units is not None
        return budget - int(self.units.base[_ROWS.index(by)])

    def cost(self, by: str, strategy: FusionStrategy) -> float:
        """One cost of a strategy."""
        if by == "latency":
            assert self.latency is not None
            return self.latency.of(strategy)
        assert self.units is not None
        return self.units.of(strategy)[_ROWS.index(by)]

    def totals(
        self, layers: Sequence[Options], chosen: np.ndarray
    ) -> tuple[list[int], list[int], list[float | None]]:
        """Parameters, MACs and ms of `(points, layers)` options; None for ms without a table."""
        assert self.units is not None
        total = np.tile(self.units.base, (len(chosen), 1))
        time = np.full(len(chosen), 0 if self.latency is None else self.latency.base)
        for n, layer in enumerate(layers):
            tables = [mask.reshape(-1, len(self.space.branches)) for mask in layer.masks]
            total += np.array([self.units.layer_cost(n, on) for on in tables])[chosen[:, n]]
            if self.latency is not None:
                times = [self.latency.cost_of(n, mask) for mask in layer.masks]
                time += np.array(times)[chosen[:, n]]
        parameters, macs = total.T.tolist()
        ms = [None] * len(chosen) if self.latency is None else (time / 1000).tolist()
        return parameters, macs, ms


def cost_tables(
    space: ProbabilitySpace,
    clip_shape: ClipShape | None,
    model: keras.Model | None,
    costs: UnitCosts | None,
    latency: LatencyTable | None,
    *,
    only: str | None = None,
) -> CostTables:
    """The tables for a space; the network is built by name where neither it nor costs are given.

    Args:
        space: to read.
        clip_shape: frames, height, width.
        model: template of the space.
        costs: of that template.
        latency: of that template.
        only: the one cost that is asked for: latency alone needs no network.

    Raises:
        ValueError: where one of them belongs to another network or other clips.
    """
    if model is not None:
        _check_network(space, ProbabilitySpace.from_model(model))
    if latency is not None:
        own = None if model is None else model.architecture
        latency.check(space, clip_shape, own)
    if only == "latency":
        return CostTables(space, None, latency)
    if costs is None:
        if clip_shape is None and latency is not None:
            clip_shape = latency.clip_shape
        model = _built(space) if model is None else model
        costs = unit_costs(model, clip_shape or _own_shape(model))
    _check_costs(space, costs)
    return CostTables(space, costs, latency)


def _built(space: ProbabilitySpace) -> Any:
    """The template of the space's name, with its branches and gates."""
    if space.architecture is None:
        raise ValueError(
            "The space does not say which network it belongs to. Expected model= or costs= of it."
        )
    if space.architecture not in NETWORKS:
        raise unknown_name("network", space.architecture, NETWORKS)
    options: dict[str, Any] = {"share_inputs": False} if space.per_input else {}
    model = NETWORKS[space.architecture][0](branches=space.branches, **options)
    _check_network(space, ProbabilitySpace.from_model(model))
    return model


def _own_shape(model: Any) -> ClipShape:
    shape = model.inputs[0].shape[1:4]
    if None in shape:
        raise ValueError(
            "What a network costs depends on its clips. Expected clip_shape=(frames, height, "
            "width). Received: none"
        )
    return tuple(shape)


def _check_network(space: ProbabilitySpace, network: ProbabilitySpace) -> None:
    """Stops where the space is another network's."""
    for what in ("architecture", "branches", "per_input"):
        ours, theirs = getattr(space, what), getattr(network, what)
        if ours != theirs and not (what == "architecture" and None in (ours, theirs)):
            raise ValueError(
                f"The space is another network's: its {what} is {ours!r}, the network's is "
                f"{theirs!r}. Expected the template that the space belongs to."
            )
    if len(space) != len(network) or (space.has_residual > network.has_residual).any():
        raise ValueError(
            f"The space is another network's: it has {len(space)} layers, "
            f"{space.has_residual.sum()} of them on residual branches, the network {len(network)} "
            f"and {network.has_residual.sum()}. "
            "Expected the template that the space belongs to."
        )


def _check_costs(space: ProbabilitySpace, costs: UnitCosts) -> None:
    """Stops where the table has other layers, inputs or branches than the space."""
    inputs = [len(layer) for layer in space.drop]
    theirs = [table.shape[1] for table in costs.paths]
    if costs.branches != space.branches or inputs != theirs:
        raise ValueError(
            f"The costs are another network's: {len(theirs)} layers of {sum(theirs)} inputs with "
            f"the branches {costs.branches}, the space has {len(inputs)} of {sum(inputs)} with "
            f"{space.branches}. Expected those of the space's template."
        )
    for name, drop, table in zip(space.layers, space.drop, costs.paths, strict=True):
        absent = (table[0] == 0) & (drop < 1)  # no parameters: no such path
        if absent.any():
            branch = space.branches[int(np.argmax(absent.any(axis=0)))]
            raise ValueError(
                f"Layer {name!r} of the network has no branch {branch!r}. Expected that the space "
                f"drops it with probability 1. Received: {drop.tolist()}"
            )
