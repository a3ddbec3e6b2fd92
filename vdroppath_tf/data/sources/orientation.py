"""How a stored frame is turned to be shown, by EXIF's numbers from 1 to 8.

| number | the stored frame is shown |
| --- | --- |
| 1 | as it is |
| 2 | mirrored left to right |
| 3 | turned by 180 degrees |
| 4 | mirrored top to bottom |
| 5 | mirrored along the diagonal from the top left |
| 6 | turned by 90 degrees, clockwise |
| 7 | mirrored along the diagonal from the top right |
| 8 | turned by 270 degrees, clockwise |
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

UPRIGHT = 1
ORIENTATIONS = range(1, 9)

# Signs of a display matrix that keeps the axes (x by x and y by y), and of one that swaps them
# (y by x and x by y).
_KEPT = {(1, 1): 1, (-1, 1): 2, (-1, -1): 3, (1, -1): 4}
_SWAPPED = {(1, 1): 5, (1, -1): 6, (-1, -1): 7, (-1, 1): 8}
_DEGREE = math.sin(math.radians(1))  # FFmpeg's tolerance around a right angle


def is_swapped(orientation: int) -> bool:
    """Returns whether rows of the stored frame are columns of the frame that is shown."""
    return orientation >= 5


def shown_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Returns `(height, width)` of the frame as shown, or of the stored frame given that size."""
    return (width, height) if is_swapped(orientation) else (height, width)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turns a stored frame as it is shown.

    Args:
        pixels: The stored frame, `(height, width, channels)`.
        orientation: A number of `ORIENTATIONS`.

    Returns:
        A view, `(*shown_size(height, width, orientation), channels)`.
    """
    if orientation == UPRIGHT:
        return pixels
    if is_swapped(orientation):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


def orientation_of_matrix(matrix: Sequence[int]) -> int | None:
    """Returns the orientation for a display matrix, by the rule of FFmpeg's autorotation.

    Args:
        matrix: The nine numbers of a display matrix in the order of the file, see the `matrix` of
            ISO/IEC 14496-12: a stored point (x, y) is shown at (ax + cy, bx + dy).

    Returns:
        A number of `ORIENTATIONS`; None if the matrix rotates by anything but right angles. A
        degenerate matrix, which would show nothing, is ignored, as FFmpeg ignores it.
    """
    a, b, c, d = (float(matrix[place]) for place in (0, 1, 3, 4))
    first, second = math.hypot(a, c), math.hypot(b, d)  # the lengths that FFmpeg divides by
    if not first or not second:
        return UPRIGHT
    straight = max(abs(a) / first, abs(d) / second)
    crossed = max(abs(b) / second, abs(c) / first)
    if crossed < _DEGREE:
        return _KEPT[_sign(a), _sign(d)]
    if straight < _DEGREE:
        return _SWAPPED[_sign(b), _sign(c)]
    return None


def _sign(number: float) -> int:
    return -1 if number < 0 else 1
