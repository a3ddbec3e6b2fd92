"""From the name, or the description a model carries, to a model; and what a name stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from vdroppath_tf.models import densenet, mobilenet_v2, resnet
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import unknown_name
from vdroppath_tf.spaces.strategy import FusionStrategy

# family -> its function and its table
FAMILIES: dict[str, tuple[Callable[..., FusionModel], Mapping[str, Any]]] = {
    "densenet": (densenet.densenet, densenet.TABLE),
    "mobilenet_v2": (mobilenet_v2.mobilenet_v2, mobilenet_v2.TABLE),
    "resnet": (resnet.resnet, resnet.TABLE),
}
_GIVEN = ("family", "name", "num_classes", "strategy", "gates")


def build(architecture: dict[str, Any], strategy: FusionStrategy | None) -> FusionModel:
    """The network of ``FusionModel.architecture`` anew: a template, or derived for ``strategy``."""
    function, _ = FAMILIES[architecture["family"]]
    options = {key: value for key, value in architecture.items() if key not in _GIVEN}
    return function(
        architecture["name"],
        architecture["num_classes"],
        strategy=strategy,
        gates=architecture["gates"] if strategy is None else None,
        **options,
    )


def architecture_of(model: keras.Model) -> dict[str, Any]:
    """The description, or a ValueError that says what was expected."""
    architecture = getattr(model, "architecture", None)
    if architecture is None:
        raise ValueError(
            f"{model.name!r} does not carry its architecture. Expected a model of "
            "vdroppath_tf.zoo, as built or loaded with keras.saving.load_model."
        )
    return architecture


def family_of(architecture: str) -> str:
    """The family of a network's name.

    Raises:
        ValueError: for an unknown name; the nearest known ones are offered.
    """
    for family, (_, table) in FAMILIES.items():
        if architecture in table:
            return family
    raise unknown_name("network", architecture, (row for _, t in FAMILIES.values() for row in t))


def fusion_layers_of(architecture: str) -> tuple[tuple[str, bool, int], ...]:
    """The fusion layers of a network by its name, without building it.

    Returns:
        For each layer its name, whether a shortcut goes round it, and its group: the residual
        stage or dense block it belongs to, from 0 (a transition closes its block).

    Raises:
        ValueError: for an unknown name; the nearest known ones are offered.
    """
    family = family_of(architecture)
    row = FAMILIES[family][1][architecture]
    if family == "resnet":
        return tuple(
            (f"stage{s + 1}_block{b + 1}_fusion", True, s)
            for s, stage in enumerate(row.stages)
            for b in range(stage.blocks)
        )
    if family == "densenet":
        found = []
        for b, layers in enumerate(row.blocks):
            found += [(f"B{b + 1}.L{n + 1}", True, b) for n in range(layers)]
            found += [(f"T{b + 1}", False, b)] if b + 1 < len(row.blocks) else []
        return tuple(found)
    return tuple(_inverted_residuals(row))


def _inverted_residuals(row: mobilenet_v2.Row) -> list[tuple[str, bool, int]]:
    found, block, channels = [], 0, row.stem
    groups = [stage for stage in row.stages if stage.expansion > 1]
    for stage in row.stages:
        for b in range(stage.blocks):
            block += 1
            residual = channels == stage.filters and (b > 0 or stage.stride == 1)
            channels = stage.filters
            if stage.expansion > 1:
                found.append((f"block{block}_fusion", residual, groups.index(stage)))
    return found


def fusion_groups(architecture: str) -> tuple[int, ...]:
    """How many fusion layers each stage of a network has, by its name; see ``fusion_layers_of``."""
    groups = [group for _, _, group in fusion_layers_of(architecture)]
    return tuple(groups.count(group) for group in range(max(groups) + 1))


def fusion_layer_names(architecture: str) -> tuple[str, ...]:
    """Names of the fusion layers of a network, by its name."""
    return tuple(name for name, _, _ in fusion_layers_of(architecture))


def droppable_layers(architecture: str) -> tuple[bool, ...]:
    """For each fusion layer of a network, by its name, whether a shortcut goes round it."""
    return tuple(droppable for _, droppable, _ in fusion_layers_of(architecture))


def layers_with_t(architecture: str) -> tuple[bool, ...]:
    """For each fusion layer of a network, by its name, whether it may have the branch T.

    A DenseNet's transitions may not: they have no 3x3 in space, and T would be ST.
    """
    layers = fusion_layers_of(architecture)
    dense = family_of(architecture) == "densenet"
    return tuple(droppable or not dense for _, droppable, _ in layers)
