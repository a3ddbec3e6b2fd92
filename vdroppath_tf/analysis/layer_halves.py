"""Counts the layers in which a unit has the highest marginal, in both halves of a network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.unit import s_first


class Lead(NamedTuple):
    """The number of layers in which a unit leads, and every unit's mean marginal there."""

    layers: int
    of: int
    means: dict[str, float]

    def __str__(self) -> str:
        return f"{self.layers} of {self.of} layers ({percent(self.layers / self.of, 0)})"

    def margin(self, unit: str) -> tuple[float, str]:
        """Returns the unit's mean minus the highest other mean, and that other unit."""
        other = max((u for u in self.means if u != unit), key=self.means.__getitem__)
        return self.means[unit] - self.means[other], other


def leads(space: ProbabilitySpace, unit: str) -> tuple[Lead, Lead]:
    """Returns the lead of `unit` in the lower and in the higher half of the layers.

    Raises:
        ValueError: If the space has one layer only, or lacks the unit.
    """
    if len(space) < 2:
        raise ValueError("Expected a space of at least 2 layers, lower and higher. Received: 1")
    marginals = unit_marginals(space, unit, with_none=True)
    table = np.stack([*marginals.values()])
    led = table.argmax(axis=0) == list(marginals).index(unit)
    lower, higher = (
        Lead(int(led[part].sum()), led[part].size, mean_marginals(marginals, part))
        for part in halves(space)
    )
    return lower, higher


def halves(space: ProbabilitySpace) -> tuple[slice, slice]:
    """Returns the lower and the higher half of the layers."""
    return slice(None, len(space) // 2), slice(len(space) // 2, None)


def unit_marginals(
    space: ProbabilitySpace, unit: str, *, with_none: bool = False
) -> dict[str, np.ndarray]:
    """Returns the marginals of the units with a path, which must include `unit`, and of none."""
    every = s_first(space.marginals())
    found = {name: p for name, p in every.items() if name != "-"}
    if unit not in found:
        raise ValueError(
            f"Expected a space with the unit {unit!r}. Received: one with {', '.join(found)}"
        )
    return every if with_none else found


def mean_marginals(marginals: dict[str, np.ndarray], part: slice) -> dict[str, float]:
    """Returns each unit's mean marginal over some layers."""
    return {name: float(values[part].mean()) for name, values in marginals.items()}
