"""Convolutions as Keras layers, of clips, frames or rows; grouped ones as several layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from vdroppath_tf.serving.folding.cells import of_cells
from vdroppath_tf.serving.folding.layouts import CLIP, FRAMES, ROWS, Laid, shape_in
from vdroppath_tf.serving.folding.nodes import Convolve, Triple
from vdroppath_tf.serving.folding.padding import padding_of, with_zeros
from vdroppath_tf.serving.folding.rectified import activation_of, rectified, rectified_behind
from vdroppath_tf.serving.folding.winograd import WinogradConvolution, weights

Weigh = Callable[[Any, Any, Any], None]
_AXES = {CLIP: (0, 1, 2), FRAMES: (1, 2), ROWS: (0, None)}


def convolved(node: Convolve, x: Laid, *, flat: bool, weigh: Weigh) -> Laid:
    """Applies a convolution, with its ReLU.

    Args:
        node: The convolution.
        x: Its input.
        flat: Whether to use a 2D convolution if possible.
        weigh: Called with each layer, its kernel and its bias.
    """
    layout = _layout(node, x, flat=flat)
    if node.depthwise and layout == CLIP:
        return Laid(of_cells(node, x), CLIP, _strided(x.sizes, node.strides))
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
    y = _applied(node, tensor, kernel, {**options, "activation": activation_of(node)}, weigh)
    return Laid(rectified_behind(node, y), layout, sizes)


def filtered(node: Convolve, x: Laid, weigh: Weigh) -> Laid:
    """Applies a convolution over time by minimal filtering, with its ReLU."""
    layer = WinogradConvolution(node, x.sizes, dtype="float32")
    y = layer(x.to(ROWS).tensor)
    weigh(layer, weights(node), node.bias)
    return Laid(rectified(node, y), ROWS, x.sizes)


def multiplied(node: Convolve, x: Laid, weigh: Weigh) -> Laid:
    """Applies a convolution of single cells as a matrix product, with its ReLU."""
    layer = keras.layers.Dense(
        node.channels,
        activation=activation_of(node),
        use_bias=node.bias is not None,
        kernel_initializer="zeros",
        name=node.name,
        dtype="float32",
    )
    y = layer(keras.ops.reshape(x.tensor, (-1, x.channels)))
    weigh(layer, node.kernel[0, 0, 0], node.bias)
    y = keras.ops.reshape(y, shape_in(x.layout, x.sizes, node.channels))
    return x.now(rectified_behind(node, y))


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
