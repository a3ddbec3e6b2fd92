"""Clips in the order of axes that an operation wants: a reshape away from each other."""

from __future__ import annotations

import dataclasses
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
        sizes: Frames, height and width; None for an open size, which only ``CLIP`` can have.
    """

    tensor: Any
    layout: str
    sizes: tuple[Any, Any, Any]

    @property
    def known(self) -> bool:
        """Whether all sizes are known, so that it can be laid in another way."""
        return None not in self.sizes

    def to(self, layout: str) -> Laid:
        """The same clips in another layout."""
        if layout == self.layout:
            return self
        tensor = keras.ops.reshape(self.tensor, shape_in(layout, self.sizes, self.channels))
        return Laid(tensor, layout, self.sizes)

    @property
    def channels(self) -> int:
        """Of the clips."""
        return self.tensor.shape[-1]

    def now(self, tensor: Any, sizes: Any = None) -> Laid:
        """What an operation made of these clips, in the same layout."""
        return Laid(tensor, self.layout, self.sizes if sizes is None else sizes)


def shape_in(layout: str, sizes: Triple, channels: int) -> tuple[int, ...]:
    """The shape of clips in a layout, -1 for what holds the batch."""
    t, h, w = sizes
    shapes = {CLIP: (t, h, w), FRAMES: (h, w), ROWS: (t, h * w)}
    return (-1, *shapes[layout], channels)
