"""Finds the cheapest strategy with a path: the least budget for a useful network.

If every layer is on a residual branch, the cheapest strategy of all drops every layer. This leaves
a network of stem and classifier without any fusion layer.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from vdroppath_tf.budget.latency import LatencyTable
from vdroppath_tf.budget.tables import CostTables, check_cost_name, cost_tables
from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.names import named
from vdroppath_tf.spaces import draws
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
def least(
    space: ProbabilitySpace,
    *,
    by: str = "macs",
    clip_shape: tuple[int, int, int] | None = None,
    model: keras.Model | None = None,
    costs: UnitCosts | None = None,
    latency: LatencyTable | None = None,
    on_empty: OnEmpty = "allow",
) -> FusionStrategy:
    """Finds the cheapest strategy of a space with a path in at least one layer.

    Args:
        space: ``ProbabilitySpace``, a learned space.
        by: str, the cost: ``"macs"``, ``"parameters"`` or ``"latency"``. Defaults to ``"macs"``.
        clip_shape: frames, height, width of the clips, as in ``most_probable``.
        model, costs, latency: the template or its costs, as in ``most_probable``.
        on_empty: see ``ProbabilitySpace``. Defaults to ``"allow"``.

    Returns:
        A ``FusionStrategy``; the most probable of equally cheap ones.

    Example:
    ```python
    strategy = least(space, clip_shape=(8, 32, 32), model=template)
    ```

    Raises:
        ValueError: If the space drops every path with probability 1, or the network or the table
            does not belong to the space.
    """
    check_cost_name(by)
    tables = cost_tables(space, clip_shape, model, costs, latency, only=by)
    found = least_of(tables, by, on_empty)
    if found is None:
        raise ValueError("The space drops every path with probability 1. No strategy has a path.")
    return found


def least_of(tables: CostTables, by: str, on_empty: OnEmpty) -> FusionStrategy | None:
    """Returns ``least`` for given tables; None if every path is dropped with probability 1."""
    space = tables.space
    masks, swaps = [], []
    for n in range(len(space)):
        options = sorted(_options(tables, by, n, on_empty), key=lambda one: one[:2])
        cost, gain, mask = options[0]
        masks.append(mask)
        filled = next((one for one in options if one[2].any()), None)
        if filled is not None:
            swaps.append((filled[0] - cost, filled[1] - gain, n, filled[2]))
    if not any(mask.any() for mask in masks):
        if not swaps:
            return None
        _, _, n, mask = min(swaps, key=lambda swap: swap[:3])
        masks[n] = mask
    return space.strategy_of(masks)


def _options(
    tables: CostTables, by: str, n: int, on_empty: OnEmpty
) -> Iterator[tuple[int, float, np.ndarray]]:
    """Yields cheap options of a layer: cost, negative log-probability, mask over its paths."""
    space = tables.space
    drop, layer_drop, never_empty = space.layer_draws(on_empty)[n]
    for mask in _masks(space, n):
        log_prob = draws.log_prob(mask, drop, layer_drop, never_empty=never_empty)
        if np.isfinite(log_prob):
            yield tables.layer_cost(by, n, mask), -log_prob, mask


def _masks(space: ProbabilitySpace, n: int) -> list[np.ndarray]:
    """Returns every unit; with gates per input, no path or one, plus those never dropped.

    A layer's cost grows with each path, so its cheapest unit has no more paths than these. D1 drops
    all paths of a layer, including those that their own gates never drop.
    """
    drop = space.drop[n].ravel()
    if len(space.drop[n]) == 1:
        return [np.array(mask, bool) for mask in unit_table(space.branches)[1]]
    always, single = drop == 0, np.eye(len(drop), dtype=bool)
    return [np.zeros_like(always), always, *(single | always)]
