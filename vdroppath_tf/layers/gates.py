"""The gates of a whole template: read them, switch them to a strategy, freeze them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from ..strategy import FusionStrategy
from .fusion import FusionConv


def fusion_layers(model: keras.Model) -> list[FusionConv]:
    """The gated fusion layers of a template, in the order of its strategies.

    Raises:
        ValueError: when the model has none.
    """
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, FusionConv) and layer.drop_path is not None
    ]
    if not layers:
        raise ValueError(
            f"{model.name!r} has no gated fusion layers: it is no template. "
            "Expected a model of vdroppath_tf.zoo.template_*."
        )
    return layers


def _architecture_name(model: keras.Model) -> str | None:
    architecture = getattr(model, "architecture", None)
    return architecture["name"] if architecture else None


def set_strategy(model: keras.Model, strategy: FusionStrategy | str) -> None:
    """Makes a template run one strategy at inference; nothing is rebuilt or retraced.

    Training stays stochastic unless the gates are frozen (``freeze_gates``).

    Args:
        model: a template.
        strategy: a strategy (or its text), or ``"mode"`` (the most probable gates, what a new
            template runs), ``"all"`` (every path on), ``"random"`` (a fresh draw for every batch,
            Eq. 6).

    Raises:
        ValueError: when the strategy has another length, architecture or branch than the template,
            or drops a layer that no shortcut goes round.
    """
    layers = fusion_layers(model)
    if strategy in ("mode", "random"):
        for layer in layers:
            layer.drop_path.set_mask(strategy)
        return
    for layer, mask in zip(layers, strategy_masks(model, strategy), strict=True):
        layer.drop_path.set_mask(mask)


def strategy_masks(model: keras.Model, strategy: FusionStrategy | str) -> np.ndarray:
    """``(layers, branches)`` of 0 and 1: a strategy as hard masks, checked against the template."""
    layers = fusion_layers(model)
    branches = layers[0].branches
    if strategy == "all":
        return np.ones((len(layers), len(branches)), "float32")
    if isinstance(strategy, str):
        strategy = FusionStrategy.parse(strategy)
    strategy.check(len(layers), _architecture_name(model), branches)
    masks = np.array(strategy.masks(branches), "float32")
    for layer, mask in zip(layers, masks, strict=True):
        if not mask.any() and not layer.drop_path.droppable:
            raise ValueError(f"{layer.name} cannot be dropped: no shortcut goes round it.")
    return masks


def freeze_gates(model: keras.Model, frozen: bool = True) -> None:
    """Frozen gates run their hard masks in training too and add no KL. Compile again after it."""
    for layer in fusion_layers(model):
        layer.drop_path.trainable = not frozen


@contextmanager
def restored_gates(model: keras.Model) -> Iterator[None]:
    """Gives masks and frozen state back on leaving, whatever happened inside."""
    gates = [layer.drop_path for layer in fusion_layers(model)]
    before = [(gate.mask.numpy().copy(), gate.trainable) for gate in gates]
    try:
        yield
    finally:
        for gate, (mask, trainable) in zip(gates, before, strict=True):
            gate.mask.assign(mask)
            gate.trainable = trainable


def read_gates(model: keras.Model) -> dict[str, Any]:
    """The gates as the arguments of ``ProbabilitySpace``."""
    layers = fusion_layers(model)
    gates = [layer.drop_path for layer in layers]
    has_layer_drop = [gate.layer_logit is not None for gate in gates]
    return {
        "drop": np.stack([_sigmoid(gate.logit) for gate in gates]),
        "initial": np.stack([np.full(gate.paths, gate.initial_drop) for gate in gates]),
        "layers": tuple(layer.name for layer in layers),
        "architecture": _architecture_name(model),
        "branches": layers[0].branches,
        "droppable": np.array([gate.droppable for gate in gates]),
        "layer_drop": np.array(
            [
                _sigmoid(gate.layer_logit) if has else 0.0
                for gate, has in zip(gates, has_layer_drop, strict=True)
            ]
        ),
        "initial_layer_drop": np.where(has_layer_drop, [gate.initial_drop for gate in gates], 0.0),
    }


def _sigmoid(logit: Any) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -logit.numpy().astype("float64")))  # never overflows
