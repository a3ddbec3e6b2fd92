"""Builds a plain Keras model from nodes, with Keras layers in forms that every runtime supports."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from vdroppath_tf.serving.folding.channels import joined, selected
from vdroppath_tf.serving.folding.convolutions import convolved, filtered, multiplied
from vdroppath_tf.serving.folding.fast import Filtered, Product, SumAtOnce
from vdroppath_tf.serving.folding.layouts import CLIP, Laid, alike
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
from vdroppath_tf.serving.folding.sums import AddAtOnce

FORMS = ("3d", "2d")
_FLOAT = {"dtype": "float32"}


def emitted(output: Node, name: str, clip_shape: Sequence[int | None], forms: str) -> keras.Model:
    """Builds the Keras model of nodes.

    Args:
        output: The node of the output.
        name: The name of the model.
        clip_shape: The frames, height and width; None for an open size.
        forms: ``"3d"`` uses the 3D layers of Keras; ``"2d"`` uses convolutions and pools of frames,
            and of rows of ``height * width`` cells, wherever they are equivalent, which requires a
            ``clip_shape`` without open sizes.

    Raises:
        CannotFoldError: If the input of a layer is 0 for every clip.
    """
    emitter = _Emitter(forms)
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

    def __init__(self, forms: str) -> None:
        self.flat = forms == "2d"
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
        return self._added(keras.layers.Add(name=node.name, **_FLOAT), seen)

    @emit.register
    def _sum_at_once(self, node: SumAtOnce, seen: list[Any]) -> Laid:
        return self._added(AddAtOnce(name=node.name, **_FLOAT), seen)

    def _added(self, layer: Any, seen: list[Any]) -> Laid:
        one, *others = alike(seen, flat=self.flat)
        return one.now(layer([one.tensor, *(other.tensor for other in others)]))

    @emit.register
    def _join(self, node: Join, seen: list[Any]) -> Laid:
        return joined(node, seen, flat=self.flat)

    @emit.register
    def _select(self, node: Select, seen: list[Any]) -> Laid:
        return selected(node, seen[0])

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
        return convolved(node, seen[0], flat=self.flat, weigh=self._weigh)

    @emit.register
    def _filtered(self, node: Filtered, seen: list[Any]) -> Laid:
        return filtered(node, seen[0], self._weigh)

    @emit.register
    def _multiplied(self, node: Product, seen: list[Any]) -> Laid:
        return multiplied(node, seen[0], self._weigh)

    def _weigh(self, layer: Any, kernel: Any, bias: Any) -> None:
        self._weights.append((layer, [kernel] if bias is None else [kernel, bias]))
