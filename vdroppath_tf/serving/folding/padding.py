"""Zero padding of clips: ``"same"`` where it is equivalent, otherwise a separate layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


def padding_of(sizes: Sequence[int | None], kernel: Sequence[int], strides: Sequence[int]) -> str:
    """Returns ``"valid"``, ``"same"``, or ``"zeros"`` if neither pads half the kernel on each side.

    ``"same"`` pads as little as possible, and more at the end: with a stride, its windows may begin
    elsewhere.
    """
    if all(k == 1 for k in kernel):
        return "valid"
    each = zip(sizes, kernel, strides, strict=True)
    return "same" if all(_is_same(n, k, s) for n, k, s in each) else "zeros"


def _is_same(size: int | None, kernel: int, stride: int) -> bool:
    if stride == 1:
        return True
    if size is None:
        return False
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2 == kernel // 2


def with_zeros(x: Any, pads: Sequence[int], name: str) -> Any:
    """Pads the two or three axes between batch and channels with zeros on both sides."""
    if not any(pads):
        return x
    kind = keras.layers.ZeroPadding2D if len(pads) == 2 else keras.layers.ZeroPadding3D
    return kind([(n, n) for n in pads], name=name, dtype="float32")(x)
