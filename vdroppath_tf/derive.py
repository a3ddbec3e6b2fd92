"""From a template and a strategy to the network that has only the strategy's paths."""

from __future__ import annotations

import keras

from .layers.fusion import BRANCHES
from .layers.gates import fusion_layers, strategy_masks
from .models.build import architecture_of, build
from .models.fusion_model import FusionModel
from .models.weights import LoadReport, copy_weights
from .strategy import FusionStrategy


def derive(
    model: keras.Model, strategy: FusionStrategy | str, *, dropout: float | None = None
) -> FusionModel:
    """The network of one strategy, with the template's trained weights.

    It computes what the template computes under ``set_strategy`` (to float rounding). An S+ST layer
    keeps both kernels, so that fine-tuning goes on from the same point. Batch-norm statistics are
    the template's as they stand.

    Args:
        model: a template of ``vdroppath_tf.zoo``.
        strategy: one unit per fusion layer, or its text.
        dropout: before the classifier, for fine-tuning; None keeps the template's.

    Raises:
        ValueError: when the strategy does not fit the template.
    """
    architecture = architecture_of(model)
    strategy_masks(model, strategy)  # checks
    if isinstance(strategy, str):
        strategy = FusionStrategy.parse(strategy)
    strategy = FusionStrategy(strategy.units, architecture["name"])
    if dropout is not None:
        architecture = {**architecture, "dropout": dropout}
    network = build(architecture, strategy)
    dropped = _dropped(model, strategy)
    copy_weights(model, network, may_be_unused=lambda path: path.startswith(dropped))
    return network


def _dropped(model: keras.Model, strategy: FusionStrategy) -> tuple[str, ...]:
    """Beginnings of the paths of the weights that the derived network does without."""
    starts = []
    for layer, unit in zip(fusion_layers(model), strategy, strict=True):
        gone = [BRANCHES[branch][0] for branch in layer.branches if branch not in unit.branches]
        starts += [f"{layer.name}/{name}/" for name in ("drop_path", *gone)]
        if not unit.branches:  # the block is its shortcut, whose weights the network does have
            starts.append(layer.name.removesuffix("fusion"))
    return tuple(starts)


def replace_classifier(model: keras.Model, num_classes: int) -> tuple[FusionModel, LoadReport]:
    """The same network for other classes: a new classifier, every other weight kept.

    Returns:
        The new model, and the report of what was copied and what is new.
    """
    architecture = {**architecture_of(model), "num_classes": num_classes}
    text = architecture["strategy"]
    strategy = None if text is None else FusionStrategy.parse(text, architecture["name"])
    network = build(architecture, strategy)
    report = copy_weights(model, network, may_be_new=lambda path: path.startswith("classifier/"))
    return network, report
