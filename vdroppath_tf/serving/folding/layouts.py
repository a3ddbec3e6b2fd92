"""Layouts of clips: the order of axes that an operation needs, reached by reshaping."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from vdroppath_tf.serving.folding.nodes import Triple

CLIP, FRAMES, ROWS = "clip", "frames", "rows"
"""``(batch, time, height, width, channels)``, ``(batch * time, height, width, channels)`` and
``(batch, time, height * width, channels)``."""


@dataclasses.dataclass(frozen=True)
class Laid:
    """Clips in one of three layouts.

    Attributes:
        tensor: The clips.
        layout: ``CLIP``, ``FRAMES`` or ``ROWS``.
        sizes: The frames, height and width; None for an open size, which only ``CLIP`` supports.
    """

    tensor: Any
    layout: str
    sizes: tuple[Any, Any, Any]

    @property
    def known(self) -> bool:
        """Whether all sizes are known, so that the layout can be changed."""
        return None not in self.sizes

    def to(self, layout: str) -> Laid:
        """Returns the same clips in another layout."""
        if layout == self.layout:
            return self
        tensor = keras.ops.reshape(self.tensor, shape_in(layout, self.sizes, self.channels))
        return Laid(tensor, layout, self.sizes)

    @property
    def channels(self) -> int:
        """The number of channels."""
        return self.tensor.shape[-1]

    def now(self, tensor: Any, sizes: Any = None) -> Laid:
        """Returns the result of an operation on these clips, in the same layout."""
        return Laid(tensor, self.layout, self.sizes if sizes is None else sizes)


def shape_in(layout: str, sizes: Triple, channels: int) -> tuple[int, ...]:
    """Returns the shape of clips in a layout, with -1 for the axis of the batch."""
    t, h, w = sizes
    shapes = {CLIP: (t, h, w), FRAMES: (h, w), ROWS: (t, h * w)}
    return (-1, *shapes[layout], channels)


def alike(values: Sequence[Laid], *, flat: bool) -> list[Laid]:
    """Converts clips to a common layout: the one that they share, or one that all support.

    Args:
        values: The clips.
        flat: Whether frames are preferred to clips.
    """
    if len({value.layout for value in values}) == 1:
        return list(values)
    return [value.to(FRAMES if flat else CLIP) for value in values]
