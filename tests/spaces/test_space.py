"""The probability space: marginals, draws, log-probabilities, modes, entropies, JSON."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vdroppath_tf.spaces.masks import unit_table
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import FusionUnit

POLICIES = ("allow", "resample")
SETTINGS = settings(max_examples=60)

# Fig. 4, Something-Something V1, layers B1.L1, T1 and B4.L16: P(S), P(ST), P(S+ST).
PUBLISHED = {
    "B1.L1": (0.2538, 0.1730, 0.4816),
    "T1": (0.1215, 0.0950, 0.7680),
    "B4.L16": (0.0710, 0.5001, 0.3162),
}


@st.composite
def spaces(draw: st.DrawFn, per_input: bool | None = None) -> ProbabilitySpace:
    """Small spaces of every kind, whose every layer can draw a path."""
    probability = st.floats(0, 0.99) | st.sampled_from([0.0, 0.1, 0.5, 1.0])
    branches = draw(st.sampled_from([("S", "ST"), ("S", "T", "ST"), ("ST",)]))
    per_input = draw(st.booleans()) if per_input is None else per_input
    layers = draw(st.integers(1, 2))
    most = 2 if per_input and len(branches) < 3 else 1
    inputs = [draw(st.integers(1, most)) for _ in range(layers)]

    def gates() -> list[np.ndarray]:
        row = st.lists(probability, min_size=len(branches), max_size=len(branches))
        found = [np.array([draw(row) for _ in range(count)]) for count in inputs]
        return [np.where(g.min() < 1, g, 0.5) for g in found]

    drop, initial = gates(), gates()
    values = st.lists(st.sampled_from([0.0, 0.25, 0.9]), min_size=layers, max_size=layers)
    return ProbabilitySpace(
        tuple(drop) if per_input else np.concatenate(drop),
        tuple(initial) if per_input else np.concatenate(initial),
        architecture=draw(st.sampled_from([None, "micro"])),
        branches=branches,
        has_residual=draw(st.lists(st.booleans(), min_size=layers, max_size=layers)),
        layer_drop=draw(values),
        initial_layer_drop=draw(values),
    )


def all_strategies(space: ProbabilitySpace) -> list[FusionStrategy]:
    """Every strategy of a small space, in unit-table order."""
    choices = []
    for drop in space.drop:
        if not space.per_input:
            choices.append(unit_table(space.branches)[0])
            continue
        rows = itertools.product((1, 0), repeat=drop.size)
        tables = [np.reshape(row, drop.shape).T for row in rows]
        named = [dict(zip(space.branches, table, strict=True)) for table in tables]
        choices.append(tuple(FusionUnit.from_masks(masks) for masks in named))
    return [FusionStrategy(u, space.architecture) for u in itertools.product(*choices)]


def test_marginals_at_the_start_are_the_papers():
    space = ProbabilitySpace([[0.1, 0.1]])
    paper = {unit: round(float(p[0]), 3) for unit, p in space.marginals().items()}
    assert paper == {"S": 0.216, "ST": 0.216, "S+ST": 0.468, "-": 0.1}
    assert [*paper] == ["S+ST", "S", "ST", "-"]
    sampling = {unit: float(p[0]) for unit, p in space.marginals(form="sampling").items()}
    assert sampling == pytest.approx({"S": 0.09, "ST": 0.09, "S+ST": 0.81, "-": 0.01})


@pytest.mark.parametrize("layer", PUBLISHED)
def test_published_marginals_come_back_from_the_drop_probabilities(layer):
    s, st_, both = PUBLISHED[layer]
    drop = (1 - np.array([[s + both, st_ + both]])) ** 2
    found = ProbabilitySpace(drop).marginals()
    assert [found[u][0] for u in ("S", "ST", "S+ST")] == pytest.approx(PUBLISHED[layer], abs=6e-4)


@SETTINGS
@given(spaces(), st.sampled_from(["paper", "sampling"]))
def test_marginals_sum_to_one_and_path_on_agrees_with_them(space, form):
    marginals, path_on = space.marginals(form), space.path_on(form)
    assert len(marginals) == 2 ** len(space.branches)
    for layer in range(len(space)):
        assert sum(p[layer] for p in marginals.values()) == pytest.approx(1)
        for branch in space.branches:
            users = [p[layer] for u, p in marginals.items() if branch in FusionUnit(u).branches]
            assert path_on[branch][layer] == pytest.approx(sum(users))


def test_layer_gate_scales_units_and_feeds_none():
    space = ProbabilitySpace([[0.04, 0.25]], layer_drop=[0.09])
    paper = {unit: p[0] for unit, p in space.marginals().items()}
    assert paper == pytest.approx({"S+ST": 0.28, "S": 0.28, "ST": 0.07, "-": 0.37})
    sampling = {unit: p[0] for unit, p in space.marginals("sampling").items()}
    assert sampling["S+ST"] == pytest.approx(0.91 * 0.96 * 0.75)
    assert sampling["-"] == pytest.approx(0.09 + 0.91 * 0.01)


@pytest.mark.parametrize("policy", POLICIES)
@SETTINGS
@given(space=spaces())
def test_probabilities_of_all_strategies_sum_to_one(policy, space):
    found = [math.exp(space.log_prob(s, policy)) for s in all_strategies(space)]
    assert sum(found) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("policy", POLICIES)
@SETTINGS
@given(space=spaces())
def test_mode_is_the_most_probable_of_all(policy, space):
    best = max(space.log_prob(s, policy) for s in all_strategies(space))
    assert space.log_prob(space.mode(policy), policy) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(
    ("drop", "mode"),
    [([0.5, 0.5], "S+ST"), ([0.9, 0.5], "ST"), ([0.75, 0.75], "-"), ([0.25, 0.75], "S")],
)
def test_mode_breaks_ties_in_unit_table_order(drop, mode):
    assert str(ProbabilitySpace([drop]).mode()) == mode


def test_mode_of_a_layer_that_must_keep_a_path():
    assert str(ProbabilitySpace([[0.75, 0.75], [0.9, 0.8]]).mode("resample")) == "S ST"
    assert str(ProbabilitySpace([[0.9, 0.8]], has_residual=[False]).mode()) == "ST"
    assert str(ProbabilitySpace([[0.1, 0.1]], layer_drop=[0.6]).mode()) == "-"


@pytest.mark.parametrize("policy", POLICIES)
@SETTINGS
@given(space=spaces())
def test_entropy_is_that_of_the_drawn_distribution(policy, space):
    logs = np.array([space.log_prob(s, policy) for s in all_strategies(space)])
    logs = logs[np.isfinite(logs)]
    # Layers are independent, so the entropy of the whole draw is the sum over layers.
    expected = -float((np.exp(logs) * logs).sum())
    assert space.entropy(policy).sum() == pytest.approx(expected, abs=1e-9)


def test_entropy_keeps_its_digits_where_drawing_a_path_is_rare():
    rare = ProbabilitySpace(np.full((1, 2), 1 - 1e-12), has_residual=[False])
    assert rare.entropy()[0] == pytest.approx(math.log(2), abs=1e-9)


def sampled_kinds() -> list[ProbabilitySpace]:
    drop = [[0.1, 0.6], [0.7, 0.8]]
    return [
        ProbabilitySpace(drop),
        ProbabilitySpace(drop, has_residual=[True, False]),
        ProbabilitySpace(drop, layer_drop=[0.3, 0.0]),
        ProbabilitySpace(drop, has_residual=[False, True], layer_drop=[0.3, 0.5]),
        ProbabilitySpace(([[0.3, 0.6]], [[0.5, 0.9], [0.8, 0.4]]), has_residual=[True, False]),
    ]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("kind", range(5))
def test_frequencies_of_draws_agree_with_log_prob(kind, policy):
    space, n = sampled_kinds()[kind], 20_000
    strategies = all_strategies(space)
    expected = n * np.exp([space.log_prob(s, policy) for s in strategies])
    draws = [str(s) for s in space.sample(n, seed=kind, on_empty=policy)]
    counts = np.array([draws.count(str(s)) for s in strategies])
    assert counts.sum() == n
    assert not counts[expected == 0].any()
    counts, expected = counts[expected > 0], expected[expected > 0]
    chi_square, freedom = ((counts - expected) ** 2 / expected).sum(), len(expected) - 1
    # Five standard deviations of a chi-square variable; the seed is fixed.
    assert chi_square < freedom + 5 * math.sqrt(2 * freedom)


@SETTINGS
@given(spaces(), st.integers(0, 2**40), st.integers(0, 6))
def test_draw_k_does_not_depend_on_how_many_follow(space, seed, n):
    draws = space.sample(6, seed)
    assert space.sample(n, seed) == draws[:n]
    assert all(space.log_prob(s) > -math.inf for s in draws)
    assert all(s.architecture == space.architecture for s in draws)


def test_seeds_differ_and_draws_are_pinned():
    space = ProbabilitySpace(np.full((6, 2), 0.5))
    assert space.sample(4, seed=1) != space.sample(4, seed=2)
    # Pinned: a change of the noise would silently change every recorded run.
    draws = ProbabilitySpace(np.full((4, 2), 0.5)).sample(2, seed=0)
    assert [str(s) for s in draws] == ["- S+ST S+ST S", "ST S+ST - S+ST"]


def test_a_layer_that_cannot_keep_a_path_is_an_error():
    sure = ProbabilitySpace([[0.1, 0.1], [1.0, 1.0]], has_residual=[True, False], layers=("a", "b"))
    for ask in (lambda: sure.sample(3), sure.mode, sure.entropy):
        with pytest.raises(ValueError, match="Layer 'b' drops every path"):
            ask()
    gone = ProbabilitySpace([[1.0, 1.0]])
    assert str(gone.mode()) == str(gone.sample(1)[0]) == "-"
    assert gone.log_prob(FusionStrategy.parse("-")) == 0
    assert gone.entropy()[0] == 0
    with pytest.raises(ValueError, match="drops every path"):
        gone.sample(1, on_empty="resample")


@SETTINGS
@given(spaces())
def test_json_round_trip_is_exact(space):
    again = ProbabilitySpace.from_json(space.to_json())
    assert again.to_json() == space.to_json()
    assert again.per_input == space.per_input
    for a, b in zip(again.drop, space.drop, strict=True):
        assert np.array_equal(a, b)
    assert again.sample(3, seed=5) == space.sample(3, seed=5)


def test_save_is_atomic_and_load_names_the_file(tmp_path):
    path = tmp_path / "space.json"
    space = ProbabilitySpace([[0.1, 1 / 3]], layers=("stage1",), architecture="micro")
    space.save(path)
    assert ProbabilitySpace.load(path).to_json() == space.to_json()
    assert [file.name for file in tmp_path.iterdir()] == ["space.json"]
    path.write_text(space.to_json()[:-9], encoding="utf-8")
    with pytest.raises(ValueError, match=r"space\.json: Not JSON"):
        ProbabilitySpace.load(path)
    space.save(tmp_path / "new" / "space.json")  # folders above are made
    with pytest.raises(OSError, match=r"space\.json"):
        space.save(path / "space.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "vdroppath_tf.space/7"}, "newer vdroppath_tf"),
        ({"format": "vdroppath_tf.strategy/1"}, "Expected the format 'vdroppath_tf.space/3'"),
        ({"format": "vdroppath_tf.space/1"}, "space/1.*Write the space again.*--model="),
        ({"drop": [[0.1, float("nan")]]}, "0 to 1 as drop of layer 'layer1'"),
        ({"drop": "ab"}, "Expected drop as numbers"),
        ({"drop": None}, "Expected drop as numbers"),
        ({"layers": "layer1"}, "'layers' to be a list"),
        ({"drop": [["0.1", "0.2"]]}, "Expected drop as numbers"),
        ({"drop": [[True, 0.2]]}, "Expected drop as numbers"),
        ({"initial": [[False, 0.2]]}, "Expected initial as numbers"),
        ({"layer_drop": [True]}, "layer_drop as one value per layer"),
        ({"layer_drop": ["0"]}, "layer_drop as one value per layer"),
        ({"has_residual": ["false"]}, "has_residual as one value per layer"),
        ({"has_residual": [1]}, "has_residual as one value per layer"),
        ({"seed": 3}, "Expected the fields"),
    ],
)
def test_bad_json_is_refused(change, message):
    fields = json.loads(ProbabilitySpace([[0.1, 0.2]]).to_json()) | change
    with pytest.raises(ValueError, match=message):
        ProbabilitySpace.from_json(json.dumps(fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"drop": [[0.1, 1.5]]}, "0 to 1 as drop of layer 'layer1'.*1.5"),
        ({"drop": [[0.1, 0.2, 0.3]]}, r"each of the branches \('S', 'ST'\)"),
        ({"drop": [0.1, 0.2]}, "Expected drop"),
        ({"drop": []}, "at least one layer"),
        ({"drop": [[0.1, 0.2]], "initial": [[0.1]]}, "Expected initial"),
        ({"drop": [[0.1, 0.2]], "initial": ([[0.1, 0.2]] * 2,)}, "Expected initial"),
        ({"drop": [[0.1, 0.2]], "initial": -0.1}, "0 to 1 as initial"),
        ({"drop": [[0.1, 0.2]], "layers": ("a", "b")}, "1 layers, 2 names"),
        ({"drop": [[0.1, 0.2]] * 2, "layers": ("a", "a")}, "differ from each other"),
        ({"drop": [[0.1, 0.2]], "branches": ("ST", "S")}, "in that order"),
        ({"drop": [[0.1, 0.2]], "has_residual": [True, False]}, r"has_residual of shape \(1,\)"),
        ({"drop": [[0.1, 0.2]], "layer_drop": [2.0]}, "0 to 1 as layer_drop"),
        ({"drop": ([[0.1, 0.2]], [[0.1]])}, "Expected drop"),
        ({"drop": [[0.1, 0.2]], "initial": "a"}, "Expected initial as numbers"),
        ({"drop": [[0.1, 0.2]], "layer_drop": ["a"]}, "layer_drop as one value per layer"),
    ],
)
def test_bad_spaces_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        ProbabilitySpace(**fields)


def test_bad_questions_are_refused():
    space = ProbabilitySpace([[0.1, 0.2]], architecture="micro")
    with pytest.raises(ValueError, match="'paper' or 'sampling'"):
        space.marginals(form="sqrt")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'allow' or 'resample'"):
        space.sample(1, on_empty="redraw")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n >= 0"):
        space.sample(-1)
    with pytest.raises(ValueError, match="2 units, the network has 1"):
        space.log_prob(FusionStrategy.parse("S S"))
    with pytest.raises(ValueError, match="made for 'resnet50'"):
        space.log_prob(FusionStrategy.parse("S", "resnet50"))
    with pytest.raises(ValueError, match="uses its inputs differently"):
        space.log_prob(FusionStrategy.parse("S@1"))


@SETTINGS
@given(spaces())
@example(ProbabilitySpace([[0.1, 0.1]]))
def test_distance_from_start(space):
    distance = space.distance_from_start()
    assert distance.shape == (len(space),)
    assert np.all((distance >= 0) & (distance <= 1 + 1e-12))
    still = ProbabilitySpace(
        space.drop,
        space.drop,
        branches=space.branches,
        layer_drop=space.layer_drop,
        initial_layer_drop=space.layer_drop,
    )
    assert not still.distance_from_start().any()


def test_distance_from_start_is_total_variation():
    space = ProbabilitySpace([[0.0, 1.0], [0.25, 0.25]], initial=0.25)
    assert space.distance_from_start() == pytest.approx([0.75, 0])
    assert space.distance_from_start(form="sampling") == pytest.approx([1 - 0.75 * 0.25, 0])


def test_a_table_shows_whole_layers_where_they_can_be_dropped():
    space = ProbabilitySpace(
        [[0.1, 0.3], [0.2, 0.4]], layer_drop=[0.25, 0.5], initial_layer_drop=[0.1, 0.1]
    )
    table = space.short_table()
    assert list(table.heads) == ["layer", "mode", "p(S)", "p(ST)", "p(layer)"]
    assert [line[-1] for line in table.lines] == [0.25, 0.5]
    assert "p(layer)" not in ProbabilitySpace([[0.1, 0.3]]).short_table().heads


def test_gates_per_input():
    space = ProbabilitySpace(([[0.1, 0.5]], [[0.1, 0.2], [0.3, 0.4]]))
    assert space.per_input
    assert [p.shape for p in space.unit_probabilities()] == [(1, 4), (2, 4)]
    assert space.marginals("sampling")["S+ST"] == pytest.approx([0.45, (0.72 + 0.42) / 2])
    assert space.path_on()["ST"] == pytest.approx([0.5, 0.7])
    assert str(space.mode()) == "S@1+ST@1 S@11+ST@11"
    shared = space.log_prob(FusionStrategy.parse("S S+ST"))
    assert shared == pytest.approx(math.log(0.9 * 0.5 * 0.9 * 0.8 * 0.7 * 0.6))
    with pytest.raises(ValueError, match="has 2 inputs"):
        space.log_prob(FusionStrategy.parse("S@1 S@101"))


def test_arrays_are_copies_and_cannot_be_written():
    drop = np.array([[0.1, 0.2]])
    space = ProbabilitySpace(drop)
    drop[0, 0] = 0.9
    assert space.drop[0][0, 0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        space.drop[0][0, 0] = 0.5


@pytest.mark.parametrize("drop", [[[0.1, 0.2], [0.3, 0.4]], ([[0.1, 0.2]], [[0.3, 0.4]])])
@pytest.mark.parametrize("initial", [0.5, np.full((2, 2), 0.5), [[[0.5, 0.5]], [0.5, 0.5]]])
def test_gates_have_one_representation(drop, initial):
    space = ProbabilitySpace(drop, initial)
    assert not space.per_input
    for found in (space.drop, space.initial):
        assert isinstance(found, tuple)
        assert [(layer.shape, layer.dtype) for layer in found] == [((1, 2), np.float64)] * 2
    assert np.concatenate(space.drop).tolist() == [[0.1, 0.2], [0.3, 0.4]]
    assert np.concatenate(space.initial).tolist() == [[0.5, 0.5]] * 2


def test_a_layer_of_many_inputs_needs_no_table():
    space = ProbabilitySpace((np.full((40, 2), 0.5),), has_residual=[False])
    assert len(space.sample(2)[0][0].inputs["S"]) == 40
    assert space.entropy()[0] == pytest.approx(80 * math.log(2))
    assert space.log_prob(space.mode()) == pytest.approx(-80 * math.log(2))
