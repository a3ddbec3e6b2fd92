"""The best strategy under a budget and the front, against every strategy of small spaces."""

from __future__ import annotations

import dataclasses
import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from vdroppath_tf.budget import fronts
from vdroppath_tf.budget.choices import choice_of, pareto
from vdroppath_tf.budget.fronts import front_of
from vdroppath_tf.budget.least import least
from vdroppath_tf.budget.search import most_probable
from vdroppath_tf.budget.tables import cost_tables
from vdroppath_tf.cost import UnitCosts, complexity, unit_costs
from vdroppath_tf.derivation import derive
from vdroppath_tf.figures.pareto import figure_pareto
from vdroppath_tf.spaces import SpaceWarning
from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit
from vdroppath_tf.zoo import template_micro

SETTINGS = settings(max_examples=40)
CLIP = tiny.SHAPE
ROWS = ("parameters", "macs")


@st.composite
def tables(draw: st.DrawFn) -> tuple[ProbabilitySpace, UnitCosts]:
    """A small space of any kind, and costs for it: few distinct numbers, so that many are equal."""
    branches = draw(st.sampled_from([("S", "ST"), ("S", "T", "ST"), ("ST",)]))
    per_input = draw(st.booleans())
    layers = draw(st.integers(1, 2 if per_input else 4 if len(branches) < 3 else 3))
    most = 2 if per_input else 1
    inputs = [draw(st.integers(1, most)) for _ in range(layers)]
    probability = st.sampled_from([0.0, 0.1, 0.5, 0.8, 1.0]) | st.floats(0.01, 0.99)
    number = st.integers(1, 4) | st.integers(1, 10**9)

    def array(values: st.SearchStrategy[Any], *shape: int) -> np.ndarray:
        size = math.prod(shape)
        return np.reshape(draw(st.lists(values, min_size=size, max_size=size)), shape)

    drop = [array(probability, count, len(branches)) for count in inputs]
    drop = [np.where(layer.min() < 1, layer, 0.5) for layer in drop]
    space = ProbabilitySpace(
        tuple(drop) if per_input else np.concatenate(drop),
        branches=branches,
        has_residual=draw(st.lists(st.booleans(), min_size=layers, max_size=layers)),
        layer_drop=array(st.sampled_from([0.0, 0.25, 0.9]), layers),
    )
    small = st.integers(0, 3) | st.integers(0, 10**9)
    spatial = array(small, 2, layers) * ("T" in branches)
    paths = tuple(array(number, 2, count, len(branches)) for count in inputs)
    base = array(small, 2)
    return space, UnitCosts(base, array(small, 2, layers), spatial, paths, branches)


def all_strategies(space: ProbabilitySpace) -> list[FusionStrategy]:
    choices = []
    for drop in space.drop:
        if not space.per_input:
            choices.append(unit_table(space.branches)[0])
            continue
        rows = itertools.product((1, 0), repeat=drop.size)
        named = (dict(zip(space.branches, np.reshape(r, drop.shape).T, strict=True)) for r in rows)
        choices.append(tuple(FusionUnit.from_masks(masks) for masks in named))
    return [FusionStrategy(units, space.architecture) for units in itertools.product(*choices)]


def brute(
    space: ProbabilitySpace, costs: UnitCosts, on_empty: Any = "allow"
) -> list[tuple[FusionStrategy, float, tuple[int, int]]]:
    """Every strategy that can be drawn, its log-probability and its costs."""
    every = ((s, space.log_prob(s, on_empty), costs.of(s)) for s in all_strategies(space))
    return [row for row in every if row[1] > -np.inf]


NEAR = 1e-7  # nats: far above the rounding, far below any difference that the spaces have


@SETTINGS
@given(tables(), st.sampled_from(ROWS), st.sampled_from(["allow", "resample"]))
def test_the_front_is_that_of_all_strategies(
    drawn: tuple[ProbabilitySpace, UnitCosts], by: str, on_empty: Any
) -> None:
    space, costs = drawn
    rows = brute(space, costs, on_empty)
    which = ROWS.index(by)
    best: list[tuple[int, float]] = []
    for cost in sorted({row[2][which] for row in rows}):
        log_prob = max(row[1] for row in rows if row[2][which] == cost)
        if not best or log_prob > best[-1][1] + NEAR:
            best.append((cost, log_prob))
    found = pareto(space, costs=costs, by=by, on_empty=on_empty)
    # Equally probable strategies of several layers may round to sums that differ in the last place,
    # so a dearer one can stand beside its equal; nothing else may.
    known = dict(best)
    assert {getattr(choice, by) for choice in found} >= set(known)
    for choice in found:
        cost = getattr(choice, by)
        reached = max(log_prob for other, log_prob in best if other <= cost)
        assert choice.log_prob == pytest.approx(known.get(cost, reached), abs=NEAR)
        assert (choice.parameters, choice.macs) == costs.of(choice.strategy)
        assert choice.log_prob == space.log_prob(choice.strategy, on_empty)
    mode = space.log_prob(space.mode(on_empty), on_empty)
    assert found[-1].log_prob == pytest.approx(mode, abs=NEAR)


@SETTINGS
@given(tables(), st.sampled_from(ROWS), st.data())
def test_the_best_under_a_budget_is_that_of_all_strategies(
    drawn: tuple[ProbabilitySpace, UnitCosts], by: str, data: st.DataObject
) -> None:
    """At the cost of a strategy, and one below it."""
    space, costs = drawn
    rows = brute(space, costs)
    which = ROWS.index(by)
    all_costs = sorted({row[2][which] for row in rows})
    budget = data.draw(st.sampled_from(all_costs)) - data.draw(st.integers(0, 1))
    meets = [row for row in rows if row[2][which] <= budget]
    if budget <= 0:
        return
    options: dict[str, Any] = {"costs": costs, f"max_{by}": budget}
    if not meets:
        with pytest.raises(ValueError, match=f"cheapest has {all_costs[0]:,}: "):
            most_probable(space, **options)
        return
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        best = most_probable(space, **options)
        assert best == most_probable(space, **options)
    assert costs.of(best)[which] <= budget
    assert space.log_prob(best) == pytest.approx(max(row[1] for row in meets), abs=NEAR)
    assert len(said) == 2 * best.empty
    filled = [row[2][which] for row in rows if not row[0].empty]
    if best.empty and filled:
        text = str(said[0].message)
        assert ("leave only the empty network" in text) == (min(filled) > budget)
        assert f"The cheapest strategy with a path has {min(filled):,} " in text
        assert costs.of(least(space, by=by, costs=costs))[which] == min(filled)


def test_d1_can_drop_a_layer_whose_paths_are_never_dropped() -> None:
    space = ProbabilitySpace(
        (np.full((2, 1), 0.1), np.zeros((2, 1))),
        branches=("ST",),
        has_residual=[True, True],
        layer_drop=[0.0, 0.25],
    )
    paths, none = np.ones((2, 2, 1), int), np.zeros((2, 2), int)
    costs = UnitCosts(np.array([1, 0]), none, none, (paths, paths), ("ST",))
    found = least(space, by="parameters", costs=costs)
    assert str(found).split()[1] == "-"
    assert costs.of(found)[0] == 2


@SETTINGS
@given(tables())
def test_without_a_budget_it_is_the_mode(drawn: tuple[ProbabilitySpace, UnitCosts]) -> None:
    space, costs = drawn
    assert most_probable(space, costs=costs) == space.mode()
    enough = most_probable(space, costs=costs, max_macs=math.inf)
    assert space.log_prob(enough) == pytest.approx(space.log_prob(space.mode()), abs=NEAR)


def test_a_front_by_hand() -> None:
    cost = np.array([5, 1, 3, 3, 2, 4, 1])
    gain = np.array([9.0, 1.0, 4.0, 5.0, 1.0, 5.0, -np.inf])
    assert front_of(cost, gain).tolist() == [1, 3, 0]


def test_equally_probable_strategies_make_one_point() -> None:
    """60 layers with the same gates: sums in another order differ in their last bits."""
    space = ProbabilitySpace(np.tile([[0.1, 0.7]], (60, 1)))
    zeros = np.zeros((2, 60), "int64")
    paths = (np.ones((2, 1, 2), "int64"),) * 60
    costs = UnitCosts(np.zeros(2, "int64"), zeros, zeros, paths, ("S", "ST"))
    found = pareto(space, costs=costs)
    assert [choice.macs for choice in found] == [*range(61)]  # more of ST is less probable


def spread(layers: int) -> tuple[ProbabilitySpace, UnitCosts]:
    """Costs without a common divisor: every sum is another number."""
    random = np.random.default_rng(0)
    zeros = np.zeros((2, layers), "int64")
    paths = tuple(random.integers(1, 10**9, (2, 1, 2)) for _ in range(layers))
    space = ProbabilitySpace(random.uniform(0.1, 0.9, (layers, 2)))
    return space, UnitCosts(zeros[:, 0], zeros, zeros, paths, ("S", "ST"))


def test_sums_in_many_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    space, costs = spread(6)
    whole = pareto(space, costs=costs)
    monkeypatch.setattr(fronts, "_AT_ONCE", 3)
    assert pareto(space, costs=costs) == whole


def test_a_front_that_memory_would_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    space, costs = spread(6)
    points = len(pareto(space, costs=costs))
    monkeypatch.setattr(fronts, "_MOST", points - 1)
    with pytest.raises(ValueError, match=f"more than {points - 1} points.*coarser units"):
        pareto(space, costs=costs)


def test_the_picture_of_fronts() -> None:
    space, costs = spread(4)
    front = pareto(space, costs=costs)
    (axes,) = figure_pareto({"a": front, "b": front[2:]}, whole=front[-1].macs).axes
    first, second = axes.lines
    assert first.get_xdata()[-1] == second.get_xdata()[-1] == 100
    assert [p - front[-1].log_prob for p in (c.log_prob for c in front)] == list(first.get_ydata())
    assert len(second.get_xdata()) == len(front) - 2
    with pytest.raises(ValueError, match="Expected by one of"):
        figure_pareto({"a": front}, by="flops")


@pytest.mark.parametrize("kind", ["units", "inputs", "both", "mobile"])
def test_networks_of_every_kind(kind: str) -> None:
    """What is chosen can be derived, and costs what the front says."""
    model = tiny.kind_template(kind)
    space = ProbabilitySpace.from_model(model)
    random = np.random.default_rng(0)
    drop = [np.where(layer < 1, random.uniform(0.05, 0.9, layer.shape), 1) for layer in space.drop]
    space = dataclasses.replace(space, drop=tuple(drop))
    found = pareto(space, clip_shape=CLIP, model=model)
    middle = found[len(found) // 2]
    best = most_probable(space, clip_shape=CLIP, model=model, max_macs=middle.macs)
    assert best == middle.strategy
    assert choice_of(space, best, clip_shape=CLIP, model=model) == middle
    built = complexity(derive(model, best), CLIP)
    assert (built.parameters, built.macs) == (middle.parameters, middle.macs)


def test_the_network_is_built_by_its_name() -> None:
    """And a template that was built for clips of one size knows that size."""
    space, sized = ProbabilitySpace.from_model(tiny.template()), tiny.template(clip_shape=CLIP)
    costs = unit_costs(tiny.template(), CLIP)
    assert pareto(space, clip_shape=CLIP) == pareto(space, costs=costs)
    assert pareto(space, model=sized) == pareto(space, costs=costs)


def test_whole_layers_that_may_be_dropped() -> None:
    """D1 makes "-" likely, and its log-probability that of either way of being empty."""
    model = template_micro(4, drop_layer=True)
    space = dataclasses.replace(ProbabilitySpace.from_model(model), layer_drop=[0.6] * 6)
    first = pareto(space, clip_shape=(4, 16, 16), model=model)[0]
    assert str(first.strategy) == "- - - - - -"
    assert first.log_prob == pytest.approx(6 * math.log(0.6 + 0.4 * 0.01))


# --- what a user may get wrong ---------------------------------------------------------------


@pytest.fixture(scope="module")
def nano() -> tuple[ProbabilitySpace, Any]:
    model = tiny.template()
    return ProbabilitySpace.from_model(model), model


def test_the_cheapest_with_a_path(nano: Any) -> None:
    """Of spaces in which a layer has no path, always has one, or none has any."""
    costs = unit_costs(nano[1], CLIP)

    def cheapest(*drop: list[float]) -> str:
        return str(least(dataclasses.replace(nano[0], drop=np.array(drop)), costs=costs))

    assert cheapest([1.0, 1.0], [1.0, 1.0], [0.5, 0.5]) == "- - S"
    assert cheapest([0.0, 0.5], [0.5, 0.5], [0.5, 0.5]) == "S - -"
    with pytest.raises(ValueError, match="drops every path with probability 1"):
        cheapest([1.0, 1.0], [1.0, 1.0], [1.0, 1.0])
    empty = dataclasses.replace(nano[0], drop=np.ones((3, 2)))
    with pytest.warns(SpaceWarning, match=r"only the empty network: no layer has a path\.$"):
        assert most_probable(empty, costs=costs, max_macs=1e12).empty


@pytest.mark.parametrize("budget", [0, -1, float("nan"), "many", True])
def test_bad_budgets(nano: Any, budget: Any) -> None:
    with pytest.raises(ValueError, match=r"Expected max_macs as a number above 0\. Received"):
        most_probable(nano[0], model=nano[1], clip_shape=CLIP, max_macs=budget)


def test_a_budget_that_nothing_meets(nano: Any) -> None:
    least = unit_costs(nano[1], CLIP).of("- - -")[1]
    with pytest.raises(ValueError, match=rf"at most 7 MACs.*has {least:,}: '- - -'.*max_macs"):
        most_probable(nano[0], model=nano[1], clip_shape=CLIP, max_macs=7)


def test_one_budget_at_a_time(nano: Any) -> None:
    with pytest.raises(ValueError, match=r"one budget\. Received: max_macs and max_parameters"):
        most_probable(nano[0], model=nano[1], clip_shape=CLIP, max_macs=7, max_parameters=7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "micro"}, "its architecture is 'micro', the network's is 'nano'"),
        ({"branches": ("S", "T")}, r"its branches is \('S', 'T'\)"),
    ],
)
def test_a_space_of_another_network(nano: Any, change: Any, message: str) -> None:
    space = dataclasses.replace(nano[0], **change)
    with pytest.raises(ValueError, match=f"belongs to another network: {message}"):
        pareto(space, model=nano[1], clip_shape=CLIP)


def test_tables_without_the_cost_that_is_requested(nano: Any) -> None:
    mode = nano[0].mode()
    tables = cost_tables(nano[0], CLIP, nano[1], None, None)
    with pytest.raises(ValueError, match=r"hold no latency\. Expected one from measure_latency"):
        tables.cost("latency", mode)
    with pytest.raises(ValueError, match=r"hold latencies only\. Expected costs of the network"):
        dataclasses.replace(tables, units=None).cost("macs", mode)


def test_other_spaces_that_do_not_fit(nano: Any) -> None:
    longer = ProbabilitySpace([[0.1, 0.1]] * 4, architecture="nano")
    with pytest.raises(ValueError, match=r"has 4 layers, 4 of them .* the network 3 and 3"):
        pareto(longer, clip_shape=CLIP)
    with pytest.raises(ValueError, match="costs belong to another network: 3 layers"):
        pareto(longer, costs=unit_costs(nano[1], CLIP))
    with pytest.raises(ValueError, match="does not name the network"):
        pareto(ProbabilitySpace([[0.1, 0.1]] * 3), clip_shape=CLIP)
    with pytest.raises(ValueError, match=r"Unknown network.*'densenet122'"):
        pareto(dataclasses.replace(longer, architecture="densenet122"), clip_shape=CLIP)
    with pytest.raises(ValueError, match=r"frames, height and width as clip_shape=\."):
        pareto(nano[0], model=nano[1])
    with pytest.raises(ValueError, match="Expected by one of"):
        pareto(nano[0], model=nano[1], clip_shape=CLIP, by="flops")


def test_a_branch_that_a_layer_lacks() -> None:
    """A DenseNet's transitions have no T: the third layer here."""
    model = tiny.kind_template("dense")
    space = ProbabilitySpace.from_model(model)
    with pytest.raises(ValueError, match="'T1' of the network has no branch 'T'"):
        pareto(dataclasses.replace(space, drop=np.full((4, 3), 0.2)), model=model, clip_shape=CLIP)
