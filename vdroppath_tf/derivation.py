"""From a template and a strategy to the network that has only the strategy's paths."""

from __future__ import annotations

import keras
import numpy as np

from vdroppath_tf.layers.gates import fusion_layers, gates_of, strategy_masks
from vdroppath_tf.models.blocks import block_layers, spatial_layers
from vdroppath_tf.models.build import architecture_of, build
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import DROPOUT
from vdroppath_tf.models.weights import LoadReport, copy_weights
from vdroppath_tf.names import named
from vdroppath_tf.ranges import check_range
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
def derive(
    model: keras.Model, strategy: FusionStrategy | str, *, dropout: float | None = None
) -> FusionModel:
    """The network of one strategy, with the template's trained weights.

    It computes what the template computes under ``set_strategy`` (to float rounding). An S+ST layer
    keeps both kernels, so that fine-tuning goes on from the same point. A path that sees some of
    its inputs only (``S@101``) keeps the slice of its weights along the channels of these.
    Batch-norm statistics are the template's as they stand.

    Args:
        model: keras.Model, a template of ``vdroppath_tf.zoo``.
        strategy: FusionStrategy or str, one unit for each fusion layer.
        dropout: float, before the classifier, for fine-tuning. Defaults to None, the template's.

    Returns:
        A ``FusionModel`` that has only the paths of the strategy.

    Raises:
        ValueError: If the strategy does not fit the template.

    Example:
        ```python
        network = derive(template, ProbabilitySpace.from_model(template).mode(), dropout=0.5)
        ```
    """
    if dropout is not None:
        check_range("dropout", dropout, DROPOUT)
    architecture = architecture_of(model)
    strategy_masks(model, strategy)  # checks
    strategy = FusionStrategy(FusionStrategy.of(strategy).units, architecture["name"])
    if dropout is not None:
        architecture = {**architecture, "dropout": dropout}
    network = build(architecture, strategy)
    copy_weights(
        model,
        network,
        may_be_unused=_dropped(model, strategy).__contains__,
        channels=_kept_channels(model, strategy),
    )
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
    """For each path that sees some of its inputs: the channels of these, of its weights' axis."""
    found = {}
    for layer, unit in zip(fusion_layers(model), strategy, strict=True):
        for branch, kept in unit.inputs.items():
            channels = np.flatnonzero(np.repeat(kept, layer.widths))
            for path in layer.weight_paths(branch):  # kernels (t, h, w, channels, filters), BN
                found[path] = (3 if path.endswith("/kernel") else 0, channels)
    return found


@named
def replace_classifier(model: keras.Model, num_classes: int) -> tuple[FusionModel, LoadReport]:
    """The same network for other classes: a new classifier, every other weight kept.

    Args:
        model: keras.Model, a template or a derived network of ``vdroppath_tf.zoo``.
        num_classes: int, logits of the new classifier.

    Returns:
        The new model, and the report of what was copied and what is new.
    """
    architecture = {**architecture_of(model), "num_classes": num_classes}
    text = architecture["strategy"]
    strategy = None if text is None else FusionStrategy.parse(text, architecture["name"])
    network = build(architecture, strategy)
    report = copy_weights(model, network, may_be_new=lambda path: path.startswith("classifier/"))
    return network, report
