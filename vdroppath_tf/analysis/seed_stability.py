"""Is a space the data's, or its seed's? One run over several seeds, held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.analysis.compare import compare_spaces
from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.spaces.marginals import Form
from vdroppath_tf.spaces.space import ProbabilitySpace

_NAME = "seeds"  # of the one name in the comparison


@named
@dataclass(frozen=True, eq=False)
class Stability:
    """How far the spaces of several seeds agree, layer by layer.

    Distances are total variations of unit marginals, as in ``compare_spaces``.

    Attributes:
        layers: names of the fusion layers.
        form: of the probabilities, ``"paper"`` (Eq. 7) or ``"sampling"``.
        on: by branch ``(seeds, layers)`` probability that it is on.
        between: ``(layers,)`` mean distance of two seeds.
        moved: ``(layers,)`` mean distance of a seed's space from its starting values.
        same_mode: ``(layers,)`` share of pairs of seeds with the same unit in their modes.
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
        """How many spaces there are."""
        return len(next(iter(self.on.values())))

    @property
    def stable(self) -> np.ndarray:
        """``(layers,)`` whether seeds are nearer to each other than to where they all started."""
        return np.asarray(self.between < self.moved)

    @property
    def verdict(self) -> str:
        """In a sentence: in how many layers the seeds agree more than they moved."""
        count, moved = int(self.stable.sum()), self.moved.mean()
        return (
            f"Two seeds are {self.between.mean():.3f} apart on average, and each is {moved:.3f} "
            f"from its start. In {count} of {len(self.layers)} layers seeds are nearer to each "
            f"other than to the start; modes agree in {self.same_mode.mean():.0%} of the layers."
        )


@named
def stability(spaces: Sequence[ProbabilitySpace], form: Form = "paper") -> Stability:
    """Computes how far the spaces of several seeds agree, layer by layer.

    Args:
        spaces: two or more of one network, learned from the same data with different seeds.
        form: of the probabilities that are compared.

    Raises:
        ValueError: fewer than two spaces, or spaces of different networks or branches.
    """
    if len(spaces) < 2:
        raise ValueError(
            f"Expected the spaces of two or more seeds. Received: {len(spaces)}. One space does "
            "not say how far it depends on its seed."
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
