"""Reads a Keras network into nodes, from the configs and the weights of its layers.

Only the active paths of a fusion layer are read. Gates become constants: 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import keras
import numpy as np

from vdroppath_tf.serving.folding.nodes import (
    Account,
    Affine,
    Classify,
    Clip,
    Convolve,
    Join,
    Mean,
    Node,
    Pad,
    Pool,
    Rectify,
    Select,
    Total,
    Triple,
    Zero,
    float64,
)

Value = Any
"""A node, or the constant value of a gate."""
_RANDOM = -2.0  # in a gate's mask: every batch draws a new strategy
_MOST = {"relu": math.inf, "relu6": 6.0}


class CannotFoldError(ValueError):
    """A network has a layer, or a mode, without a plain form."""


def read_network(network: keras.Model, account: Account) -> Node:
    """Reads the nodes of a network; returns the node of its output.

    Args:
        network: A functional model of this package's layers.
        account: Counts gates and inactive paths.

    Raises:
        CannotFoldError: If it has another layer, or draws a new strategy for each batch.
    """
    if len(getattr(network, "inputs", ())) != 1 or len(network.outputs) != 1:
        raise CannotFoldError(
            f"{network.name!r} has several inputs or outputs, or is not functional. Expected a "
            "network from clips to logits, as vdroppath_tf.zoo builds."
        )
    clip = network.inputs[0]
    values: dict[int, Value] = {id(clip): Clip(clip.name, [], clip.shape[-1])}
    for layer in network.layers:
        kinds = [each.__name__ for each in type(layer).__mro__]
        if "InputLayer" in kinds:
            continue
        kind = next((one for one in kinds if one in _READERS), None)  # its class or a base class
        if kind is None:
            raise CannotFoldError(
                f"{network.name!r}: its layer {layer.name!r} is a {kinds[0]}, which cannot be "
                "folded. Expected the layers of vdroppath_tf's networks: "
                f"{', '.join(_READERS)}. Export it with fold=False."
            )
        seen = [values[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        found = _READERS[kind](layer, seen, account)
        given = keras.tree.flatten(layer.output)
        if isinstance(found, dict):  # Keras flattens trees in the order of their keys
            names = sorted(layer.compute_output_spec(keras.tree.flatten(layer.input)[0]))
            found = [found[name] for name in names]
        else:
            found = [found]
        values |= {id(tensor): one for tensor, one in zip(given, found, strict=True)}
    return values[id(network.outputs[0])]


def _normalization(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    deviation = np.maximum(np.sqrt(float64(layer.variance)), keras.config.epsilon())
    scale = 1.0 / deviation.ravel()
    return Affine(layer.name, [seen[0]], scale, -float64(layer.mean).ravel() * scale)


def _convolution(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    return Convolve(layer.name, [seen[0]], float64(layer.kernel), strides=tuple(layer.strides))


def _norm(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    return _affine(layer, layer.name, seen[0])


def _affine(norm: Any, name: str, x: Node, kept: np.ndarray | None = None) -> Affine:
    """Returns a batch norm at inference, for all channels or for those that are kept."""
    scale = 1.0 / np.sqrt(float64(norm.moving_variance) + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * float64(norm.gamma)
    shift = -float64(norm.moving_mean) * scale
    if norm.beta is not None:
        shift = shift + float64(norm.beta)
    if kept is not None:
        scale, shift = scale[kept], shift[kept]
    return Affine(name, [x], scale, shift)


def _relu(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    config = layer.get_config()
    if config["negative_slope"] or config["threshold"]:
        raise CannotFoldError(f"{layer.name!r}: a ReLU with a slope or a threshold. {_PLAIN}")
    most = config["max_value"]
    return Rectify(layer.name, [seen[0]], math.inf if most is None else float(most))


_PLAIN = "Expected a plain one, or fold=False."


def _pad(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    pads = layer.padding
    if any(before != after for before, after in pads):
        raise CannotFoldError(f"{layer.name!r}: pads one side more than the other. {_PLAIN}")
    return Pad(layer.name, [seen[0]], tuple(before for before, _ in pads))


def _pool(kind: str) -> Callable[[Any, Sequence[Value], Account], Node]:
    def read(layer: Any, seen: Sequence[Value], account: Account) -> Node:
        if layer.padding != "valid":
            raise CannotFoldError(f"{layer.name!r}: a pool with padding. {_PLAIN}")
        x: Any = seen[0]
        pads: Triple = (0, 0, 0)
        if isinstance(x, Pad):
            x, pads = x.inputs[0], x.pads
        return Pool(layer.name, [x], kind, tuple(layer.pool_size), tuple(layer.strides), pads)

    return read


def _add(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    return Total(layer.name, list(seen))


def _concatenate(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    return Join(layer.name, list(seen))


def _product(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    """Returns a branch, or zeros if the factor of its gate is 0."""
    branch, factor = seen
    account.add("gates that are numbers")
    return branch if factor else Zero(layer.name, [], branch.channels)


def _zeros(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    return Zero(layer.name, [], layer.filters)


def _mean(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    return Mean(layer.name, [seen[0]])


def _classifier(layer: Any, seen: Sequence[Value], account: Account) -> Node:
    _check_mask(layer)
    bias = None if layer.bias is None else float64(layer.bias)
    activation = keras.activations.serialize(layer.activation)
    return Classify(layer.name, [seen[0]], float64(layer.kernel), bias, str(activation))


def _same(layer: Any, seen: Sequence[Value], account: Account) -> Value:
    return seen[0]


def _check_mask(layer: Any) -> None:
    gate = getattr(layer, "drop_path", None)
    if gate is not None and np.any(np.asarray(gate.mask) == _RANDOM):
        raise CannotFoldError(
            f"{layer.name!r} draws new paths for each batch, so there is no single network to "
            'fold. Set a strategy first, such as set_strategy(network, "mode").'
        )


def _fusion(layer: Any, seen: Sequence[Value], account: Account) -> dict[str, Value]:
    """Returns the active paths of a fusion layer; see ``FusionConv``."""
    _check_mask(layer)
    x, on = seen[0], _inputs_on(layer)
    sums, outputs, feeds = [], {}, {}
    for place, branch in enumerate(layer.wanted):
        feeds[branch] = any(on[branch])
        if not feeds[branch]:
            account.add("paths that are off")
            continue
        y = _path(layer, place, x, on[branch])
        if branch == "T":
            outputs["temporal"] = y
        else:
            sums.append(y)
    shapes = {"output": layer.filters, "temporal": (layer.temporal or (0,))[0]}
    found: dict[str, Value] = {
        name: Zero(layer.name, [], width) for name, width in shapes.items()
    } | outputs
    if sums:
        found["output"] = sums[0] if len(sums) == 1 else Total(layer.name, sums)
    fed = any(on for branch, on in feeds.items() if branch != "T")
    found |= {"residual_gate": float(any(feeds.values())), "spatial_gate": float(fed)}
    return found | {"weight_prior": 0.0}


def _inputs_on(layer: Any) -> dict[str, list[bool]]:
    """Returns, for each branch, which of the layer's inputs it uses."""
    if layer.drop_path is None:
        masks = layer.unit.inputs
        return {b: [bool(n) for n in masks.get(b) or [1] * layer.inputs] for b in layer.wanted}
    mask = np.asarray(layer.drop_path.hard_mask()) > 0.5  # input by input
    return {b: mask[k :: len(layer.wanted)].tolist() for k, b in enumerate(layer.wanted)}


def _path(layer: Any, place: int, x: Node, on: Sequence[bool]) -> Node:
    """Returns one path of a fusion layer, on its active inputs."""
    path = layer.paths[place]
    norm = layer.norms[place] if layer.norms else None
    name = f"{layer.name}_{path.name}"
    kernel, kept = float64(path.kernel), None
    if not all(on):
        ends = list(accumulate(layer.widths))
        ranges = [(e - w, e) for e, w, one in zip(ends, layer.widths, on, strict=True) if one]
        kept = np.concatenate([np.arange(start, end) for start, end in ranges])
        x = Select(f"{name}_inputs", [x], tuple(ranges))
        if kernel.shape[3] != len(kept):  # the path of a template has all inputs
            kernel = kernel[:, :, :, kept]
    if layer.before is not None:
        whole = norm is not None and norm.moving_mean.shape[0] != x.channels
        x = _affine(norm, f"{name}_bn", x, kept if whole else None)
        x = Rectify(f"{name}_relu", [x], _most(layer, layer.before))
    strides: Triple = tuple(path.strides)
    y: Node = Convolve(name, [x], kernel, strides=strides)
    if layer.after is not None:
        y = Rectify(f"{name}_relu", [_affine(norm, f"{name}_bn", y)], _most(layer, layer.after))
    return y


def _most(layer: Any, activation: str) -> float:
    if activation not in _MOST:
        raise CannotFoldError(
            f"{layer.name!r}: the activation {activation!r} cannot be folded. Expected one "
            f"of {list(_MOST)}, or fold=False."
        )
    return _MOST[activation]


_READERS: dict[str, Callable[[Any, Sequence[Value], Account], Value]] = {
    "Normalization": _normalization,
    "Convolution": _convolution,
    "FusionConv": _fusion,
    "BatchNormalization": _norm,
    "ReLU": _relu,
    "GateProduct": _product,
    "Add": _add,
    "Concatenate": _concatenate,
    "Zeros": _zeros,
    "ZeroPadding3D": _pad,
    "MaxPooling3D": _pool("max"),
    "AveragePooling3D": _pool("mean"),
    "GlobalAveragePooling3D": _mean,
    "Dropout": _same,
    "Dense": _classifier,
    "GatedDense": _classifier,
}
