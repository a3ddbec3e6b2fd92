"""Temporal convolutions by Winograd's minimal filtering: half of the multiplications.

Four outputs of a filter of three taps take 6 products instead of 12, F(4, 3) of Lavin and Gray,
*Fast Algorithms for Convolutional Neural Networks* (CVPR 2016), over time instead of space. The
products are matrix products over the channels; the sums around them only go over time.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from vdroppath_tf.serving.folding.nodes import Convolve, Triple

_TILE, _POINTS = 4, 6  # the outputs and the products of a tile
_INPUT = np.array(  # B^T of the paper
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float64,
)
_KERNEL = (
    np.array(  # G
        [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64
    )
    / 24.0
)
_OUTPUT = np.array(  # A^T
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float64
)
_LEAST_WIDTH = 56
"""``channels * filters / (channels + filters)`` from which fewer products outweigh more sums."""
_LEAST_ROWS = 32
"""The rows of the matrix products from which it was measured: a row per tile and cell."""
_LARGEST_SHARE = 0.7
"""The largest share of a direct convolution's products for which minimal filtering is used."""


def pays(node: Convolve, sizes: tuple[Any, Any, Any]) -> bool:
    """Returns whether a convolution is expected to be faster by minimal filtering.

    This holds for kernels of 3x1x1 without strides, if the sizes are known, the tiles of four
    frames leave few frames over, and there are enough cells and channels. The limits were measured
    on one processor, with AVX-512; with narrower registers, products take a larger share of the
    time.
    """
    if node.size != (3, 1, 1) or node.strides != (1, 1, 1) or node.groups != 1 or None in sizes:
        return False
    frames, channels, filters = sizes[0], node.kernel.shape[3], node.channels
    if channels * filters < _LEAST_WIDTH * (channels + filters):
        return False
    if _tiles(frames) * sizes[1] * sizes[2] < _LEAST_ROWS:
        return False
    return _tiles(frames) * _POINTS <= _LARGEST_SHARE * (3 * frames - 2)


def macs_of(node: Convolve, sizes: Triple) -> int:
    """Returns the multiply-adds for a clip: of the products and of the sums around them."""
    frames, height, width = sizes
    rows, channels = _POINTS * _tiles(frames) * height * width, node.kernel.shape[3]
    return rows * (channels * node.channels + frames * (channels + node.channels))


def numbers_of(node: Convolve) -> int:
    """Returns the number of parameters."""
    bias = 0 if node.bias is None else node.bias.size
    return _POINTS * node.kernel.shape[3] * node.channels + bias


def _tiles(frames: int) -> int:
    return -(-frames // _TILE)


def transforms(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sums over time of the input and of the products, for zero padding by one frame.

    Returns:
        Arrays ``(6 * tiles, frames)`` and ``(frames, 6 * tiles)``, with the tiles varying fastest.
    """
    tiles = _tiles(frames)
    before = np.zeros((_POINTS, tiles, frames + 2 + _TILE))
    after = np.zeros((tiles * _TILE, _POINTS, tiles))
    for tile in range(tiles):
        start = tile * _TILE
        before[:, tile, start : start + _POINTS] = _INPUT
        after[start : start + _TILE, :, tile] = _OUTPUT
    inside = before[..., 1 : frames + 1]
    return inside.reshape(-1, frames), after[:frames].reshape(frames, -1)


class WinogradConvolution(keras.layers.Layer):
    """A convolution of 3x1x1 over ``(batch, time, cells, channels)`` by minimal filtering.

    The ReLU of the node is not part of it.

    Args:
        node: The convolution.
        sizes: The frames, height and width.
    """

    def __init__(self, node: Convolve, sizes: tuple[int, int, int], **options: Any) -> None:
        super().__init__(name=node.name, **options)
        self.frames, self.cells = sizes[0], sizes[1] * sizes[2]
        self.channels, self.filters = node.kernel.shape[3:]
        self.biased = node.bias is not None
        self.before, self.after = (each.astype("float32") for each in transforms(sizes[0]))

    def build(self, input_shape: Any) -> None:
        shape = (_POINTS, self.channels, self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="zeros")
        self.bias = None
        if self.biased:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        x = keras.ops.reshape(inputs, (-1, self.frames, self.cells * self.channels))
        x = keras.ops.matmul(self.before, x)
        x = keras.ops.reshape(x, (-1, _POINTS, _tiles(self.frames) * self.cells, self.channels))
        y = keras.ops.matmul(x, self.kernel)
        y = keras.ops.reshape(y, (-1, len(self.before), self.cells * self.filters))
        y = keras.ops.matmul(self.after, y)
        y = keras.ops.reshape(y, (-1, self.frames, self.cells, self.filters))
        return y if self.bias is None else keras.ops.add(y, self.bias)


def weights(node: Convolve) -> np.ndarray:
    """Returns the kernel for the products, ``(6, channels, filters)``."""
    return np.einsum("pt,tcf->pcf", _KERNEL, node.kernel[:, 0, 0])
