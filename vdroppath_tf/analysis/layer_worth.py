"""What each layer's choice is worth: swap the unit of one layer, and see what it costs.

The units of all other layers stay. Every strategy that differs from the chosen one in one layer is
scored on the same clips, each with batch-norm statistics of its own; what the swap costs is the
difference in accuracy, paired clip by clip. A layer's choice is worth what a swap of its unit costs
on average.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from vdroppath_tf.analysis.worth import LayerWorth, swapped, worth_of
from vdroppath_tf.layers.gates import branches_of, fusion_layers
from vdroppath_tf.names import named
from vdroppath_tf.scoring.evaluate import evaluate_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import NONE, FusionUnit

_DEFAULTS = EvaluationOptions()


@named
def layer_worth(
    model: keras.Model,
    strategy: FusionStrategy | str,
    clips: Iterable[Any],
    *,
    train_clips: Iterable[Any] | None = None,
    options: EvaluationOptions = _DEFAULTS,
) -> LayerWorth:
    """Measures on clips what the choice of each layer of a strategy is worth.

    All swaps are scored in one pass, in which strategies share the layers that they agree on. Pass
    clips that the strategy was not chosen on: where it won by luck, every swap seems to cost.

    Args:
        model: ``keras.Model``, a trained template.
        strategy: ``FusionStrategy`` or str, the one whose layers are swapped.
        clips: an iterable of batches ``(clips, labels)``, each used once.
        train_clips: an iterable of batches of training, for batch-norm recalibration of each
            strategy. Defaults to None, which leaves the template's statistics.
        options: ``EvaluationOptions``, how strategies are scored.

    Returns:
        ``LayerWorth``.

    Raises:
        ValueError: If the strategy does not fit the template, or as ``evaluate_strategies``.
        VideoError: For a video that cannot be read.

    Example:
    ```python
    worth = layer_worth(model, space.mode(), test_clips, train_clips=train_clips)
    print(worth.verdict)
    ```
    """
    chosen, places = swaps_of(model, strategy)
    strategies = [chosen, *(swapped(chosen, *place) for place in places)]
    scores = evaluate_strategies(model, strategies, clips, train_clips=train_clips, options=options)
    return worth_of(scores, [layer.name for layer in fusion_layers(model)])


@named
def swaps_of(
    model: keras.Model, strategy: FusionStrategy | str
) -> tuple[FusionStrategy, list[tuple[int, FusionUnit]]]:
    """Returns a strategy that knows its network, and the units to swap in each of its layers.

    Where inputs have gates of their own, the other units are those that all inputs share.

    Args:
        model: ``keras.Model``, a template.
        strategy: ``FusionStrategy`` or str, one that fits it.
    """
    layers = fusion_layers(model)
    name = (getattr(model, "architecture", None) or {}).get("name")
    chosen = FusionStrategy(FusionStrategy.of(strategy).units, name)
    chosen.check(len(layers), name, branches_of(layers))
    found = []
    for n, layer in enumerate(layers):
        for unit in unit_table(layer.branches)[0]:
            if unit != _shared(chosen[n], layer.inputs) and (
                unit != NONE or layer.drop_path.has_residual
            ):
                found.append((n, unit))
    return chosen, found


def _shared(unit: FusionUnit, inputs: int) -> str:
    """A unit whose branches see all of the inputs, as the unit that all inputs share."""
    masks = unit.inputs.values()
    return "+".join(unit.branches) if masks and all(all(mask) for mask in masks) else str(unit)
