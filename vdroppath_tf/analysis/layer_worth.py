"""layer_worth: measures the accuracy that swapping the unit of each layer costs.

Every strategy that differs from the chosen one in a single layer is scored on the same clips, with
batch norm recalibrated for each. The cost of a swap is the paired difference in accuracy. The worth
of a layer's choice is the mean cost of the swaps of its unit.
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

    All swaps are scored in one pass, in which strategies share common layers. Pass clips on which
    the strategy was not chosen: otherwise its selection bias makes every swap seem costly.

    Args:
        model: ``keras.Model``, a trained template.
        strategy: ``FusionStrategy`` or str, the strategy whose units are swapped.
        clips: an iterable of batches ``(clips, labels)``, each used once.
        train_clips: an iterable of training batches, for the recalibration of batch norm for each
            strategy. Defaults to None, which uses the template's statistics.
        options: ``EvaluationOptions``, the settings of the evaluation.

    Returns:
        ``LayerWorth``.

    Raises:
        ValueError: If the strategy does not fit the template, or as for ``evaluate_strategies``.
        VideoError: If a video cannot be read.

    Example:
    ```python
    worth = layer_worth(template, space.mode(), test_clips, train_clips=train_clips)
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
    """Returns the strategy with its architecture, and the units to swap in each layer.

    With gates per input, only units that all inputs share are swapped in.

    Args:
        model: ``keras.Model``, a template.
        strategy: ``FusionStrategy`` or str, a strategy that fits it.

    Example:
    ```python
    strategy, swaps = swaps_of(template, space.mode())
    others = [swapped(strategy, layer, unit) for layer, unit in swaps]
    ```
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
    """Returns a unit whose branches have all inputs in the form for shared inputs."""
    masks = unit.inputs.values()
    return "+".join(unit.branches) if masks and all(all(mask) for mask in masks) else str(unit)
