"""From the gates of single layers to those of a network, as ``ProbabilitySpace`` takes them.

Any Keras model may hold fusion layers, in itself or in models inside. They are found by what they
have, so that nothing here needs Keras.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vdroppath_tf.spaces.unit import BRANCHES


@dataclass(frozen=True, eq=False)
class LayerGates:
    """The gates of one fusion layer.

    Attributes:
        branches: tuple of str, the branches that the layer has.
        drop: ``(inputs, branches)`` drop probabilities.
        initial: float, their starting value.
        has_residual: bool, whether the layer sits on a residual branch.
        layer_drop: float, the drop probability of D1; None without that gate.
    """

    branches: tuple[str, ...]
    drop: np.ndarray
    initial: float
    has_residual: bool
    layer_drop: float | None


class Inside(NamedTuple):
    """A layer, and the model that has it."""

    model: Any
    layer: Any


def layers_inside(model: Any) -> Iterator[Inside]:
    """Every layer of a Keras model, and those of the models and layers in it, each once.

    They come in the order in which Keras has them, a functional model's as data go through them. A
    gated layer is whole: the layers that it is made of are not among them.
    """
    seen: set[int] = {id(model)}
    waiting = [Inside(model, layer) for layer in reversed(_directly_in(model))]
    while waiting:
        owner, layer = waiting.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        yield Inside(owner, layer)
        if not hasattr(layer, "drop_path"):
            within = layer if hasattr(layer, "layers") else owner
            waiting += [Inside(within, each) for each in reversed(_directly_in(layer))]


def _directly_in(layer: Any) -> list[Any]:
    """The layers of a model; of any other layer those that it holds, such as a wrapper's."""
    found = getattr(layer, "layers", None)
    return list(getattr(layer, "_layers", ()) if found is None else found)


def names_of(found: Sequence[Inside]) -> tuple[str, ...]:
    """The name of each layer; behind that of its model where two layers have the same one."""
    names = [layer.name for _, layer in found]
    twice = {name for name in names if names.count(name) > 1}
    return tuple(
        f"{owner.name}/{layer.name}" if layer.name in twice else layer.name
        for owner, layer in found
    )


def layers_with_gates(model: Any) -> list[Inside]:
    """The layers of a model that have gates: fusion layers, and a gated classifier."""
    found = layers_inside(model)
    return [each for each in found if getattr(each.layer, "drop_path", None) is not None]


def gated_layers(model: Any) -> list[Inside]:
    """The gated fusion layers of a model, in the order of its strategies."""
    return [each for each in layers_with_gates(model) if hasattr(each.layer, "layer_gates")]


def architecture_name(model: Any) -> str | None:
    """The network that a model's fusion layers are of; None where it is not known, or not one."""
    owners = {id(found.model): found.model for found in gated_layers(model)}
    if len(owners) != 1:
        return None
    (owner,) = owners.values()
    architecture = getattr(owner, "architecture", None)
    return architecture["name"] if architecture else None


def read_gates(model: Any) -> dict[str, Any]:
    """The gates of a model as the arguments of ``ProbabilitySpace``.

    A branch that a layer does not have is dropped there with probability 1. Where inputs have gates
    of their own, a layer's array has a row for each.

    Raises:
        ValueError: If the model has no gated fusion layers.
    """
    found = gated_layers(model)
    if not found:
        raise no_template(model)
    gates: list[LayerGates] = [layer.layer_gates() for _, layer in found]
    branches = tuple(b for b in BRANCHES if any(b in one.branches for one in gates))
    drops = [0.0 if one.layer_drop is None else one.layer_drop for one in gates]
    starts = [0.0 if one.layer_drop is None else one.initial for one in gates]
    return {
        "drop": tuple(branch_table(one.drop, one.branches, branches) for one in gates),
        "initial": tuple(
            branch_table(np.full_like(one.drop, one.initial), one.branches, branches)
            for one in gates
        ),
        "layers": names_of(found),
        "architecture": architecture_name(model),
        "branches": branches,
        "has_residual": np.array([one.has_residual for one in gates]),
        "layer_drop": np.array(drops),
        "initial_layer_drop": np.array(starts),
    }


def no_template(model: Any) -> ValueError:
    """The error about a model without gated fusion layers."""
    name = getattr(model, "name", None)
    shown = repr(name) if isinstance(name, str) else f"A {type(model).__name__}"
    return ValueError(
        f"{shown} has no gated fusion layers, so it is not a template. Expected a model of "
        "vdroppath_tf.zoo.template_*, as built or loaded with keras.saving.load_model, or a Keras "
        "model that holds one."
    )


def branch_table(
    own: np.ndarray, have: Sequence[str], branches: Sequence[str], absent: float = 1.0
) -> np.ndarray:
    """``(inputs, branches)`` of a layer's own, ``absent`` where it has no such branch."""
    table = np.full((len(own), len(branches)), absent)
    table[:, [branches.index(branch) for branch in have]] = own
    return table
