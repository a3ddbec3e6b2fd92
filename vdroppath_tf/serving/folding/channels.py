"""Concatenations and selections of channels."""

from __future__ import annotations

from typing import Any

import keras

from vdroppath_tf.serving.folding.layouts import Laid, alike
from vdroppath_tf.serving.folding.nodes import Join, Select


def joined(node: Join, seen: list[Any], *, flat: bool) -> Laid:
    """Concatenates clips; None stands for zeros, which become padding of channels.

    Args:
        node: The concatenation.
        seen: Its inputs.
        flat: Whether frames are preferred to clips.
    """
    there = alike([one for one in seen if one is not None], flat=flat)
    parts = iter(there)
    widths = [one.channels for one in node.inputs]
    tensors: list[Any] = []
    before = 0
    for one, width in zip(seen, widths, strict=True):
        if one is not None:
            tensors.append(_with_zeros(next(parts).tensor, before, 0))
            before = 0
        elif tensors:
            tensors[-1] = _with_zeros(tensors[-1], 0, width)
        else:
            before += width
    return there[0].now(_concatenated(tensors, node.name))


def selected(node: Select, x: Laid) -> Laid:
    """Selects channels."""
    parts = [x.tensor[..., start:end] for start, end in node.ranges]
    return x.now(_concatenated(parts, node.name))


def _with_zeros(tensor: Any, before: int, after: int) -> Any:
    """Pads clips with channels of zeros on both sides."""
    if not before and not after:
        return tensor
    none = [(0, 0)] * (len(tensor.shape) - 1)
    return keras.ops.pad(tensor, [*none, (before, after)])


def _concatenated(tensors: list[Any], name: str) -> Any:
    if len(tensors) == 1:
        return tensors[0]
    return keras.layers.Concatenate(name=name, dtype="float32")(tensors)
