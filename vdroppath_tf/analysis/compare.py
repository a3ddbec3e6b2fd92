"""Distances between spaces: of two data sets, two templates, or several seeds of one run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vdroppath_tf.brief import brief
from vdroppath_tf.names import named
from vdroppath_tf.spaces.marginals import Form, distances
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
@dataclass(frozen=True, eq=False)
class SpaceComparison:
    """Distances between named spaces, each of which may have been learned several times.

    The distance of two spaces in a layer is the total variation of their unit marginals: the
        largest difference in the probability of any set of units, 0 if they are equal and 1 if they
        have no unit in common. With gates per input it is the mean over the layer's inputs.

    Attributes:
        spaces: the repetitions (seeds) for each name.
        form: the form of the marginals, ``"paper"`` (Eq. 7) or ``"sampling"``.
        layers: the names of the fusion layers, from the first space.
        between: ``(names, names, layers)`` mean distance between spaces of two names; on the
            diagonal, between two repetitions of a name (NaN if there is only one).

    Example:
    ```python
    names = ("ucf101", "kinetics400")
    found = compare_spaces({name: vdroppath_tf.zoo.published_space(name) for name in names})
    found.path_on("ucf101")["ST"].shape  # (1, 61)
    found = compare_spaces({"motion": spaces})
    found.same_mode("motion")  # the share of pairs of seeds that agree, by layer
    ```
    """

    spaces: Mapping[str, tuple[ProbabilitySpace, ...]]
    form: Form
    layers: tuple[str, ...]
    between: np.ndarray

    __repr__ = brief

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order given."""
        return tuple(self.spaces)

    @property
    def distance(self) -> np.ndarray:
        """``between``, averaged over layers, ``(names, names)``."""
        mean: np.ndarray = self.between.mean(axis=-1)
        return mean

    def path_on(self, name: str) -> dict[str, np.ndarray]:
        """Returns by branch the probability that it is on, ``(repetitions, layers)``."""
        found = [space.path_on(self.form) for space in self.spaces[name]]
        return {b: np.array([on[b] for on in found]) for b in found[0]}

    def same_mode(self, name: str) -> np.ndarray:
        """Returns the share of pairs of repetitions whose modes agree, ``(layers,)``."""
        pairs = list(itertools.combinations([space.mode() for space in self.spaces[name]], 2))
        if not pairs:
            return np.full(len(self.layers), np.nan)
        same = [[a == b for a, b in zip(one, other, strict=True)] for one, other in pairs]
        return np.mean(same, axis=0)


@named
def compare_spaces(
    spaces: Mapping[str, ProbabilitySpace | Sequence[ProbabilitySpace]], form: Form = "paper"
) -> SpaceComparison:
    """Compares spaces of one network.

    Args:
        spaces: a mapping from names to a space, or to the spaces of several seeds.
        form: the form of the marginals that are compared.

    Raises:
        ValueError: If there are fewer than two spaces, or their networks or branches differ.

    Example:
    ```python
    names = ("ucf101", "kinetics400")
    found = compare_spaces({name: vdroppath_tf.zoo.published_space(name) for name in names})
    print(found.distance)
    ```
    """
    several = {
        name: (given,) if isinstance(given, ProbabilitySpace) else tuple(given)
        for name, given in spaces.items()
    }
    everyone = [(name, space) for name, group in several.items() for space in group]
    if len(everyone) < 2 or not all(several.values()):
        raise ValueError(
            f"There are {len(everyone)} spaces under {len(several)} names. Expected two or more "
            "spaces, and at least one for each name."
        )
    for name, space in everyone[1:]:
        _check_same(everyone[0], (name, space))
    tables = {
        name: [space.unit_probabilities(form) for space in group] for name, group in several.items()
    }
    between = np.array(
        [[_mean_distance(tables[a], tables[b], same=a == b) for b in tables] for a in tables]
    )
    return SpaceComparison(several, form, everyone[0][1].layers, between)


def _mean_distance(one: Any, other: Any, *, same: bool) -> np.ndarray:
    pairs = itertools.combinations(one, 2) if same else itertools.product(one, other)
    found = [distances(x, y) for x, y in pairs]
    return np.mean(found, axis=0) if found else np.full(len(one[0]), np.nan)


def _check_same(first: tuple[str, ProbabilitySpace], other: tuple[str, ProbabilitySpace]) -> None:
    (name, a), (other_name, b) = first, other

    def words(space: ProbabilitySpace) -> str:
        gates = "gates per input" if space.per_input else "shared gates"
        network = space.architecture or "an unnamed network"
        return f"{network}, {len(space)} layers, branches {','.join(space.branches)}, {gates}"

    if words(a) != words(b) or _inputs(a) != _inputs(b):
        raise ValueError(
            f"{other_name!r} is a space of {words(b)}; {name!r} is one of {words(a)}. Expected "
            "spaces of one network; zoo.transfer carries a space to another network."
        )


def _inputs(space: ProbabilitySpace) -> list[int]:
    return [len(layer) for layer in space.drop]
