"""The options of each layer of a space: masks, their log-probabilities and costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from vdroppath_tf.budget.fronts import Options, crossed, in_steps, joined
from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.spaces import draws
from vdroppath_tf.spaces.draws import OnEmpty
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.space import ProbabilitySpace

# the cost of a layer's unit, by the layer's number and the 0/1 mask over its branches
CostOf = Callable[[int, np.ndarray], int]


def shared_options(space: ProbabilitySpace, cost_of: CostOf, on_empty: OnEmpty) -> list[Options]:
    """Returns every unit of every layer, if all inputs of a layer share its gates."""
    return [
        Options(np.array([cost_of(n, mask) for mask in masks], "int64"), gain, masks).best()
        for n, (masks, gain) in enumerate(possible_units(space, on_empty))
    ]


def possible_units(
    space: ProbabilitySpace, on_empty: OnEmpty
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields for each layer the masks of the possible units, and their log-probabilities."""
    masks = np.array(unit_table(space.branches)[1], bool)
    for drop, layer_drop, never_empty in space.layer_draws(on_empty):
        logs = [draws.log_prob(m, drop, layer_drop, never_empty=never_empty) for m in masks]
        possible = np.flatnonzero(np.isfinite(logs))
        yield masks[possible], in_steps(np.array(logs)[possible])


def per_input_options(
    space: ProbabilitySpace, costs: UnitCosts, which: int, on_empty: OnEmpty
) -> list[Options]:
    """Returns the front of every layer with gates per input, without all `2 ** paths` units.

    Given whether any path is on, and any of S and of ST, a layer's cost is a sum over its paths. So
    the front of a layer is built path by path, as that of the network is layer by layer.

    Args:
        space: a space with gates per input.
        costs: the costs of the same network.
        which: 0 for parameters, 1 for MACs.
        on_empty: see ``ProbabilitySpace``.
    """
    temporal = np.array([branch == "T" for branch in space.branches])
    found = []
    for n, (drop, layer_drop, never_empty) in enumerate(space.layer_draws(on_empty)):
        paths, inputs = costs.paths[n][which].ravel(), len(space.drop[n])
        is_t = np.tile(temporal, inputs)
        block, between = int(costs.block[which, n]), int(costs.spatial[which, n])
        no_space, space_on = _path_by_path(drop, paths, ~is_t)
        no_time, time_on = _path_by_path(drop, paths, is_t)
        with np.errstate(divide="ignore"):
            log_off = np.log(drop)
            scale = np.log1p(-layer_drop)
        if never_empty:
            scale = -draws.log_any_on(log_off)
        both = crossed(space_on, joined([no_time, time_on])).plus(between, 0)
        filled = joined([both, crossed(no_space, time_on)]).plus(block, in_steps(scale))
        nothing = np.zeros(len(drop), bool)
        empty = draws.log_prob(nothing, drop, layer_drop, never_empty=never_empty)
        none = Options(np.zeros(1, "int64"), in_steps(np.array([empty])), nothing[None])
        found.append(joined([filled, none]).best())
    return found


def _path_by_path(drop: np.ndarray, cost: np.ndarray, own: np.ndarray) -> tuple[Options, Options]:
    """Returns the option with no `own` path on, and the front of those with at least one on."""
    with np.errstate(divide="ignore"):
        on, off = in_steps(np.log1p(-drop)), in_steps(np.log(drop))
    nothing = np.zeros((1, len(drop)), bool)
    none = Options(np.zeros(1, "int64"), np.zeros(1), nothing)
    some = Options(none.cost[:0], none.gain[:0], nothing[:0])
    for path in np.flatnonzero(own):
        this = np.arange(len(drop)) == path
        with_it = joined([some, none]).plus(cost[path], on[path], this)
        some = joined([with_it, some.plus(0, off[path])]).best()
        none = none.plus(0, off[path])
    return none, some
