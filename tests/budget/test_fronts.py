"""The front of points by cost and gain."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vdroppath_tf.budget.fronts import front_of

points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(points)
def test_the_front_is_what_nothing_beats(points):
    """By definition: no other point costs as little or less and scores more, nor equal for less."""
    best = front_of(*np.array(points, float).reshape(-1, 2).T).tolist()
    kept = [points[n] for n in best]
    beaten = {
        (c, s) for c, s in points for d, t in points if (d <= c and t > s) or (d < c and t >= s)
    }
    assert sorted(kept) == sorted(set(points) - beaten)
    assert kept == sorted(kept)
    assert all(points.index(points[n]) == n for n in best)  # of equals the first
