"""From a template and a strategy to the network that has only the strategy's paths."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from vdroppath_tf.layers.gates import fusion_layers, gates_of, strategy_masks
from vdroppath_tf.models.blocks import block_layers, spatial_layers
from vdroppath_tf.models.build import architecture_of, build
from vdroppath_tf.models.changes import policy_of
from vdroppath_tf.models.derived_graph import DerivedGraph, kept_channels
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import DROPOUT
from vdroppath_tf.models.weights import LoadReport, copy_weights
from vdroppath_tf.names import named
from vdroppath_tf.ranges import check_range
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit


@named
def derive(
    model: keras.Model, strategy: FusionStrategy | str, *, dropout: float | None = None
) -> Any:
    """Builds the network of one strategy, with the template's trained weights.

    It computes what the template computes under ``set_strategy`` (to float rounding). An S+ST layer
    keeps both kernels, so that fine-tuning goes on from the same point. A path that sees some of
    its inputs only (``S@101``) keeps the slice of its weights along the channels of these.
    Batch-norm statistics are the template's as they stand, and its precision is the template's.

    A functional model of one's own that holds templates, or layers of one, keeps what is its own, a
    head say: it is made anew with its weights, and the templates in it give way to their networks.

    Args:
        model: keras.Model, a template of ``vdroppath_tf.zoo``, or a functional model (or a
            Sequential) that holds some; the strategy has the units of all, one after another.
        strategy: FusionStrategy or str, one unit for each fusion layer.
        dropout: float, before the classifier, for fine-tuning. Defaults to None, the template's. A
            model of one's own has a head of its own.

    Returns:
        A ``FusionModel`` that has only the paths of the strategy; of a model of one's own another
        Keras model.

    Raises:
        ValueError: If the strategy does not fit the template, or the template is inside a model of
            which Keras knows no graph: derive the template then.

    Example:
        ```python
        network = derive(template, ProbabilitySpace.from_model(template).mode(), dropout=0.5)
        ```
    """
    strategy_masks(model, strategy)  # checks
    units = FusionStrategy.of(strategy).units
    if getattr(model, "architecture", None) is None:
        if dropout is not None:
            raise ValueError(
                f"{model.name!r} has a head of its own, and dropout= is that of the networks of "
                "vdroppath_tf.zoo. Put a keras.layers.Dropout into the head. "
                f"Received: dropout={dropout}"
            )
        return _of_own_model(model, list(units), f"derived_{model.name}")
    if dropout is not None:
        check_range("dropout", dropout, DROPOUT)
    return _of_template(model, units, dropout=dropout)


def _of_own_model(model: keras.Model, units: list[FusionUnit], name: str) -> keras.Model:
    """A model that holds templates, or layers of one, with the paths of their units."""
    layers = fusion_layers(model)
    by_layer = {id(layer): unit for layer, unit in zip(layers, units, strict=True)}
    return DerivedGraph(model, by_layer, _inside).build(name)


def _inside(model: keras.Model, units: list[FusionUnit]) -> keras.Model:
    """What takes the place of a model inside another, under its name."""
    if getattr(model, "architecture", None) is None:
        return _of_own_model(model, units, model.name)
    return _of_template(model, tuple(units), name=model.name)


def _of_template(
    model: keras.Model,
    units: tuple[FusionUnit, ...],
    *,
    dropout: float | None = None,
    name: str | None = None,
) -> FusionModel:
    architecture = architecture_of(model)
    strategy = FusionStrategy(units, architecture["name"])
    if dropout is not None:
        architecture = {**architecture, "dropout": dropout}
    with policy_of(model):
        network = build(architecture, strategy, name)
    copy_weights(
        model,
        network,
        may_be_unused=_dropped(model, strategy).__contains__,
        channels=_kept_channels(model, strategy),
    )
    network.derived = True
    return network


def _dropped(model: keras.Model, strategy: FusionStrategy) -> set[str]:
    """Paths of the weights that the derived network does without."""
    gone = [v.path for gate in gates_of(model) for v in gate.weights]
    for layer, unit in zip(fusion_layers(model), strategy, strict=True):
        for branch in set(layer.branches) - set(unit.branches):
            gone += layer.weight_paths(branch)
        unused = []
        if not unit.branches:  # the block is its shortcut, whose weights the network does have
            unused = block_layers(model, layer)
        elif unit.branches == ("T",):
            unused = spatial_layers(model, layer)
        gone += [v.path for other in unused for v in other.weights]
    return set(gone)


def _kept_channels(
    model: keras.Model, strategy: FusionStrategy
) -> dict[str, tuple[int, np.ndarray]]:
    """``kept_channels`` of all fusion layers."""
    found: dict[str, tuple[int, np.ndarray]] = {}
    for layer, unit in zip(fusion_layers(model), strategy, strict=True):
        found |= kept_channels(layer, unit)
    return found


@named
def replace_classifier(model: keras.Model, num_classes: int) -> tuple[FusionModel, LoadReport]:
    """Builds the same network with a new classifier; every other weight is kept.

    Args:
        model: keras.Model, a template or a derived network of ``vdroppath_tf.zoo``.
        num_classes: int, logits of the new classifier.

    Returns:
        The new model, and the report of what was copied and what is new.

    Example:
        ```python
        network, report = replace_classifier(network, num_classes=10)
        print(report.new)  # the paths of the classifier's weights
        ```
    """
    architecture = {**architecture_of(model), "num_classes": num_classes}
    text = architecture["strategy"]
    strategy = None if text is None else FusionStrategy.parse(text, architecture["name"])
    with policy_of(model):
        network = build(architecture, strategy)
    report = copy_weights(model, network, may_be_new=lambda path: path.startswith("classifier/"))
    network.derived = getattr(model, "derived", False)
    return network, report
