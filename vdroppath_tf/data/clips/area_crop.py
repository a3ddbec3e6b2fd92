"""Crops of a random area and aspect, as GoogLeNet's training has them (Szegedy et al. 2015)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from vdroppath_tf.names import named

TRIES = 10
"""Crops drawn until one fits into the frame, as in the usual RandomResizedCrop."""


@named
@dataclasses.dataclass(frozen=True)
class AreaCrop:
    """The sizes that were drawn for one clip, and what is cut where none of them fits.

    Attributes:
        tries: of each, its share of the frame's area and its width over its height.
        ratio: least and largest width over height.
    """

    tries: tuple[tuple[float, float], ...]
    ratio: tuple[float, float]

    def size(self, height: int, width: int) -> tuple[int, int, bool]:
        """Height and width in pixels, and whether it was drawn: else it is the largest there is."""
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
    """Draws shares evenly, and aspects evenly in their logarithm."""
    draws = rng.random((TRIES, 2))
    shares = area[0] + draws[:, 0] * (area[1] - area[0])
    low, high = np.log(ratio)
    ratios = np.exp(low + draws[:, 1] * (high - low))
    tries = zip(shares.tolist(), ratios.tolist(), strict=True)
    return AreaCrop(tuple(tries), (ratio[0], ratio[1]))
