"""Convolutions as Keras layers, of clips, frames or rows; grouped ones as several layers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from vdroppath_tf.serving.folding.layouts import CLIP, FRAMES, ROWS, Laid
from vdroppath_tf.serving.folding.nodes import Convolve, Triple
from vdroppath_tf.serving.folding.padding import padding_of, with_zeros
from vdroppath_tf.serving.folding.winograd import WinogradConvolution, pays, weights

Weigh = Callable[[Any, Any, Any], None]
_AXES = {CLIP: (0, 1, 2), FRAMES: (1, 2), ROWS: (0, None)}


def convolved(node: Convolve, x: Laid, *, flat: bool, weigh: Weigh, winograd: bool = False) -> Laid:
    """Applies a convolution, with its ReLU.

    Args:
        node: The convolution.
        x: Its input.
        flat: Whether to use a 2D convolution if possible.
        weigh: Called with each layer, its kernel and its bias.
        winograd: Whether to compute temporal convolutions by minimal filtering where it pays.
    """
    if winograd and pays(node, x.sizes):
        fast = WinogradConvolution(node, x.sizes, dtype="float32")
        y = fast(x.to(ROWS).tensor)
        weigh(fast, weights(node), node.bias)
        return Laid(_rectified(node, y), ROWS, x.sizes)
    layout = _layout(node, x, flat=flat)
    if node.depthwise and layout == CLIP:
        return Laid(_of_cells(node, x), CLIP, _strided(x.sizes, node.strides))
    x = _strided_apart(node, x, layout)
    sizes = _strided(x.sizes, _strides(node, layout))
    axes = _AXES[layout]
    kernel = tuple(1 if axis is None else node.size[axis] for axis in axes)
    strides = tuple(1 if axis is None else node.strides[axis] for axis in axes)
    there = tuple(1 if axis is None else x.sizes[axis] for axis in axes)
    tensor, padding = x.to(layout).tensor, padding_of(there, kernel, strides)
    if padding == "zeros":
        tensor = with_zeros(tensor, [k // 2 for k in kernel], f"{node.name}_pad")
        padding = "valid"
    options = {"strides": strides, "padding": padding, "use_bias": node.bias is not None}
    y = _applied(node, tensor, kernel, {**options, **_activation(node)}, weigh)
    if node.most not in _ACTIVATIONS:
        y = _rectified(node, y)
    return Laid(y, layout, sizes)


_ACTIVATIONS = {math.inf: "relu", 6.0: "relu6"}


def _activation(node: Convolve) -> dict[str, Any]:
    return {"activation": None if node.most is None else _ACTIVATIONS.get(node.most)}


def _layout(node: Convolve, x: Laid, *, flat: bool) -> str:
    """Returns the layout of a convolution; depthwise ones have no 3D form."""
    if not x.known or not (flat or node.depthwise):
        return CLIP
    if node.size[0] == 1:
        return FRAMES
    return ROWS if node.size[1:] == (1, 1) else CLIP


def _strided(sizes: Any, strides: Triple) -> tuple[Any, Any, Any]:
    t, h, w = (None if n is None else -(-n // s) for n, s in zip(sizes, strides, strict=True))
    return t, h, w


def _per_group(node: Convolve) -> int:
    return node.channels // node.groups


def _strides(node: Convolve, layout: str) -> tuple[int, int, int]:
    """Returns the strides that are left after a 2D form has left out frames or cells."""
    t, h, w = node.strides
    return {CLIP: (t, h, w), FRAMES: (1, h, w), ROWS: (t, 1, 1)}[layout]


def _strided_apart(node: Convolve, x: Laid, layout: str) -> Laid:
    """Leaves out the frames or cells that a 2D form cannot stride over."""
    left = _strides(node, layout)
    t, h, w = (s // one for s, one in zip(node.strides, left, strict=True))
    if (t, h, w) == (1, 1, 1):
        return x
    y = x.to(CLIP).tensor[:, ::t, ::h, ::w]
    return Laid(y, CLIP, _strided(x.sizes, (t, h, w)))


def _applied(
    node: Convolve, x: Any, kernel: tuple[int, ...], options: dict[str, Any], weigh: Weigh
) -> Any:
    """Applies the layer, or the layers of all groups."""
    options = {**options, "dtype": "float32"}
    dense = {**options, "kernel_initializer": "zeros"}
    make = keras.layers.Conv2D if len(kernel) == 2 else keras.layers.Conv3D
    if node.groups == 1:
        layer = make(node.channels, kernel, name=node.name, **dense)
        y = layer(x)
        weigh(layer, node.kernel.reshape(*kernel, *node.kernel.shape[3:]), node.bias)
        return y
    each = _per_group(node)
    if node.depthwise:
        return _depthwise(node, x, options, weigh)
    parts = keras.ops.split(x, node.groups, axis=-1)
    outputs = []
    for k, part in enumerate(parts):
        layer = make(each, kernel, name=f"{node.name}_group{k}", **dense)
        outputs.append(layer(part))
        own = node.kernel[..., k * each : (k + 1) * each]
        bias = None if node.bias is None else node.bias[k * each : (k + 1) * each]
        weigh(layer, own.reshape(*kernel, *own.shape[3:]), bias)
    return keras.layers.Concatenate(name=node.name, dtype="float32")(outputs)


def _depthwise(node: Convolve, x: Any, options: dict[str, Any], weigh: Weigh) -> Any:
    """Applies a depthwise convolution to frames, as one layer."""
    size = node.size[1:]
    layer = keras.layers.DepthwiseConv2D(
        size, depthwise_initializer="zeros", name=node.name, **options
    )
    y = layer(x)
    weigh(layer, node.kernel.reshape(*size, node.channels, 1), node.bias)
    return y


def _of_cells(node: Convolve, x: Laid) -> Any:
    """Applies a depthwise convolution to clips of open sizes: a weighted sum of shifted clips.

    Keras has no depthwise convolution of clips, and clips of open sizes cannot be reshaped to
    frames.
    """
    t, h, w = node.strides
    rows, columns = node.size[1:]
    clip = with_zeros(x.tensor, [0, rows // 2, columns // 2], f"{node.name}_pad")
    parts: list[Any] = []
    for i, j in itertools.product(range(rows), range(columns)):
        down, right = slice(i, i + 1 - rows or None, h), slice(j, j + 1 - columns or None, w)
        shift = node.bias if node.bias is not None and not parts else np.zeros(1)
        scale = keras.layers.Rescaling(
            node.kernel[0, i, j, 0].astype("float32"),
            shift.astype("float32"),
            name=f"{node.name}_{i}_{j}",
            dtype="float32",
        )
        parts.append(scale(clip[:, ::t, down, right]))
    return _rectified(node, keras.layers.Add(name=node.name, dtype="float32")(parts))


def _rectified(node: Convolve, y: Any) -> Any:
    """Applies the ReLU of a convolution as a layer of its own.

    A layer ``..._relu`` may stand before the convolution already.
    """
    if node.most is None:
        return y
    most = None if node.most == math.inf else node.most
    return keras.layers.ReLU(most, name=f"{node.name}_rectified", dtype="float32")(y)
