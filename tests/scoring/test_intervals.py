"""Intervals of a share."""

from __future__ import annotations

import numpy as np
import pytest

from vdroppath_tf.scoring.intervals import Interval, bootstrap, wilson


def test_wilson_intervals_are_those_of_the_textbook():
    """Solve |share - p| = z sqrt(p (1 - p) / n) for p, numerically."""
    p = np.linspace(0, 1, 2_000_001)
    for share, clips in ((0.0, 10), (0.5, 20), (0.97, 256), (1.0, 3)):
        near = p[np.abs(share - p) <= 1.959964 * np.sqrt(p * (1 - p) / clips) + 1e-12]
        assert wilson(share, clips) == pytest.approx((near[0], near[-1]), abs=2e-6)
    assert wilson(0.9, None, 0.1) == pytest.approx((0.704, 1.0), abs=1e-3)


def test_no_interval_is_without_a_width():
    """Eight of eight clips right: by the formula, 1 / (1 + z^2 / 8) to 1, at any level."""
    square = 1.959964**2
    assert wilson(1.0, 8) == pytest.approx((8 / (8 + square), 1.0), abs=1e-6)
    assert wilson(0.0, 8) == pytest.approx((0.0, square / (8 + square)), abs=1e-6)
    assert wilson(1.0, 8, level=0.68)[0] > wilson(1.0, 8)[0] > wilson(1.0, 8, level=0.999)[0]
    right = np.ones((3, 8), bool)
    right[2] = False
    (first, itself), (second, same), (_, apart) = bootstrap(right)
    assert first == second == Interval(1.0, *wilson(1.0, 8))
    assert itself == Interval(0.0, 0.0, 0.0)
    assert same == Interval(0.0, -wilson(0.0, 8)[1], wilson(0.0, 8)[1])
    assert apart == Interval(-1.0, -1.0, -wilson(1.0, 8)[0])
