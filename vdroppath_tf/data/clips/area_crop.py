"""Crops of random area and aspect ratio, as in the training of GoogLeNet (Szegedy et al. 2015)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from vdroppath_tf.names import named

TRIES = 10
"""The number of crops drawn until one fits into the frame, as in RandomResizedCrop."""


@named
@dataclasses.dataclass(frozen=True)
class AreaCrop:
    """The crop sizes that were drawn for one clip, with a fallback if none of them fits.

    Attributes:
        tries: For each draw, its share of the frame's area and its aspect ratio (width / height).
        ratio: The smallest and the largest aspect ratio.

    Example:
        ```python
        height, width, drawn = AreaCrop(((0.5, 1.0),), (3 / 4, 4 / 3)).size(256, 340)
        ```
    """

    tries: tuple[tuple[float, float], ...]
    ratio: tuple[float, float]

    def size(self, height: int, width: int) -> tuple[int, int, bool]:
        """Returns height and width in pixels, and whether they were drawn or are the fallback."""
        for share, ratio in self.tries:
            area = share * height * width
            wide, tall = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < wide <= width and 0 < tall <= height:
                return tall, wide, True
        tall = min(height, max(1, round(width / self.ratio[0])))
        return tall, min(width, max(1, round(height * self.ratio[1]))), False


def draw_area_crop(
    area: tuple[float, ...], ratio: tuple[float, ...], rng: np.random.Generator
) -> AreaCrop:
    """Draws shares uniformly, and aspect ratios uniformly in their logarithm."""
    draws = rng.random((TRIES, 2))
    shares = area[0] + draws[:, 0] * (area[1] - area[0])
    low, high = np.log(ratio)
    ratios = np.exp(low + draws[:, 1] * (high - low))
    tries = zip(shares.tolist(), ratios.tolist(), strict=True)
    return AreaCrop(tuple(tries), (ratio[0], ratio[1]))
