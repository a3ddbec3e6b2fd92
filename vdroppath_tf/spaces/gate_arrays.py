"""The arrays of a probability space: one `(inputs, branches)` array a layer, read and checked.

Where all inputs of a layer share its gates, `inputs` is 1. Errors name the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from vdroppath_tf.spaces.unit import BRANCHES

Gates: TypeAlias = tuple[np.ndarray, ...]


def gate_arrays(name: str, value: Any) -> Gates:
    """Read-only float64 copies of `(inputs, branches)`, one a layer.

    Args:
        name: What the arrays are, for errors.
        value: A sequence over layers, or an array with layers first. The row `(branches,)` of a
            layer is that of all its inputs.

    Raises:
        ValueError: If they are not numbers.
    """
    try:
        layers = [_numbers(layer) for layer in value]
    except (TypeError, ValueError):
        raise ValueError(
            f"Expected {name} as numbers of shape (layers, branches), or one (inputs, branches) "
            f"array per layer. Received: {value!r}"
        ) from None
    return tuple(_frozen(layer if layer.ndim > 1 else layer[None]) for layer in layers)


def starting_values(value: Any, drop: Gates) -> Gates:
    """Arrays like `drop` from arrays, or from one number for all."""
    one = not isinstance(value, (list, tuple)) and np.ndim(value) == 0
    return gate_arrays("initial", [np.full(layer.shape, value) for layer in drop] if one else value)


def per_layer(name: str, value: Any, layers: int, *, default: bool | float) -> np.ndarray:
    """A read-only copy as one bool or float per layer."""
    try:
        read = _truths if isinstance(default, bool) else _numbers
        values = np.full(layers, default) if value is None else read(value)
    except (TypeError, ValueError):
        raise ValueError(f"Expected {name} as one value per layer. Received: {value!r}") from None
    if values.shape != (layers,):
        raise ValueError(
            f"Expected {name} of shape ({layers},), one value per layer. "
            f"Received: shape {values.shape}"
        )
    return _frozen(values)


def _numbers(value: Any) -> np.ndarray:
    """A float64 copy; neither text nor truth values become numbers."""
    elements = np.array(value, dtype=object).ravel()
    if any(isinstance(element, (str, bytes, bool, np.bool_)) for element in elements):
        raise TypeError
    return np.array(value, dtype=np.float64)


def _truths(value: Any) -> np.ndarray:
    """A copy of truth values, and of nothing else: the text "false" is not one."""
    if not all(isinstance(element, (bool, np.bool_)) for element in value):
        raise TypeError
    return np.array(value, dtype=bool)


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def check_names(layers: Sequence[str], branches: Sequence[str], count: int) -> None:
    """Stop where branches or layer names are wrong, or there are not `count` of the latter."""
    order = [BRANCHES.index(b) for b in branches if b in BRANCHES]
    if not order or len(order) < len(branches) or order != sorted(set(order)):
        raise ValueError(
            f"Expected branches out of {BRANCHES}, in that order. Received: {branches}"
        )
    if not all(isinstance(name, str) for name in layers) or len(set(layers)) < len(layers):
        raise ValueError(f"Expected layer names that differ from each other. Received: {layers}")
    if not layers or len(layers) != count:
        raise ValueError(
            f"Expected drop probabilities of at least one layer, and as many layer names. "
            f"Received: {count} layers, {len(layers)} names"
        )


def check_shapes(field: str, values: Gates, branches: Sequence[str], like: Gates) -> None:
    """Stop where layers are not `(inputs, branches)`, or not of the shapes of `like`."""
    shapes, wanted = [layer.shape for layer in values], [layer.shape for layer in like]
    fits = all(len(s) == 2 and s[0] > 0 and s[1] == len(branches) for s in shapes)
    if not fits or shapes != wanted:
        raise ValueError(
            f"Expected {field} of {len(branches)} probabilities per layer (or per input of it), "
            f"one for each of the branches {branches}, in {len(wanted)} layers. "
            f"Received: layers of shapes {shapes}"
        )


def check_probabilities(field: str, values: Sequence[Any], layers: Sequence[str]) -> None:
    """Stop where a value is no probability."""
    for name, value in zip(layers, values, strict=True):
        if not np.all((value >= 0) & (value <= 1)):
            raise ValueError(
                f"Expected probabilities from 0 to 1 as {field} of layer {name!r}. "
                f"Received: {np.asarray(value).tolist()}"
            )
