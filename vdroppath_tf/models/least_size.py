"""The smallest clip that a network takes, and the refusal of smaller ones."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.spaces.layer_gates import layers_inside

Sizes = tuple[int, int, int]


def least_clip(model: keras.Model) -> Sizes:
    """Frames, height and width of the smallest clip of which the layers leave something.

    Of nothing, the mean at the end would be no number. Convolutions and max-pools here are padded
    and leave one cell of one; the average-pools between dense blocks are not. Layers that stand
    side by side (a shortcut) are of the former kind, so that it does no harm to count both.
    """
    least = [1, 1, 1]
    for _, layer in reversed(list(layers_inside(model))):
        if isinstance(layer, keras.layers.AveragePooling3D):
            pools, strides = layer.pool_size, layer.strides
            padded = [pool % 2 == 1 for pool in pools]
        elif isinstance(layer, (Convolution, keras.layers.MaxPooling3D)):
            pools = strides = layer.strides
            padded = [True] * 3
        else:
            continue
        for axis in range(3):
            needed = 1 if padded[axis] else pools[axis]
            least[axis] = (least[axis] - 1) * strides[axis] + needed
    return (least[0], least[1], least[2])


def check_sizes(sizes: Sequence[int | None], least: Sizes) -> None:
    """ValueError if frames, height or width are known and below the least."""
    if any(n is not None and n < low for n, low in zip(sizes, least, strict=True)):
        shown = " x ".join("any" if n is None else str(n) for n in sizes)
        frames, height, width = least
        raise ValueError(
            f"Clips must have at least {frames} frames and {height} x {width} pixels, or the "
            f"pools of the network leave nothing of them. Received: frames x height x width {shown}"
        )
