"""Tests the paper's observations I to III over several seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.analysis.observations import (
    CLAIMS,
    Observation,
    higher_layers_want_time,
    lower_layers_fuse,
    scenes_want_space,
)
from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
@dataclass(frozen=True)
class SeedObservation:
    """One of the paper's observations, computed from the spaces of several seeds.

    Attributes:
        number: str, "I", "II" or "III".
        verdicts: tuple of str, the verdict for each seed, see ``Observation``.
        margin: ``Interval``, the mean margin over seeds (see ``Observation.margin``) with its 95 %
            interval, by Student's t; the ends are NaN for one seed.

    Example:
    ```python
    for found in observations_over_seeds(spaces):
        print(found.claim, found.holds, found.margin)
    ```
    """

    number: str
    verdicts: tuple[str, ...]
    margin: Interval

    @property
    def claim(self) -> str:
        """The paper's statement."""
        return CLAIMS[self.number]

    @property
    def holds(self) -> int:
        """The number of seeds for which it holds, including narrowly."""
        return sum(verdict != "does not hold" for verdict in self.verdicts)

    def __str__(self) -> str:
        m = self.margin
        ends = "" if math.isnan(m.low) else f", 95 % interval {m.low:+.3f} to {m.high:+.3f}"
        return (
            f"{self.number} ({self.claim}): holds in {self.holds} of {len(self.verdicts)} seeds; "
            f"margin {m.value:+.3f}{ends}"
        )


@named
def observations_over_seeds(spaces: Sequence[ProbabilitySpace]) -> list[SeedObservation]:
    """Tests observations I and II over several seeds; returns none if S or ST is missing.

    Args:
        spaces: Sequence of ``ProbabilitySpace`` of one network, one for each seed.

    Returns:
        A list of ``SeedObservation``.

    Example:
    ```python
    for one in observations_over_seeds(spaces):
        print(one)
    ```
    """
    if not all(len(space) > 1 and {"S", "ST"} <= {*space.branches} for space in spaces):
        return []
    asked = (lower_layers_fuse, higher_layers_want_time)
    return [_over_seeds([ask(space) for space in spaces]) for ask in asked]


@named
def scenes_over_seeds(
    complex_scenes: Sequence[ProbabilitySpace], others: Sequence[ProbabilitySpace]
) -> SeedObservation:
    """Tests observation III over several seeds: data with complex scenes add S.

    Args:
        complex_scenes: Sequence of ``ProbabilitySpace`` learned on data with complex scenes, one
            for each seed.
        others: Sequence of ``ProbabilitySpace`` learned on other data, with the same seeds.

    Raises:
        ValueError: If their numbers differ or are 0.

    Example:
    ```python
    kinetics = [vdroppath_tf.zoo.published_space("kinetics400")]
    something = [vdroppath_tf.zoo.published_space("something-something-v1")]
    print(scenes_over_seeds(kinetics, something).verdicts)
    ```
    """
    if not complex_scenes or len(complex_scenes) != len(others):
        raise ValueError(
            "Expected a space of either data for each seed, one or more. Received: "
            f"{len(complex_scenes)} with complex scenes, {len(others)} others"
        )
    pairs = zip(complex_scenes, others, strict=True)
    return _over_seeds(
        [scenes_want_space({"complex": a, "other": b}, ["complex"]) for a, b in pairs]
    )


def _over_seeds(found: Sequence[Observation]) -> SeedObservation:
    margin = t_interval([one.margin for one in found])
    return SeedObservation(found[0].number, tuple(one.verdict for one in found), margin)


@named
def t_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Returns a mean over seeds with its interval by Student's t; NaN ends for one value.

    Args:
        values: Sequence of float, one for each seed.
        level: float, the confidence. Defaults to 0.95.

    Example:
    ```python
    print(t_interval([0.12, 0.15, 0.09]))
    ```
    """
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Interval(mean, math.nan, math.nan)
    from scipy.special import stdtrit  # the import takes a quarter of a second

    reach = float(stdtrit(count - 1, (1 + level) / 2)) * float(np.std(values, ddof=1))
    reach /= math.sqrt(count)
    return Interval(mean, mean - reach, mean + reach)
