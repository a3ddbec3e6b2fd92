"""Intervals of a share."""

from __future__ import annotations

import numpy as np
import pytest

from vdroppath_tf.scoring.intervals import wilson


def test_wilson_intervals_are_those_of_the_textbook():
    """Solve |share - p| = z sqrt(p (1 - p) / n) for p, numerically."""
    p = np.linspace(0, 1, 2_000_001)
    for share, clips in ((0.0, 10), (0.5, 20), (0.97, 256), (1.0, 3)):
        near = p[np.abs(share - p) <= 1.959964 * np.sqrt(p * (1 - p) / clips) + 1e-12]
        assert wilson(share, clips) == pytest.approx((near[0], near[-1]), abs=2e-6)
    assert wilson(0.9, None, 0.1) == pytest.approx((0.704, 1.0), abs=1e-3)
