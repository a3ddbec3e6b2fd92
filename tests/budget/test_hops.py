"""What an answer over a stream costs: the counted network, and the best of all under a budget."""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.budget import HopCosts, hop_costs, most_probable
from vdroppath_tf.cost import UnitCosts, unit_costs
from vdroppath_tf.scoring import StreamingClassifier
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.notices import SpaceWarning
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

SIZE = (16, 16)
SHAPE = (12, *SIZE)
NEAR = 1e-7  # nats
KINDS: dict[str, tuple[str, ...]] = {
    "nano": ("S - ST", "ST S+ST -", "S S S"),
    "units": ("S T S+T+ST", "T ST S", "- ST S+T"),
    "grouped": ("S+ST T", "ST S"),
    "mobile": ("S ST", "ST S", "S+ST T+ST"),
    "dense": ("S ST S S", "ST ST S+ST ST", "S S S ST"),
    "inputs": ("S ST@01+S@11 S S",),
}


def built(kind: str, strategy: str | None) -> Any:
    options: dict[str, Any] = {"temporal_strides": (1, 1)} if kind == "mobile" else {}
    if kind == "nano":
        return tiny.template() if strategy is None else tiny.derived(strategy)
    if strategy is None:
        return tiny.kind_template(kind, **options)
    return tiny.kind_derived(kind, strategy, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_the_stream_itself_counts(kind: str) -> None:
    template = built(kind, None)
    for hop in (1, 3, 12):
        costs = hop_costs(template, SHAPE, hop=hop)
        for text in KINDS[kind]:
            stream = StreamingClassifier(built(kind, text), SIZE, window=SHAPE[0], hop=hop)
            assert costs.of(text) == stream.cost
            assert stream.cost.hop <= stream.cost.window


@st.composite
def streams(draw: st.DrawFn) -> tuple[ProbabilitySpace, HopCosts]:
    """A small space with costs of any size, in whole numbers a frame."""
    branches = draw(st.sampled_from([("S", "ST"), ("S", "T", "ST"), ("ST",)]))
    layers = draw(st.integers(1, 4 if len(branches) < 3 else 3))
    window = draw(st.integers(1, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    most = draw(st.sampled_from([4, 10**9]))

    def macs(*shape: int) -> np.ndarray:
        return window * random.integers(1, most, shape)

    drop = random.choice([0.0, 0.1, 0.5, 0.8, 0.97], (layers, len(branches)))
    space = ProbabilitySpace(
        drop,
        branches=branches,
        has_residual=draw(st.lists(st.booleans(), min_size=layers, max_size=layers)),
        layer_drop=random.choice([0.0, 0.25], layers),
    )
    paths = tuple(macs(2, 1, len(branches)) for _ in range(layers))
    spatial = macs(2, layers) * ("T" in branches)
    units = UnitCosts(macs(2), macs(2, layers), spatial, paths, branches)
    hop, edge = draw(st.integers(1, window)), draw(st.integers(0, 3))
    base = int(random.integers(0, most))
    return space, HopCosts(units, window, hop, edge, base, macs(layers))


@settings(max_examples=60)
@given(streams(), st.data())
def test_the_best_under_a_budget_is_that_of_all_strategies(
    drawn: tuple[ProbabilitySpace, HopCosts], data: st.DataObject
) -> None:
    """At the cost of a strategy, and one below it."""
    space, costs = drawn
    every = map(FusionStrategy, itertools.product(unit_table(space.branches)[0], repeat=len(space)))
    rows = [(one, space.log_prob(one), costs.of(one).hop) for one in every]
    rows = [row for row in rows if row[1] > -np.inf]
    known = sorted({row[2] for row in rows})
    budget = data.draw(st.sampled_from(known)) - data.draw(st.integers(0, 1))
    meets = [row for row in rows if row[2] <= budget]
    if budget <= 0:
        return
    if not meets:
        with pytest.raises(ValueError, match=rf"hop of {costs.hop} frames.* has {known[0]:,}: "):
            most_probable(space, costs=costs, max_macs=budget)
        return
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        best = most_probable(space, costs=costs, max_macs=budget)
    assert costs.of(best).hop <= budget
    assert space.log_prob(best) == pytest.approx(max(row[1] for row in meets), abs=NEAR)
    filled = [row[2] for row in rows if not row[0].empty]
    assert len(said) == best.empty
    if best.empty and filled:
        assert f"The cheapest with a path has {min(filled):,}: " in str(said[0].message)


def test_late_time_is_what_a_hop_can_afford() -> None:
    """A budget that allows one layer of ST allows it in the last place."""
    model = tiny.template()
    start = ProbabilitySpace.from_model(model)
    space = dataclasses.replace(start, drop=np.tile([[0.01, 0.2]], (len(start), 1)))
    costs = hop_costs(model, SHAPE, hop=1)
    options: dict[str, Any] = {"model": model, "clip_shape": SHAPE, "hop": 1}
    best = most_probable(space, max_macs=costs.of("S S S+ST").hop, **options)
    assert str(best) == "S S S+ST"
    assert most_probable(space, max_macs=1e12, **options) == space.mode()
    with pytest.warns(SpaceWarning, match="empty network"):
        empty = most_probable(space, max_macs=costs.of("- - -").hop, **options)
    assert empty.empty
    nowhere = dataclasses.replace(start, drop=np.ones((len(start), 2)))
    with pytest.warns(SpaceWarning, match=r"empty network: no layer has a path\.$"):
        assert most_probable(nowhere, max_macs=1e12, **options).empty


def test_what_is_refused() -> None:
    model = tiny.template()
    space = ProbabilitySpace.from_model(model)
    costs = hop_costs(model, SHAPE, hop=2)
    with pytest.raises(ValueError, match=r"Expected max_macs.*Received: hop=2"):
        most_probable(space, hop=2)
    with pytest.raises(ValueError, match=r"Expected max_macs.*Received: max_parameters"):
        most_probable(space, hop=2, max_parameters=5, model=model)
    with pytest.raises(ValueError, match=r"hop=3\. Expected hop_costs"):
        most_probable(space, hop=3, max_macs=5, costs=costs)
    with pytest.raises(ValueError, match=r"hop=2\. Expected hop_costs"):
        most_probable(space, hop=2, max_macs=5, costs=unit_costs(model, SHAPE))
    with pytest.raises(ValueError, match="hop must be a whole number from 1 to 12"):
        hop_costs(model, SHAPE, hop=13)
    with pytest.raises(ValueError, match="stride in time"):
        hop_costs(tiny.template(temporal_strides=(2,)), SHAPE, hop=2)
    with pytest.raises(ValueError, match=r"include_top=True"):
        hop_costs(tiny.template(include_top=False), SHAPE, hop=2)
    inputs = built("inputs", None)
    with pytest.raises(ValueError, match="share_inputs=True"):
        most_probable(ProbabilitySpace.from_model(inputs), hop=2, max_macs=5, model=inputs)
