"""SpaceShift: how a space shifts when one setting changes, by seed (the paper's Fig. 6)."""

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

_ROUNDING = 1e-9  # smaller differences of probabilities are errors of rounding


@named
@dataclass(frozen=True, eq=False)
class SpaceShift:
    """Spaces before and after a change, each pair learned from the same seed.

    The *lean* of a space is P(S on) - P(ST on), positive towards S; its *shift* is the change of
    the lean.

    Attributes:
        comparison: the comparison of two names, before and after, with spaces in the order of the
            seeds.

    Example:
    ```python
    full = [vdroppath_tf.ProbabilitySpace.load(f"halve/full-{k}/space.json") for k in range(3)]
    half = [vdroppath_tf.ProbabilitySpace.load(f"halve/halved-{k}/space.json") for k in range(3)]
    found = shift_of(full, half)
    print(found.shift.mean(), found.interval)
    ```
    """

    comparison: SpaceComparison

    __repr__ = brief

    @property
    def names(self) -> tuple[str, str]:
        """The names of the spaces before and after."""
        before, after = self.comparison.names
        return before, after

    @property
    def lean_by_layer(self) -> np.ndarray:
        """P(S on) - P(ST on) before and after, ``(2, seeds, layers)``."""
        on = [self.comparison.path_on(name) for name in self.names]
        return np.array([each["S"] - each["ST"] for each in on])

    @property
    def lean(self) -> np.ndarray:
        """``lean_by_layer``, averaged over layers, ``(2, seeds)``."""
        mean: np.ndarray = self.lean_by_layer.mean(axis=-1)
        return mean

    @property
    def shift(self) -> np.ndarray:
        """The change of the lean, ``(seeds,)``; positive towards S."""
        before, after = self.lean
        return after - before

    @property
    def standard_error(self) -> float:
        """The standard error of the mean shift over seeds; NaN for one seed."""
        count = len(self.shift)
        return float(self.shift.std(ddof=1) / np.sqrt(count)) if count > 1 else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean shift (Student's t over seeds); NaN for one seed."""
        found = t_interval(self.shift.tolist())
        return found.low, found.high

    def unit(self, unit: str) -> np.ndarray:
        """Returns the marginals of a unit before and after, ``(2, seeds, layers)``."""
        found = [
            [space.marginals(self.comparison.form)[unit] for space in self.comparison.spaces[name]]
            for name in self.names
        ]
        return np.array(found)

    @property
    def verdict(self) -> str:
        """A sentence on whether the spaces shifted, and whether that may be due to chance."""
        shift, count = self.shift, len(self.shift)
        if np.abs(shift).max() < _ROUNDING:
            which = "in the one seed" if count == 1 else f"in each of {count} seeds"
            return f"No shift: P(S on) - P(ST on) is the same before and after {which}."
        if count == 1:
            return f"Shifted by {shift[0]:+.3f}; with one seed this may be due to chance."
        mean, (low, high) = float(shift.mean()), self.interval
        towards = {"S": int((shift > _ROUNDING).sum()), "ST": int((shift < -_ROUNDING).sum())}
        side = "S" if mean > 0 else "ST"
        if towards["S"] == towards["ST"]:
            seeds = f"towards S in {towards['S']} and towards ST in {towards['ST']}"
        else:
            seeds = f"towards {side} in {towards[side]}"
        numbers = f"{mean:+.3f} on average, 95 % interval {low:+.3f} to {high:+.3f}; {seeds}"
        if low <= 0 <= high:
            return f"No shift beyond chance: {numbers} of {count} seeds."
        return f"Shifted towards {side}: {numbers} of {count} seeds."


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
        before: one space for each seed.
        after: the spaces of the same seeds, in the same order.
        names: the names of the two.
        form: the form of the marginals that are compared.

    Raises:
        ValueError: If the numbers of spaces differ or are 0, their networks differ, or they do not
            have both S and ST.

    Example:
    ```python
    full = [vdroppath_tf.ProbabilitySpace.load(f"halve/full-{k}/space.json") for k in range(3)]
    half = [vdroppath_tf.ProbabilitySpace.load(f"halve/halved-{k}/space.json") for k in range(3)]
    print(shift_of(full, half, names=("full", "halved")).verdict)
    ```
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
