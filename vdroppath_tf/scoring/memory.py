"""Estimates the memory that one clip takes on its way through the segments of a template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.scoring.segments import Segment


def bytes_per_clip(segments: Sequence[Segment], clip: int, clip_shape: tuple[int, ...]) -> int:
    """Returns an upper bound of the bytes of one clip: one path through the tree, and one segment.

    Args:
        segments: the segments of the template.
        clip: the number of the input tensor.
        clip_shape: ``(time, height, width, channels)``.
    """
    sizes = _sizes(segments, clip, clip_shape)
    held = sum(sizes[t] for segment in segments for t in segment.gives)
    work = [[t for step in s.steps for t in step.gives] for s in segments]
    return held + max(sum(sizes[t] for t in tensors) for tensors in work)


def _sizes(segments: Sequence[Segment], clip: int, clip_shape: tuple[int, ...]) -> dict[int, int]:
    """Returns the bytes of every tensor of the network for one clip."""
    first = keras.KerasTensor((1, *clip_shape), segments[0].specs[clip].dtype)
    specs: dict[int, Any] = {clip: first}
    for step in (step for segment in segments for step in segment.steps):
        takes = [specs[t] for t in step.takes]
        several = len(takes) > 1 and not isinstance(step.layer, Convolution)
        found = step.layer.compute_output_spec(takes if several else takes[0])
        specs |= dict(zip(step.gives, keras.tree.flatten(found), strict=True))
    return {tensor: _bytes(spec) for tensor, spec in specs.items()}


def _bytes(spec: Any) -> int:
    item = np.dtype("float32" if spec.dtype == "bfloat16" else spec.dtype).itemsize
    return int(np.prod(spec.shape, dtype=np.int64)) * item
