"""From the paper's triplets to a strategy, and its Fig. 2 written as triplets."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_units import SETTINGS, shared_units, strategies
from hypothesis import given
from hypothesis import strategies as st

from vdroppath_tf.spaces.strategy import FusionStrategy

# The structures of the paper's Fig. 2, in four layers each; the figure's own vectors and depths
# are not reproduced, only what it shows of each design.
TOP_HEAVY = {(1, (), "S"), (2, (1,), "S"), (3, (1, 1), "ST"), (4, (1, 1, 1), "ST")}
SMART = {(n, (1,) * (n - 1), "S+ST") for n in range(1, 5)}
GLOBAL_DIFFUSION = {
    (1, (), "ST"),
    (2, (1,), "S"),
    (3, (1, 0), "S"),
    (3, (0, 1), "ST"),
    (4, (1, 1, 0), "S+ST"),
    (4, (0, 0, 1), "ST"),
}


@pytest.mark.parametrize(
    ("triplets", "text"),
    [
        (TOP_HEAVY, "S S ST ST"),  # S3D: space below, time above
        (SMART, "S+ST S+ST S+ST S+ST"),  # SMART and MiCT: both everywhere
        (GLOBAL_DIFFUSION, "ST S S@10+ST@01 S@110+ST@111"),  # earlier layers, each its own way
    ],
)
def test_designs_of_figure_2(triplets, text):
    strategy = FusionStrategy.from_triplets(triplets)
    assert str(strategy) == text
    assert strategy.triplets() == triplets


@SETTINGS
@given(st.lists(shared_units, min_size=1, max_size=8), st.none() | st.text(max_size=5))
def test_shared_units_come_back(units, architecture):
    strategy = FusionStrategy(tuple(units), architecture)
    read = FusionStrategy.from_triplets(
        strategy.triplets(), length=len(strategy), architecture=architecture
    )
    assert read == strategy


@SETTINGS
@given(strategies())
def test_units_with_masks_come_back_as_the_same_network(strategy):
    read = FusionStrategy.from_triplets(strategy.triplets(), length=len(strategy))
    assert read.triplets() == strategy.triplets()
    for layer, (mine, its) in enumerate(zip(read, strategy, strict=True), start=1):
        all_share = its.inputs and len(set(its.inputs.values())) == 1
        ones = all_share and set(next(iter(its.inputs.values()))) == {1}
        said_otherwise = ones and len(next(iter(its.inputs.values()))) == layer - 1
        assert mine == ("+".join(its.branches) if said_otherwise else its)


def test_length_adds_empty_layers_above():
    found = FusionStrategy.from_triplets([(2, [1], "ST+S")], length=4, architecture="x")
    assert found == FusionStrategy.parse("- S+ST - -", "x")
    assert str(FusionStrategy.from_triplets([], length=2)) == "- -"


def test_numbers_may_be_numpys():
    number, vector = np.int64(3), np.array([1, 0])
    assert str(FusionStrategy.from_triplets([(number, vector, "ST")])) == "- - ST@10"


def test_equal_units_of_a_layer_join():
    split = [(3, (1, 0), "S"), (3, (0, 1), "S")]
    assert str(FusionStrategy.from_triplets(split)) == "- - S"
    assert str(FusionStrategy.from_triplets([(2, (1, 1, 0), "S")])) == "- S@110"


@pytest.mark.parametrize(
    ("triplets", "length", "message"),
    [
        ([(0, (), "S")], None, "layer numbers from 1"),
        ([(True, (), "S")], None, "layer numbers from 1"),
        ([(3, (1, 1), "S")], 2, "names layer 3, and there are 2"),
        ([], None, "Pass length="),
        ([], 0, "at least one unit"),
        ([(2, (1,), "X")], None, "Layer 2: Not a fusion unit"),
        ([(2, (1,), "-")], None, "Layer 2: expected a unit"),
        ([(2, (1,), "S@1")], None, "Layer 2: expected a unit"),
        ([(2, (2,), "S")], None, "Layer 2: expected a vector v of 0s and 1s"),
        ([(2, (0,), "S")], None, "Layer 2: v marks no input"),
        ([(2, (), "S")], None, "Layer 2: v marks no input"),
        ([(1, (0,), "S")], None, "Layer 1: v marks no input"),
        ([(3, (1, 0), "S"), (3, (1, 0, 0), "ST")], None, r"different lengths.*\[2, 3\]"),
        ([(3, (1, 0), "S"), (3, (1, 1), "ST")], None, "input 1 is given two units"),
        ([(1, (), "S"), (1, (), "ST")], None, "the clip is given two units"),
    ],
)
def test_bad_triplets_name_the_layer(triplets, length, message):
    with pytest.raises(ValueError, match=message):
        FusionStrategy.from_triplets(triplets, length=length)
