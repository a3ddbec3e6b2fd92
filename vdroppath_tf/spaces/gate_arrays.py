"""Reading and checking the arrays of a probability space, with errors that name the layer."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from vdroppath_tf.spaces.strategy import BRANCHES

# One array with layers first, or (ragged) a tuple of one array per layer. `Any`, because a union
# would ask every reader of the ordinary case to rule the other one out.
LayerArrays: TypeAlias = Any


def gate_arrays(name: str, value: Any) -> LayerArrays:
    """Read-only float64 copies: one array, or a tuple of arrays where the layers are matrices."""
    try:
        if len(value) and np.ndim(value[0]) == 2:
            return tuple(_frozen(np.array(layer, dtype=np.float64)) for layer in value)
        return _frozen(np.array(value, dtype=np.float64))
    except (TypeError, ValueError):
        raise ValueError(
            f"Expected {name} as numbers of shape (layers, branches), or one (inputs, branches) "
            f"array per layer. Received: {value!r}"
        ) from None


def starting_values(value: Any, drop: LayerArrays) -> LayerArrays:
    """Arrays like `drop` from arrays, or from one number for all."""
    if isinstance(value, (list, tuple)) or np.ndim(value):
        return gate_arrays("initial", value)
    if isinstance(drop, tuple):
        return tuple(gate_arrays("initial", np.full(layer.shape, value)) for layer in drop)
    return gate_arrays("initial", np.full(drop.shape, value))


def per_layer(name: str, value: Any, layers: int, *, default: bool | float) -> np.ndarray:
    """A read-only copy as one bool or float per layer."""
    try:
        values = np.full(layers, default) if value is None else np.array(value, type(default))
    except (TypeError, ValueError):
        raise ValueError(f"Expected {name} as one value per layer. Received: {value!r}") from None
    return _frozen(values)


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def check_names(space: Any) -> None:
    """Stop where branches, layer names or the number of per-layer values are wrong."""
    order = [BRANCHES.index(b) for b in space.branches if b in BRANCHES]
    if not order or len(order) < len(space.branches) or order != sorted(set(order)):
        raise ValueError(
            f"Expected branches out of {BRANCHES}, in that order. Received: {space.branches}"
        )
    names = space.layers
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ValueError(f"Expected layer names that differ from each other. Received: {names}")
    if not names or len(names) != len(space.drop):
        raise ValueError(
            f"Expected drop probabilities of at least one layer, and as many layer names. "
            f"Received: {len(space.drop)} layers, {len(names)} names"
        )
    for field in ("droppable", "layer_drop", "initial_layer_drop"):
        if getattr(space, field).shape != (len(names),):
            raise ValueError(
                f"Expected {field} of shape ({len(names)},), one value per layer. "
                f"Received: shape {getattr(space, field).shape}"
            )


def check_probabilities(space: Any, field: str) -> None:
    """Stop where a field has the wrong shape or a value that is no probability."""
    values = getattr(space, field)
    if field in ("drop", "initial"):
        _check_shapes(space, field)
    for name, layer in zip(space.layers, values, strict=True):
        if not np.all((layer >= 0) & (layer <= 1)):
            raise ValueError(
                f"Expected probabilities from 0 to 1 as {field} of layer {name!r}. "
                f"Received: {np.asarray(layer).tolist()}"
            )


def _check_shapes(space: Any, field: str) -> None:
    values, width = getattr(space, field), len(space.branches)
    shapes = [layer.shape for layer in values]
    wanted = [layer.shape for layer in space.drop] if field == "initial" else shapes
    if space.ragged:
        fits = all(len(shape) == 2 and shape[0] > 0 and shape[1] == width for shape in shapes)
    else:
        fits = all(shape == (width,) for shape in shapes)
    if not fits or shapes != wanted or isinstance(values, tuple) != space.ragged:
        raise ValueError(
            f"Expected {field} of {width} probabilities per layer (ragged: per input), one for "
            f"each of the branches {space.branches}, in {len(wanted)} layers. "
            f"Received: layers of shapes {shapes}"
        )
