"""Builds a plain Keras model from nodes, with Keras layers in forms that every runtime supports."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from vdroppath_tf.serving.folding.convolutions import convolved
from vdroppath_tf.serving.folding.layouts import CLIP, FRAMES, Laid
from vdroppath_tf.serving.folding.nodes import (
    Affine,
    Classify,
    Clip,
    Convolve,
    Join,
    Mean,
    Node,
    Pool,
    Rectify,
    Select,
    Total,
    Zero,
    in_order,
)
from vdroppath_tf.serving.folding.pools import pooled
from vdroppath_tf.serving.folding.read import CannotFoldError

FORMS = ("3d", "2d")
_FLOAT = {"dtype": "float32"}


def emitted(
    output: Node,
    name: str,
    clip_shape: Sequence[int | None],
    forms: str,
    *,
    winograd: bool = False,
) -> keras.Model:
    """Builds the Keras model of nodes.

    Args:
        output: The node of the output.
        name: The name of the model.
        clip_shape: The frames, height and width; None for an open size.
        forms: ``"3d"`` uses the 3D layers of Keras; ``"2d"`` uses convolutions and pools of frames,
            and of rows of ``height * width`` cells, wherever they are equivalent, which requires a
            ``clip_shape`` without open sizes.
        winograd: Whether to compute temporal convolutions by minimal filtering where it pays, in a
            layer that is not of Keras.

    Raises:
        CannotFoldError: If the input of a layer is 0 for every clip.
    """
    emitter = _Emitter(forms, winograd)
    made: dict[Node, Any] = {}
    clip: Any = None
    for node in in_order(output):
        if isinstance(node, Clip):
            clip = keras.Input((*clip_shape, node.channels), name=node.name, **_FLOAT)
            t, h, w = clip_shape
            made[node] = Laid(clip, CLIP, (t, h, w))
        elif not isinstance(node, Zero):
            seen = [made.get(one) for one in node.inputs]
            if all(one is None for one in seen):
                raise CannotFoldError(
                    f"{node.name!r}: its input is 0 for every clip. Expected layers whose input "
                    "depends on the clip, or fold=False."
                )
            made[node] = emitter.emit(node, seen)
    last = made[output]
    tensor = last.to(CLIP).tensor if isinstance(last, Laid) else last
    model = keras.Model(clip, tensor, name=name)
    emitter.fill()
    return model


class _Emitter:
    """Makes the layers of one model, and sets their weights at the end."""

    def __init__(self, forms: str, winograd: bool) -> None:
        self.flat = forms == "2d"
        self.winograd = winograd
        self._weights: list[tuple[Any, list[np.ndarray]]] = []

    def fill(self) -> None:
        """Sets the weights of every layer."""
        for layer, values in self._weights:
            layer.set_weights([value.astype("float32") for value in values])

    @functools.singledispatchmethod
    def emit(self, node: Node, seen: list[Any]) -> Any:
        """Applies a node to its inputs; None stands for zeros."""
        raise TypeError(f"{node.name!r}: {type(node).__name__} cannot stand by itself.")

    @emit.register
    def _affine(self, node: Affine, seen: list[Any]) -> Laid:
        scale, shift = node.scale.astype("float32"), node.shift.astype("float32")
        factor = 1.0 if np.all(scale == 1.0) else scale
        layer = keras.layers.Rescaling(factor, shift, name=node.name, **_FLOAT)
        return seen[0].now(layer(seen[0].tensor))

    @emit.register
    def _rectify(self, node: Rectify, seen: list[Any]) -> Laid:
        most = None if node.most == math.inf else node.most
        return seen[0].now(keras.layers.ReLU(most, name=node.name, **_FLOAT)(seen[0].tensor))

    @emit.register
    def _total(self, node: Total, seen: list[Any]) -> Laid:
        one, *others = self._alike(seen)
        layer = keras.layers.Add(name=node.name, **_FLOAT)
        return one.now(layer([one.tensor, *(other.tensor for other in others)]))

    @emit.register
    def _join(self, node: Join, seen: list[Any]) -> Laid:
        """Concatenates; zeros become padding of channels."""
        there = self._alike([one for one in seen if one is not None])
        parts = iter(there)
        widths = [one.channels for one in node.inputs]
        tensors, before = [], 0
        for one, width in zip(seen, widths, strict=True):
            if one is not None:
                tensors.append(_with_zeros(next(parts).tensor, before, 0))
                before = 0
            elif tensors:
                tensors[-1] = _with_zeros(tensors[-1], 0, width)
            else:
                before += width
        return there[0].now(_concatenated(tensors, node.name))

    @emit.register
    def _select(self, node: Select, seen: list[Any]) -> Laid:
        x = seen[0].tensor
        parts = [x[..., start:end] for start, end in node.ranges]
        return seen[0].now(_concatenated(parts, node.name))

    @emit.register
    def _mean(self, node: Mean, seen: list[Any]) -> Any:
        x = seen[0]
        if not x.known:
            return keras.layers.GlobalAveragePooling3D(name=node.name, **_FLOAT)(x.tensor)
        cells = keras.ops.reshape(x.tensor, (-1, math.prod(x.sizes), x.channels))
        return keras.layers.GlobalAveragePooling1D(name=node.name, **_FLOAT)(cells)

    @emit.register
    def _classify(self, node: Classify, seen: list[Any]) -> Any:
        layer = keras.layers.Dense(
            node.channels,
            activation=node.activation,
            use_bias=node.bias is not None,
            kernel_initializer="zeros",
            name=node.name,
            **_FLOAT,
        )
        y = layer(seen[0])
        self._weigh(layer, node.kernel, node.bias)
        return y

    @emit.register
    def _pool(self, node: Pool, seen: list[Any]) -> Laid:
        return pooled(node, seen[0], flat=self.flat)

    @emit.register
    def _convolve(self, node: Convolve, seen: list[Any]) -> Laid:
        return convolved(node, seen[0], flat=self.flat, weigh=self._weigh, winograd=self.winograd)

    def _weigh(self, layer: Any, kernel: Any, bias: Any) -> None:
        self._weights.append((layer, [kernel] if bias is None else [kernel, bias]))

    def _alike(self, values: Sequence[Laid]) -> list[Laid]:
        """Converts clips to a common layout: the one that they share, or one that all support."""
        layouts = {value.layout for value in values}
        if len(layouts) == 1:
            return list(values)
        common = FRAMES if self.flat else CLIP
        return [value.to(common) for value in values]


def _with_zeros(tensor: Any, before: int, after: int) -> Any:
    """Pads clips with channels of zeros on both sides."""
    if not before and not after:
        return tensor
    none = [(0, 0)] * (len(tensor.shape) - 1)
    return keras.ops.pad(tensor, [*none, (before, after)])


def _concatenated(tensors: list[Any], name: str) -> Any:
    if len(tensors) == 1:
        return tensors[0]
    return keras.layers.Concatenate(name=name, **_FLOAT)(tensors)
