"""Checks that a network, or a table of its costs, belongs to a space."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.spaces.space import ProbabilitySpace


def check_network(space: ProbabilitySpace, network: ProbabilitySpace) -> None:
    """Raises a ValueError if the space belongs to another network."""
    for what in ("architecture", "branches", "per_input"):
        ours, theirs = getattr(space, what), getattr(network, what)
        if ours != theirs and not (what == "architecture" and None in (ours, theirs)):
            raise ValueError(
                f"The space belongs to another network: its {what} is {ours!r}, the network's is "
                f"{theirs!r}. Expected the template that the space belongs to."
            )
    if len(space) != len(network) or (space.has_residual > network.has_residual).any():
        raise ValueError(
            f"The space belongs to another network: it has {len(space)} layers, "
            f"{space.has_residual.sum()} of them on residual branches, the network {len(network)} "
            f"and {network.has_residual.sum()}. "
            "Expected the template that the space belongs to."
        )


def check_costs(space: ProbabilitySpace, costs: UnitCosts) -> None:
    """Raises a ValueError if the table has other layers, inputs or branches than the space."""
    inputs = [len(layer) for layer in space.drop]
    theirs = [table.shape[1] for table in costs.paths]
    if costs.branches != space.branches or inputs != theirs:
        raise ValueError(
            f"The costs belong to another network: {len(theirs)} layers, {sum(theirs)} inputs and "
            f"the branches {costs.branches}; the space has {len(inputs)}, {sum(inputs)} and "
            f"{space.branches}. Expected those of the space's template."
        )
    for name, drop, table in zip(space.layers, space.drop, costs.paths, strict=True):
        absent = (table[0] == 0) & (drop < 1)  # a path without parameters does not exist
        if absent.any():
            branch = space.branches[int(np.argmax(absent.any(axis=0)))]
            raise ValueError(
                f"Layer {name!r} of the network has no branch {branch!r}. Expected that the space "
                f"drops it with probability 1. Received: {drop.tolist()}"
            )
