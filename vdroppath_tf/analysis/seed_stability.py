"""Stability: does a space depend on the data or on its seed? Compares several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.analysis.compare import compare_spaces
from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.spaces.marginals import Form
from vdroppath_tf.spaces.space import ProbabilitySpace

_NAME = "seeds"  # the only name in the comparison


@named
@dataclass(frozen=True, eq=False)
class Stability:
    """The agreement between the spaces of several seeds, by layer.

    Distances are total variations of unit marginals, as in ``compare_spaces``.

    Attributes:
        layers: the names of the fusion layers.
        form: the form of the probabilities, ``"paper"`` (Eq. 7) or ``"sampling"``.
        on: by branch, ``(seeds, layers)`` probability that it is on.
        between: ``(layers,)`` mean distance between two seeds.
        moved: ``(layers,)`` mean distance of a seed's space from its initial values.
        same_mode: ``(layers,)`` share of pairs of seeds with the same unit in their modes.

    Example:
    ```python
    found = stability(spaces)
    print(found.stable, found.between, found.moved)
    ```
    """

    layers: tuple[str, ...]
    form: Form
    on: Mapping[str, np.ndarray]
    between: np.ndarray
    moved: np.ndarray
    same_mode: np.ndarray

    __repr__ = brief

    @property
    def seeds(self) -> int:
        """The number of spaces."""
        return len(next(iter(self.on.values())))

    @property
    def stable(self) -> np.ndarray:
        """Whether seeds are closer to each other than to their common start, ``(layers,)``."""
        return np.asarray(self.between < self.moved)

    @property
    def verdict(self) -> str:
        """A sentence with the number of layers in which seeds agree more than they moved."""
        count, moved = int(self.stable.sum()), self.moved.mean()
        return (
            f"Two seeds are {self.between.mean():.3f} apart on average, and each is {moved:.3f} "
            f"from its start. In {count} of {len(self.layers)} layers seeds are nearer to each "
            f"other than to the start; modes agree in {self.same_mode.mean():.0%} of the layers."
        )


@named
def stability(spaces: Sequence[ProbabilitySpace], form: Form = "paper") -> Stability:
    """Computes the agreement between the spaces of several seeds, by layer.

    Args:
        spaces: two or more spaces of one network, learned on the same data with different seeds.
        form: the form of the probabilities that are compared.

    Raises:
        ValueError: If there are fewer than two spaces, or their networks or branches differ.

    Example:
    ```python
    spaces = [vdroppath_tf.ProbabilitySpace.load(f"run/seed-{k}/space.json") for k in range(3)]
    print(stability(spaces).verdict)
    ```
    """
    if len(spaces) < 2:
        raise ValueError(
            f"Expected the spaces of two or more seeds. Received: {len(spaces)}. One space does "
            "not show how far it depends on its seed."
        )
    found = compare_spaces({_NAME: spaces}, form)
    return Stability(
        found.layers,
        form,
        found.path_on(_NAME),
        found.between[0, 0],
        np.mean([space.distance_from_start(form) for space in spaces], axis=0),
        found.same_mode(_NAME),
    )
