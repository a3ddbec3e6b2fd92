"""The ReLU of a convolution: in its layer, or as a layer of its own."""

from __future__ import annotations

import math
from typing import Any

import keras

from vdroppath_tf.serving.folding.nodes import Convolve

_ACTIVATIONS = {math.inf: "relu", 6.0: "relu6"}


def activation_of(node: Convolve) -> str | None:
    """Returns the activation of a convolution's layer; None for bounds that have no name."""
    return None if node.most is None else _ACTIVATIONS.get(node.most)


def rectified_behind(node: Convolve, y: Any) -> Any:
    """Applies the ReLU that ``activation_of`` could not name."""
    return y if activation_of(node) else rectified(node, y)


def rectified(node: Convolve, y: Any) -> Any:
    """Applies the ReLU of a convolution as a layer of its own.

    A layer ``..._relu`` may stand before the convolution already.
    """
    if node.most is None:
        return y
    most = None if node.most == math.inf else node.most
    return keras.layers.ReLU(most, name=f"{node.name}_rectified", dtype="float32")(y)
