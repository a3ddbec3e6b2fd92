"""Depthwise convolutions of clips of open sizes, of which Keras has none."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np

from vdroppath_tf.serving.folding.layouts import Laid
from vdroppath_tf.serving.folding.nodes import Convolve
from vdroppath_tf.serving.folding.padding import with_zeros
from vdroppath_tf.serving.folding.rectified import rectified


def of_cells(node: Convolve, x: Laid) -> Any:
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
    return rectified(node, keras.layers.Add(name=node.name, dtype="float32")(parts))
