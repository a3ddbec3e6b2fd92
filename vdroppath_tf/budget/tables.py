"""The cost tables of a space's network, checked against the space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.budget.checks import check_costs, check_network
from vdroppath_tf.budget.fronts import Options
from vdroppath_tf.budget.latency import LatencyTable
from vdroppath_tf.budget.layer_options import per_input_options, shared_options
from vdroppath_tf.cost import UnitCosts, unit_costs
from vdroppath_tf.names import named
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo.constructors import constructors

ClipShape = tuple[int, int, int]
UNITS_OF = {"macs": "MACs", "parameters": "parameters", "latency": "ms"}
_ROWS = ("parameters", "macs")  # the rows of UnitCosts


def check_cost_name(by: str) -> None:
    """Raises a ValueError unless ``by`` is the name of a cost."""
    if by not in UNITS_OF:
        raise ValueError(f"Expected by one of {tuple(UNITS_OF)}. Received: {by!r}")


@named
@dataclass(frozen=True)
class CostTables:
    """The cost of each unit of the layers of a space's network.

    Attributes:
        space: the space.
        units: the parameters and MACs of the units; None if only latency was requested.
        latency: the latencies of the units on some machine; None if not given.

    Example:
    ```python
    tables = cost_tables(space, (8, 32, 32), template, None, None)
    print(tables.cost("macs", space.mode()))
    ```
    """

    space: ProbabilitySpace
    units: UnitCosts | None
    latency: LatencyTable | None

    __repr__ = brief

    @property
    def known_units(self) -> UnitCosts:
        """Returns ``units``; raises a ValueError if they were not requested."""
        if self.units is None:
            raise ValueError("These tables hold latencies only. Expected costs of the network.")
        return self.units

    @property
    def known_latency(self) -> LatencyTable:
        """Returns ``latency``; raises a ValueError if it was not given."""
        if self.latency is None:
            raise ValueError("These tables hold no latency. Expected one from measure_latency.")
        return self.latency

    def options(self, by: str, on_empty: OnEmpty) -> list[Options]:
        """Returns the units of each layer with one of the costs."""
        if by != "latency" and self.space.per_input:
            return per_input_options(self.space, self.known_units, _ROWS.index(by), on_empty)
        return shared_options(self.space, partial(self.layer_cost, by), on_empty)

    def layer_cost(self, by: str, layer: int, mask: np.ndarray) -> int:
        """Returns the cost of a layer, by number, with a flat 0/1 mask over its paths."""
        if by == "latency":
            return self.known_latency.cost_of(layer, mask)
        on = mask.reshape(-1, len(self.space.branches))
        return int(self.known_units.layer_cost(layer, on)[_ROWS.index(by)])

    def left(self, by: str, budget: float) -> float:
        """Returns the part of a budget left for the layers, in the integer units of the tables."""
        if by == "latency":
            return round(budget * 1000, 6) - self.known_latency.base
        return budget - int(self.known_units.base[_ROWS.index(by)])

    def cost(self, by: str, strategy: FusionStrategy) -> float:
        """Returns one of the costs of a strategy."""
        if by == "latency":
            return self.known_latency.of(strategy)
        return self.known_units.of(strategy)[_ROWS.index(by)]

    def totals(
        self, layers: Sequence[Options], chosen: np.ndarray
    ) -> tuple[list[int], list[int], list[float | None]]:
        """Returns parameters, MACs and ms of `(points, layers)` options; None for unknown ms."""
        units = self.known_units
        total = np.tile(units.base, (len(chosen), 1))
        time = np.full(len(chosen), 0 if self.latency is None else self.latency.base)
        for n, layer in enumerate(layers):
            tables = [mask.reshape(-1, len(self.space.branches)) for mask in layer.masks]
            total += np.array([units.layer_cost(n, on) for on in tables])[chosen[:, n]]
            if self.latency is not None:
                times = [self.latency.cost_of(n, mask) for mask in layer.masks]
                time += np.array(times)[chosen[:, n]]
        parameters, macs = total.T.tolist()
        ms = [None] * len(chosen) if self.latency is None else (time / 1000).tolist()
        return parameters, macs, ms


@named
def cost_tables(
    space: ProbabilitySpace,
    clip_shape: ClipShape | None,
    model: keras.Model | None,
    costs: UnitCosts | None,
    latency: LatencyTable | None,
    *,
    only: str | None = None,
) -> CostTables:
    """Makes the cost tables of a space; builds the network by its name if no costs are given.

    Args:
        space: the space.
        clip_shape: frames, height, width.
        model: the template of the space.
        costs: the costs of that template.
        latency: the latencies of that template.
        only: the only cost that is requested, since latency needs no network.

    Raises:
        ValueError: If one of them belongs to another network or other clips.

    Example:
    ```python
    tables = cost_tables(space, (8, 32, 32), template, None, None)
    print(tables.cost("parameters", space.mode()))
    ```
    """
    if model is not None:
        check_network(space, ProbabilitySpace.from_model(model))
    if latency is not None:
        own = None if model is None else model.architecture
        latency.check(space, clip_shape, own)
    if only == "latency":
        return CostTables(space, None, latency)
    if costs is None:
        if clip_shape is None and latency is not None:
            clip_shape = latency.clip_shape
        model = template_of(space) if model is None else model
        costs = unit_costs(model, clip_shape or shape_of(model))
    check_costs(space, costs)
    return CostTables(space, costs, latency)


def template_of(space: ProbabilitySpace) -> Any:
    """Builds the template by the name of the space's architecture, with its branches and gates."""
    if space.architecture is None:
        raise ValueError(
            "The space does not name the network it belongs to. Expected its model= or costs=."
        )
    options: dict[str, Any] = {"share_inputs": False} if space.per_input else {}
    model = constructors(space.architecture)[0](branches=space.branches, **options)
    check_network(space, ProbabilitySpace.from_model(model))
    return model


def shape_of(model: Any) -> ClipShape:
    """Returns the frames, height and width for which a template was built."""
    shape = model.inputs[0].shape[1:4]
    if None in shape:
        raise ValueError(
            "The cost of a network depends on its clips. Expected their frames, height and width "
            "as clip_shape=. Received: none"
        )
    return tuple(shape)
