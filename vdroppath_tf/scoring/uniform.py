"""Uniform strategies and the uniform prior: the controls for a chosen strategy."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit

UNIFORM = ("S", "ST", "S+ST")


@named
def controls(space: ProbabilitySpace, draws: int, seed: int = 0) -> dict[str, FusionStrategy]:
    """Returns the controls for a chosen strategy: S, ST, S+ST everywhere, and uniform draws.

    Of the first three, only those whose branches exist in every layer are included. Every path of a
    uniform draw is on with probability 1/2.

    Args:
        space: ``ProbabilitySpace`` of the template.
        draws: int, the number of draws from the uniform prior.
        seed: int, the seed of the draws. Defaults to 0.

    Returns:
        A dict from names, such as ``"S everywhere"``, to strategies.

    Example:
    ```python
    space = vdroppath_tf.zoo.published_space("ucf101")
    list(controls(space, draws=1))  # ["S everywhere", "ST everywhere", "S+ST everywhere", ...]
    ```
    """
    named = {
        f"{unit} everywhere": FusionStrategy.uniform(unit, len(space), space.architecture)
        for unit in UNIFORM
        if _everywhere(space, unit)
    }
    uniform = uniform_prior(space).sample(draws, seed=seed)
    return named | {f"uniform draw {n}": drawn for n, drawn in enumerate(uniform, 1)}


def _everywhere(space: ProbabilitySpace, unit: str) -> bool:
    wanted = FusionUnit(unit).branches
    places = [space.branches.index(b) for b in wanted if b in space.branches]
    return len(places) == len(wanted) and bool(space.gated[:, places].all())


@named
def uniform_prior(space: ProbabilitySpace) -> ProbabilitySpace:
    """Returns the space in which every existing path is on with probability 1/2.

    Example:
    ```python
    space = vdroppath_tf.zoo.published_space("ucf101")
    strategies = uniform_prior(space).sample(10)
    ```
    """
    return ProbabilitySpace(
        tuple(np.where(start < 1.0, 0.5, 1.0) for start in space.initial),
        layers=space.layers,
        architecture=space.architecture,
        branches=space.branches,
        has_residual=space.has_residual,
    )
