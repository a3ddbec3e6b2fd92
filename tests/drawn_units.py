"""Units and strategies for property tests, as hypothesis draws them."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import BRANCHES, FusionUnit

UNITS = ("S", "T", "ST", "S+T", "S+ST", "T+ST", "S+T+ST", "-")
SETTINGS = settings(max_examples=60)
shared_units = st.sampled_from(UNITS).map(FusionUnit)


@st.composite
def masked_units(draw: st.DrawFn) -> FusionUnit:
    inputs = draw(st.integers(1, 5))
    bits = st.lists(st.integers(0, 1), min_size=inputs, max_size=inputs)
    return FusionUnit.from_masks(draw(st.dictionaries(st.sampled_from(BRANCHES), bits)))


@st.composite
def strategies(draw: st.DrawFn) -> FusionStrategy:
    units = draw(st.lists(shared_units | masked_units(), min_size=1, max_size=8))
    return FusionStrategy(tuple(units), draw(st.none() | st.text(max_size=5)))
