"""Pools as Keras layers: of clips, or first of frames and then of rows."""

from __future__ import annotations

from typing import Any

import keras

from vdroppath_tf.serving.folding.layouts import CLIP, FRAMES, ROWS, Laid
from vdroppath_tf.serving.folding.nodes import Pool
from vdroppath_tf.serving.folding.padding import with_zeros

_LAYERS = {
    ("max", 2): keras.layers.MaxPooling2D,
    ("max", 3): keras.layers.MaxPooling3D,
    ("mean", 2): keras.layers.AveragePooling2D,
    ("mean", 3): keras.layers.AveragePooling3D,
}


def pooled(node: Pool, x: Laid, *, flat: bool) -> Laid:
    """Applies a pool.

    A pool over clips equals a pool over frames followed by one over time, as for maxima of maxima
    and means of means.

    Args:
        node: The pool.
        x: Its input.
        flat: Whether to use 2D pools.
    """
    sizes: Any = node.sizes(x.sizes) if x.known else _open(node, x.sizes)
    if not flat:
        y = _applied(node, x.to(CLIP).tensor, (0, 1, 2), node.name)
        return Laid(y, CLIP, sizes)
    frames = x.sizes[0]
    if (node.size[1:], node.strides[1:]) != ((1, 1), (1, 1)):
        y = _applied(node, x.to(FRAMES).tensor, (1, 2), f"{node.name}_frames")
        x = Laid(y, FRAMES, (frames, *sizes[1:]))
    if (node.size[0], node.strides[0]) != (1, 1):
        y = _applied(node, x.to(ROWS).tensor, (0, None), f"{node.name}_rows")
        x = Laid(y, ROWS, sizes)
    return x


def _applied(node: Pool, x: Any, axes: tuple[int | None, ...], name: str) -> Any:
    """Applies a pool over some of its axes; an axis that is None is not pooled."""

    def of(values: tuple[int, int, int], default: int) -> tuple[int, ...]:
        return tuple(default if axis is None else values[axis] for axis in axes)

    x = with_zeros(x, of(node.pads, 0), f"{name}_pad")
    layer = _LAYERS[node.kind, len(axes)](
        of(node.size, 1), of(node.strides, 1), name=name, dtype="float32"
    )
    return layer(x)


def _open(node: Pool, sizes: tuple[Any, Any, Any]) -> tuple[Any, ...]:
    known = node.sizes(tuple(n or 1 for n in sizes))  # type: ignore[arg-type]
    return tuple(None if n is None else k for n, k in zip(sizes, known, strict=True))
