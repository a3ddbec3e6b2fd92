"""What a layer's choice is worth, whether the space knew it, and observations over seeds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf.analysis import (
    LayerWorth,
    calibration,
    in_form,
    layer_worth,
    log_odds,
    worth_of,
)
from vdroppath_tf.commands.worth import lines
from vdroppath_tf.figures import figure_calibration, figure_worth
from vdroppath_tf.scoring import StrategyScore, StrategyScores, evaluate_strategies
from vdroppath_tf.spaces import FusionStrategy, ProbabilitySpace

CLIPS = 40


def scored(answers: dict[str, np.ndarray]) -> StrategyScores:
    right = np.stack([np.stack([each, each], -1) for each in answers.values()])
    strategies = [FusionStrategy.parse(text) for text in answers]
    seen = [CLIPS] * len(strategies)
    return StrategyScores.of(strategies, right, seen, np.zeros(CLIPS, int), True)


def half(correct: int) -> np.ndarray:
    return np.arange(CLIPS) < correct


@pytest.fixture
def known() -> LayerWorth:
    """Layer 1 does not matter, layer 2 is worth much: without ST nothing is correct."""
    return worth_of(
        scored({"S ST": half(30), "ST ST": half(30), "S S": half(0), "S S+ST": half(20)}),
        ["one", "two"],
    )


def test_worth_is_the_mean_cost_of_swaps(known: LayerWorth) -> None:
    assert [worth.value for worth in known.worth] == [0.0, pytest.approx((30 + 10) / 2 / CLIPS)]
    assert known.worth[0].low < 0 < known.worth[0].high
    assert known.worth[1].low > 0
    costs = [known.cost(swap).value for swap in known.swaps]
    assert costs == [0.0, 30 / CLIPS, 10 / CLIPS]
    assert "In 1 of 2 layers another unit clearly costs accuracy: most in two" in known.verdict
    same = LayerWorth.of_fields(json.loads(json.dumps(known.fields())))
    assert (same.swaps, same.worth, str(same.strategy)) == (known.swaps, known.worth, "S ST")
    with pytest.raises(ValueError, match="fit"):
        LayerWorth.of_fields({**known.fields(), "correct": 5})
    with pytest.raises(ValueError, match="differ from 'S ST' in one layer"):
        worth_of(scored({"S ST": half(3), "ST S": half(3)}), ["one", "two"])


def test_layers_without_a_second_unit() -> None:
    one = worth_of(scored({"S ST": half(30), "S S": half(10)}), ["one", "two"])
    assert np.isnan(one.worth[0].value)
    (axes,) = figure_worth(one, ProbabilitySpace([[0.1, 0.2]] * 2)).axes
    drawn = [segment for each in axes.collections for segment in each.get_segments()]
    level = [a for a, b in drawn if a[1] == b[1] and a[0] != b[0]]
    assert len(level) == 1, "a layer without a swap has no mean"
    none = worth_of(scored({"S": half(3)}), ["one"])
    assert none.verdict == "No layer has a second unit, so there is no choice."
    with pytest.raises(ValueError, match=r"no answers clip by clip. Score the clips again"):
        worth_of(StrategyScores(scored({"S": half(3)}).scores, True), ["one"])


def test_a_swap_that_gains_is_said() -> None:
    found = worth_of(scored({"S": half(10), "ST": half(40)}), ["one"])
    assert found.worth[0].high < 0
    assert "1 of 1 swaps would gain accuracy" in found.verdict
    assert "most ST in one (+75.0 points)" in found.verdict


def test_a_layer_of_one_unit_has_no_worth() -> None:
    found = worth_of(scored({"S ST": half(10), "S S": half(20), "S -": half(5)}), ["one", "two"])
    space = ProbabilitySpace([[0.0, 1.0], [0.4, 0.6]], layers=("one", "two"))
    head, *rows = lines(found, calibration(space, worth=found))[1:4]
    assert head.split()[:2] == ["layer", "unit"]
    assert rows[0].split(maxsplit=2) == ["one", "S", "one unit only"]
    assert rows[1].split()[:2] == ["two", "ST"]


def test_every_other_unit_of_every_layer_is_scored() -> None:
    """As many times as it is scored by itself; a layer that cannot be dropped never is."""
    model = tiny.kind_template("dense", clip_shape=(4, 16, 16))
    tiny.draw_norms(model, seed=1)
    rng = np.random.default_rng(0)
    batch = rng.integers(0, 256, (12, 4, 16, 16, 3)).astype("uint8"), rng.integers(0, 4, 12)
    found = layer_worth(model, "S T ST S+ST", [batch], train_clips=[batch])
    assert found.recalibrated
    units = [{str(s.unit) for s in found.of_layer(n)} for n in range(4)]
    every = {"S", "T", "ST", "S+T", "S+ST", "T+ST", "S+T+ST", "-"}
    assert units == [every - {"S"}, every - {"T"}, {"S", "S+ST"}, every - {"S+ST"}]
    swap = found.of_layer(2)[0]
    pair = [found.strategy, found.swapped(swap)]
    alone = evaluate_strategies(model, pair, [batch], train_clips=[batch])
    assert found.cost(swap).value == pytest.approx(alone[0].top1 - alone[1].top1)
    assert found.top1 == alone[0].top1


def test_units_of_layers_with_gates_per_input() -> None:
    model = tiny.kind_template("inputs", clip_shape=(4, 16, 16))
    space = ProbabilitySpace.from_model(model)
    batch = np.zeros((2, 4, 16, 16, 3), "uint8"), np.zeros(2, int)
    found = layer_worth(model, space.mode(), [batch])
    assert {str(s.unit) for s in found.of_layer(1)} == {"S", "ST", "-"}  # the mode is S+ST of all
    assert len(log_odds(space, found)) == len(found.swaps)


def test_a_space_that_knows_what_layers_are_worth(known: LayerWorth) -> None:
    sure = ProbabilitySpace([[0.4, 0.6], [0.95, 0.02]], layers=("one", "two"))
    found = calibration(sure, worth=known)
    assert found.layers is not None
    assert found.layers.value == 1.0
    assert found.swaps["sampling"].value == 1.0
    unsure = ProbabilitySpace([[0.02, 0.95], [0.4, 0.6]], layers=("one", "two"))
    wrong = calibration(unsure, worth=known)
    assert wrong.layers is not None
    assert wrong.layers.value == -1.0
    assert wrong.swaps["sampling"].value < 0


def test_forms_disagree(known: LayerWorth) -> None:
    """A path with p = .4 is on in most draws, and off by Eq. 7 (1 - sqrt(.4) = .37)."""
    space = ProbabilitySpace([[0.4, 0.9], [0.4, 0.3]], has_residual=[True, True])
    paper = in_form(space, "paper")
    for branch, on in space.path_on("paper").items():
        np.testing.assert_allclose(paper.path_on()[branch], on)
    assert str(space.mode()) == "S S+ST"
    assert str(paper.mode()) == "- -"
    sampling, other = (log_odds(space, known, form) for form in ("sampling", "paper"))
    # ST in place of S+ST: S on or off
    assert sampling[2] == pytest.approx(np.log(0.4 / 0.6))
    assert other[2] == pytest.approx(np.log(np.sqrt(0.4) / (1 - np.sqrt(0.4))))
    assert in_form(space, "sampling") is space


def test_draws_are_ranked_by_their_probability() -> None:
    space = ProbabilitySpace([[0.1, 0.3], [0.2, 0.4]])
    draws = list(dict.fromkeys(space.sample(40)))
    draws.sort(key=space.log_prob)
    scores = [StrategyScore(one, n / 50, 1.0, 50) for n, one in enumerate(draws)]
    found = calibration(space, scores=scores).draws
    assert found is not None
    assert found.value == 1.0
    assert calibration(space).draws is None
    never = ProbabilitySpace([[0.0, 1.0], [0.0, 1.0]])
    assert calibration(never, scores=scores).draws is not None


def test_the_pictures_hold_every_swap(known: LayerWorth) -> None:
    space = ProbabilitySpace([[0.4, 0.6], [0.95, 0.02]], layers=("one", "two"))
    for narrow in (False, True):
        (axes,) = figure_worth(known, space, narrow=narrow).axes
        heights = sorted(float(line.get_ydata()[0]) for line in _marks(axes))
        assert heights == pytest.approx([0.0, 25.0, 75.0])
    many = ProbabilitySpace(np.full((61, 2), 0.3))
    with pytest.raises(ValueError, match="61 fusion layers"):
        figure_worth(known, many)
    scores = [StrategyScore(one, 0.5, 1.0, 50) for one in space.sample(4)]
    (axes,) = figure_calibration(space, scores).axes
    assert len(_marks(axes)) == 4


def _marks(axes: Any) -> list[Any]:
    return [line for line in axes.lines if line.get_marker() not in ("None", "", "_", "|", None)]
