"""The gates of a whole template: read them, switch them to a strategy, freeze them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from vdroppath_tf.layers.drop_path import VariationalDropPath, probability
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.names import named, nearest
from vdroppath_tf.spaces.layer_gates import (
    architecture_name,
    gated_layers,
    layers_with_gates,
    names_of,
    no_template,
)
from vdroppath_tf.spaces.masks import flat_mask
from vdroppath_tf.spaces.prior import acting_strength, prior_words
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import BRANCHES, FusionUnit

RUNS = ("mode", "all", "random")
"""What ``set_strategy`` takes in addition to strategies."""


@named
def fusion_layers(model: keras.Model) -> list[FusionConv]:
    """Returns the gated fusion layers of a template, in the order of its strategies.

    Also of any Keras model that holds a template, or several, one after another.

    Raises:
        ValueError: when the model has none.

    Example:
    ```python
    print([layer.name for layer in fusion_layers(template)])
    ```
    """
    layers = [found.layer for found in gated_layers(model)]
    if not layers:
        raise no_template(model)
    return layers


@named
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
            or drops a layer that is on no residual branch.

    Example:
    ```python
    set_strategy(template, space.mode())
    logits = template.predict(clips)  # of that strategy
    set_strategy(template, "random")  # a fresh draw for every batch
    ```
    """
    layers = fusion_layers(model)
    _check_word(strategy, len(layers))
    named = strategy if strategy in ("mode", "random") else None
    masks = strategy_masks(model, strategy) if named is None else []
    for gate in gates_of(model):  # the classifier's too: all its features on, unless random
        gate.set_mask(named or "mode")
    for layer, mask in zip(layers, masks, strict=bool(masks)):
        layer.drop_path.set_mask(mask)


def _check_word(strategy: object, layers: int) -> None:
    """Stops at one word that is neither a unit nor one of ``RUNS``."""
    word = strategy.strip() if isinstance(strategy, str) else ""
    if not word or word in RUNS or len(word.split()) > 1:
        return
    try:
        FusionUnit(word)
    except ValueError:
        raise ValueError(
            f"Unknown strategy. {nearest(word, RUNS)}Expected one of {', '.join(RUNS)}, or a unit "
            f"for each of the {layers} fusion layers, such as {' '.join(['S'] * layers)!r}. "
            f"Received: {strategy!r}"
        ) from None


@named
def gates_of(model: keras.Model) -> list[VariationalDropPath]:
    """Returns every gate of a model: those of its fusion layers, and its classifier's if any.

    Example:
    ```python
    for gate in gates_of(template):
        print(gate.name, gate.hard_mask())
    ```
    """
    return [layer.drop_path for _, layer in layers_with_gates(model)]


@named
def strength_of(model: keras.Model, num_train_examples: float | None = None) -> float | None:
    """Returns the strength of the prior that acts on a model's gates, the largest of them.

    Args:
        model: a Keras model.
        num_train_examples: N, where the gates do not know theirs. Defaults to None.

    Returns:
        What multiplies ``(1-p) ||w||^2`` (Eq. 5); None where it is not known, as N is not, or where
        there are no gates.

    Example:
    ```python
    strength_of(template)  # 0.001
    ```
    """
    found = (acting_strength(**strength) for strength in _strengths(model, num_train_examples))
    return max((strength for strength in found if strength is not None), default=None)


def _strengths(model: keras.Model, num_train_examples: float | None) -> list[dict[str, Any]]:
    """The strengths of all gates as arguments of ``spaces.prior``; N where they do not know it."""
    strengths = [gate.strength for gate in gates_of(model)]
    for strength in strengths:
        if strength["num_examples"] is None:
            strength["num_examples"] = num_train_examples
    return strengths


@named
def branches_of(layers: Sequence[FusionConv]) -> tuple[str, ...]:
    """Returns the branches that any of the layers has, in the order S, T, ST.

    Example:
    ```python
    branches_of(fusion_layers(template))  # ("S", "ST")
    ```
    """
    return tuple(b for b in BRANCHES if any(b in layer.branches for layer in layers))


def strategy_masks(model: keras.Model, strategy: FusionStrategy | str) -> list[np.ndarray]:
    """A strategy as hard masks, checked against the template.

    Returns:
        For each layer ``(paths,)`` of 0 and 1, as its gates stand: over its branches or, where
        each input has gates of its own, over the branches of each input, input by input.
    """
    layers = fusion_layers(model)
    if strategy == "all":
        return [np.ones(layer.drop_path.paths, "float32") for layer in layers]
    if strategy in ("mode", "random"):
        raise ValueError(
            f"{strategy!r} is no strategy of units: only set_strategy takes it. Pass "
            "ProbabilitySpace.from_model(model).mode(), or one of its sample(n)."
        )
    strategy = FusionStrategy.of(strategy)
    strategy.check(len(layers), architecture_name(model), branches_of(layers))
    pairs = zip(layers, strategy, strict=True)
    return [_layer_mask(layer, unit) for layer, unit in pairs]


def _layer_mask(layer: FusionConv, unit: FusionUnit) -> np.ndarray:
    absent = [branch for branch in unit.branches if branch not in layer.branches]
    if absent:
        raise ValueError(
            f"{layer.name} has no branch {absent[0]!r}. Expected a unit of {layer.branches}. "
            f"Received: {str(unit)!r}"
        )
    mask = flat_mask(unit, layer.inputs, layer.branches, layer.name, shared=layer.widths is None)
    if not mask.any() and not layer.drop_path.has_residual:
        raise ValueError(f"{layer.name} cannot be dropped: it is on no residual branch.")
    return mask.astype("float32")


@named
def freeze_gates(model: keras.Model, frozen: bool = True) -> None:
    """Makes gates run their hard masks in training too, without a KL. Compile again after it.

    Example:
    ```python
    set_strategy(template, space.mode())
    freeze_gates(template)  # training now fits the weights to this strategy
    ```
    """
    fusion_layers(model)  # a model without gates is an error
    for gate in gates_of(model):
        gate.trainable = not frozen


@contextmanager
def restored_gates(model: keras.Model) -> Iterator[None]:
    """Gives masks and frozen state back on leaving, whatever happened inside."""
    gates = gates_of(model)
    before = [(gate.mask.numpy().copy(), gate.trainable) for gate in gates]
    try:
        yield
    finally:
        for gate, (mask, trainable) in zip(gates, before, strict=True):
            gate.mask.assign(mask)
            gate.trainable = trainable


@contextmanager
def frozen_gates(model: keras.Model) -> Iterator[None]:
    """Gates run their hard masks, in training too; on leaving, masks and state are as before."""
    with restored_gates(model):
        for gate in gates_of(model):
            gate.trainable = False
        yield


def describe_gates(model: keras.Model) -> list[str]:
    """A line for each gated layer: its paths and their drop probabilities; none without gates."""
    found = layers_with_gates(model)
    lines = [_gate_line(each.layer, n) for each, n in zip(found, names_of(found), strict=True)]
    if not lines:
        return []
    count = sum(gate.logits().shape[0] for gate in gates_of(model))
    return [f" Gates: {count}, by drop probability", f" Prior: {describe_prior(model)}", *lines]


@named
def describe_prior(model: keras.Model, num_train_examples: float | None = None) -> str:
    """Describes the strength of the prior (Eq. 5) of a template's gates in words.

    Args:
        model: a template.
        num_train_examples: N, where the gates do not know theirs. Defaults to None.

    Raises:
        ValueError: when the model has no gates.

    Example:
    ```python
    print(describe_prior(template, num_train_examples=1000))
    ```
    """
    fusion_layers(model)
    words = (prior_words(**strength) for strength in _strengths(model, num_train_examples))
    return "; ".join(dict.fromkeys(words))


def _gate_line(layer: Any, name: str) -> str:
    gate = layer.drop_path
    drop = probability(gate.logit)
    if isinstance(layer, FusionConv):
        names = layer.branches
        table = drop.reshape(layer.inputs, -1).T
        shown = [f"{b} {_spread(row)}" for b, row in zip(names, table, strict=True)]
    else:
        shown = [f"features {_spread(drop)}"]
    if gate.layer_logit is not None:
        shown.append(f"whole layer {_spread(probability(gate.layer_logit))}")
    return f"   {name}: {', '.join(shown)}"


def _spread(values: np.ndarray) -> str:
    """One probability, or the range over the inputs that have their own."""
    low, high = f"{np.min(values):.3f}", f"{np.max(values):.3f}"
    return low if low == high else f"{low}-{high} ({np.size(values)} inputs)"


@named
def named_drops(model: keras.Model) -> dict[str, float]:
    """Returns the drop probability of every gate, by name.

    ``B1.L3/S``; ``B1.L3/S/input2`` where each input, counted from 1, has a gate of its own;
    ``B1.L3/D1`` for the whole layer; ``classifier``.

    Example:
    ```python
    for name, drop in named_drops(template).items():
        print(name, drop)
    ```
    """
    found: dict[str, float] = {}
    gated = layers_with_gates(model)
    for (_, layer), name in zip(gated, names_of(gated), strict=True):
        gate = layer.drop_path
        names = _path_names(layer, name) if isinstance(layer, FusionConv) else [name]
        found |= dict(zip(names, probability(gate.logit).tolist(), strict=True))
        if gate.layer_logit is not None:
            found[f"{name}/D1"] = float(probability(gate.layer_logit))
    return found


def _path_names(layer: FusionConv, name: str) -> list[str]:
    """A name for each of the layer's ``(paths,)``, as its gates stand."""
    inputs = [""] if layer.widths is None else [f"/input{n + 1}" for n in range(layer.inputs)]
    return [f"{name}/{branch}{own}" for own in inputs for branch in layer.branches]
