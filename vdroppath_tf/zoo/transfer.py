"""A strategy or a space of one network on another one, by relative depth.

The paper's section 4.5 carries what DenseNet-121 has learned to other backbones by hand: which
units stand in lower, middle and upper layers. This is that as a function.

Layer i of n takes the layer of the source that lies at the relative depth (i + 1/2) / n. Spaces
take the nearest layer too, and interpolate nothing: every probability is one that was learned,
neighbours that take turns between units do not blur into each other, and a space carries its mode
and its draws along. With as many layers on both sides, each layer keeps what it has.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from vdroppath_tf.models.families import fusion_layers_of
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import NONE
from vdroppath_tf.zoo.strategies import t_where_it_is

Source = TypeVar("Source", FusionStrategy, ProbabilitySpace)


@named
def transfer(source: Source, to: str = "resnet50") -> Source:
    """Carries a strategy or a probability space to another network.

    Where the target's layer is on no residual branch and the source's layer there is empty (`-`,
    or all paths dropped with probability 1), it takes the nearest source layer that has a path,
    of two as near the lower one. In the transitions of a DenseNet, which have no 3x3 in space, T
    is ST. So the result is always a strategy that the target can run.

    Args:
        source: Of any network, or with `architecture=None`: then of as many layers as it has.
        to: Name of the network to carry it to.

    Returns:
        The same kind of object with `architecture=to`; a space with the target's layer names and
        residual branches. A source of that architecture comes back as it is.

    Raises:
        ValueError: If the target is unknown, the source treats the inputs of a layer differently
            (another network has other inputs), or it has no path at all where one is needed.

    Example:
    ```python
    space = transfer(published_space("something-something-v1"), to="resnet50")
    strategy = transfer(published_strategy("ucf101"), to="micro")
    ```
    """
    length = len(fusion_layers_of(to))
    if source.architecture == to:
        _check_length(len(source), length, to)
        return source
    if isinstance(source, FusionStrategy):
        return _strategy(source, to)
    return _space(source, to)


def _strategy(source: FusionStrategy, to: str) -> FusionStrategy:
    for layer, unit in enumerate(source, start=1):
        if unit.inputs:
            raise _per_input(f"layer {layer} has {str(unit)!r}")
    places = _places([unit != NONE for unit in source], to)
    return FusionStrategy(t_where_it_is([source[place] for place in places], to), to)


def _space(source: ProbabilitySpace, to: str) -> ProbabilitySpace:
    if source.per_input:
        raise _per_input("a space with gates per input")
    drop, initial = np.concatenate(source.drop), np.concatenate(source.initial)
    filled = (drop < 1).any(axis=1) & (source.layer_drop < 1)
    places, layers = _places(filled.tolist(), to), fusion_layers_of(to)
    return ProbabilitySpace(
        _t_where_it_is(drop[places], source.branches, to),
        _t_where_it_is(initial[places], source.branches, to),
        layers=tuple(layer.name for layer in layers),
        architecture=to,
        branches=source.branches,
        has_residual=[layer.has_residual for layer in layers],
        layer_drop=source.layer_drop[places],
        initial_layer_drop=source.initial_layer_drop[places],
    )


def _t_where_it_is(drop: np.ndarray, branches: tuple[str, ...], to: str) -> np.ndarray:
    """Where T would be ST it is never on, and ST is off only if both were."""
    if not {"T", "ST"} <= set(branches):
        return drop
    moved, t, st = drop.copy(), branches.index("T"), branches.index("ST")
    same = np.array([not layer.has_t for layer in fusion_layers_of(to)])
    moved[same, st] *= moved[same, t]
    moved[same, t] = 1.0
    return moved


def _places(filled: list[bool], to: str) -> list[int]:
    """For each layer of the target, the source layer it takes; `filled` says which have a path."""
    may_be_empty, count = [layer.has_residual for layer in fusion_layers_of(to)], len(filled)
    usable = np.flatnonzero(filled)
    if not len(usable) and not all(may_be_empty):
        raise ValueError(
            f"No layer of the source has a path, and {to!r} has layers without a residual branch. "
            f"Expected a source with at least one path."
        )
    # (i + 1/2) / n * count, rounded down, in whole numbers: no rounding error at the borders
    found = [(2 * i + 1) * count // (2 * len(may_be_empty)) for i in range(len(may_be_empty))]
    return [
        place if filled[place] or empty_fits else int(usable[np.abs(usable - place).argmin()])
        for place, empty_fits in zip(found, may_be_empty, strict=True)
    ]


def _per_input(what: str) -> ValueError:
    return ValueError(
        f"Gates or units per input belong to the inputs of one network. Expected one unit for all "
        f"inputs of a layer. Received: {what}"
    )


def _check_length(found: int, expected: int, architecture: str) -> None:
    if found != expected:
        raise ValueError(
            f"The source is of {architecture!r}, which has {expected} fusion layers. "
            f"Received: {found} layers"
        )
