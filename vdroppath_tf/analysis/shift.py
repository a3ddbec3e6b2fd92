"""How a space shifts when one thing is changed, seed by seed: the paper's Fig. 6 in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.analysis.compare import SpaceComparison, compare_spaces
from vdroppath_tf.analysis.seed_observations import t_interval
from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.spaces.marginals import Form
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
@dataclass(frozen=True, eq=False)
class SpaceShift:
    """Spaces before and after a change, each pair learned from the same seed.

    What lies towards S is positive: a space *leans* by P(S on) - P(ST on), and *shifts* by how much
    its lean has changed.

    Attributes:
        comparison: of the spaces of two names, before and after, in the order of the seeds.
    """

    comparison: SpaceComparison

    __repr__ = brief

    @property
    def names(self) -> tuple[str, str]:
        """What the spaces before and after are called."""
        before, after = self.comparison.names
        return before, after

    @property
    def lean_by_layer(self) -> np.ndarray:
        """``(2, seeds, layers)`` P(S on) - P(ST on), before and after."""
        on = [self.comparison.path_on(name) for name in self.names]
        return np.array([each["S"] - each["ST"] for each in on])

    @property
    def lean(self) -> np.ndarray:
        """``(2, seeds)`` ``lean_by_layer``, averaged over layers."""
        mean: np.ndarray = self.lean_by_layer.mean(axis=-1)
        return mean

    @property
    def shift(self) -> np.ndarray:
        """``(seeds,)`` change of the lean; above 0 towards S."""
        before, after = self.lean
        return after - before

    @property
    def standard_error(self) -> float:
        """Of the mean shift over seeds; NaN where there is one seed only."""
        count = len(self.shift)
        return float(self.shift.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean shift (Student's t over seeds); NaN where there is one seed."""
        found = t_interval(self.shift.tolist())
        return found.low, found.high

    def unit(self, unit: str) -> np.ndarray:
        """``(2, seeds, layers)`` marginals of a unit, such as ``"S"``, before and after."""
        found = [
            [space.marginals(self.comparison.form)[unit] for space in self.comparison.spaces[name]]
            for name in self.names
        ]
        return np.array(found)

    @property
    def verdict(self) -> str:
        """In a sentence: whether the spaces shifted, and whether that may be chance."""
        shift, count = self.shift, len(self.shift)
        if count == 1:
            return f"Shifted by {shift[0]:+.3f}; one seed does not tell that from chance."
        mean, (low, high) = float(shift.mean()), self.interval
        side = "S" if mean > 0 else "ST"
        same = int((np.sign(shift) == np.sign(mean)).sum())
        numbers = (
            f"{mean:+.3f} on average, 95 % interval {low:+.3f} to {high:+.3f}; towards {side} in "
            f"{same} of {count} seeds"
        )
        if low <= 0 <= high:
            return f"No shift that can be told from chance: {numbers}."
        return f"Shifted towards {side}: {numbers}."


@named
def shift_of(
    before: Sequence[ProbabilitySpace],
    after: Sequence[ProbabilitySpace],
    *,
    names: tuple[str, str] = ("before", "after"),
    form: Form = "paper",
) -> SpaceShift:
    """Computes the shift between two lists of spaces of the same network.

    Args:
        before: one a seed.
        after: of the same seeds, in the same order.
        names: what the two are called.
        form: of the marginals that are compared.

    Raises:
        ValueError: not as many after as before, none at all, spaces of different networks, or of
            networks without both S and ST.
    """
    if not before or len(before) != len(after):
        raise ValueError(
            "Expected a space after for each space before, one or more, in the order of their "
            f"seeds. Received: {len(before)} before, {len(after)} after"
        )
    missing = {"S", "ST"} - set(before[0].branches)
    if missing:
        raise ValueError(
            f"A shift between S and ST needs both paths. Received: branches {before[0].branches}"
        )
    return SpaceShift(compare_spaces(dict(zip(names, (before, after), strict=True)), form))
