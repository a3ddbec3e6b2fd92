from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdroppath_tf.analysis.rank_agreement import Ranking, seed_noise
from vdroppath_tf.analysis.tau import kendall_tau, tau_difference, tau_interval

scores = st.integers(2, 9).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n)] * 2)
)


def pair_by_pair(a: list[int], b: list[int]) -> float:
    """As Kendall wrote it (1945): agreeing minus disagreeing pairs over those without a tie."""
    pairs = list(itertools.combinations(range(len(a)), 2))
    agree = sum((a[i] - a[j]) * (b[i] - b[j]) > 0 for i, j in pairs)
    differ = sum((a[i] - a[j]) * (b[i] - b[j]) < 0 for i, j in pairs)
    one = sum(a[i] != a[j] for i, j in pairs)
    other = sum(b[i] != b[j] for i, j in pairs)
    return (agree - differ) / math.sqrt(one * other) if one and other else math.nan


@given(scores)
def test_tau_is_kendalls(drawn: tuple[list[int], list[int]]) -> None:
    a, b = drawn
    assert kendall_tau(a, b) == pytest.approx(pair_by_pair(a, b), nan_ok=True)


@given(scores)
def test_only_the_order_matters(drawn: tuple[list[int], list[int]]) -> None:
    a, b = drawn
    tau = kendall_tau(a, b)
    assert kendall_tau(b, a) == pytest.approx(tau, nan_ok=True)
    assert kendall_tau(np.exp(a), b) == pytest.approx(tau, nan_ok=True)
    assert kendall_tau([-x for x in a], b) == pytest.approx(-tau, nan_ok=True)


def test_known_taus() -> None:
    assert kendall_tau([1, 2, 3, 4], [10, 20, 30, 40]) == 1.0
    assert kendall_tau([1, 2, 3, 4], [4, 3, 2, 1]) == -1.0
    assert kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
    assert kendall_tau([1, 1, 2], [1, 2, 3]) == pytest.approx(2 / math.sqrt(6))  # one tie
    assert math.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))
    assert math.isnan(kendall_tau([1], [1]))


def test_scores_that_have_no_order() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        kendall_tau([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="not finite"):
        kendall_tau([1, math.inf], [1, 2])


def test_an_interval_holds_its_tau_and_narrows_with_strategies() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for count in (8, 64):
        truth = rng.normal(size=count)
        found = tau_interval(truth, truth + 0.5 * rng.normal(size=count), resamples=400)
        assert -1 <= found.low <= found.value <= found.high <= 1
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2


def test_the_same_order_has_no_doubt_and_repeats_are_no_ties() -> None:
    found = tau_interval([1, 2, 3, 4, 5], [1, 4, 9, 16, 25], resamples=200)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    lost = tau_interval([1, 1, 1], [1, 2, 3], resamples=20)
    assert math.isnan(lost.value)
    assert math.isnan(lost.low)


def test_a_difference_is_paired() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=40)
    common = truth + 0.5 * rng.normal(size=40)
    worse = common + 0.5 * rng.normal(size=40)
    found = tau_difference(truth, common, worse, resamples=400)
    assert found.value == pytest.approx(kendall_tau(truth, common) - kendall_tau(truth, worse))
    assert found.low <= found.value <= found.high
    own, other = (tau_interval(truth, score, resamples=400) for score in (common, worse))
    assert found.high - found.low < own.high - own.low + other.high - other.low
    turned = tau_difference(truth, worse, common, resamples=400)
    assert (turned.value, turned.low, turned.high) == pytest.approx(
        (-found.value, -found.high, -found.low)
    )


def test_a_score_is_not_above_itself_and_none_above_one_without_an_order() -> None:
    same = tau_difference([1, 2, 3, 4], [1, 3, 2, 4], [1, 3, 2, 4], resamples=50)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert math.isnan(tau_difference([1, 2, 3], [1, 2, 3], [1, 1, 1], resamples=20).value)
    with pytest.raises(ValueError, match=r"shapes \(3,\) and \(2,\)"):
        tau_difference([1, 2, 3], [1, 2, 3], [1, 2])


def test_seed_noise() -> None:
    rng = np.random.default_rng(0)
    truth = np.linspace(0.2, 0.8, 40)
    quiet = seed_noise(truth[:, None] + 0.02 * rng.normal(size=(40, 3)))
    loud = seed_noise(truth[:, None] + 0.3 * rng.normal(size=(40, 3)))
    assert quiet.seeds == 3
    assert quiet.deviation == pytest.approx(0.02, rel=0.2)
    assert loud.deviation == pytest.approx(0.3, rel=0.2)
    assert quiet.spread == pytest.approx(0.6, abs=0.1)
    assert quiet.ceiling > 0.9 > loud.ceiling
    assert quiet.between_seeds > 0.9 > loud.between_seeds


def test_without_a_second_seed_the_noise_is_unknown() -> None:
    found = seed_noise(np.array([[0.1], [0.4]]))
    assert found.spread == pytest.approx(0.3)
    assert math.isnan(found.deviation)
    assert math.isnan(found.ceiling)
    with pytest.raises(ValueError, match=r"at least two strategies.*\(1, 2\)"):
        seed_noise(np.array([[0.1, 0.2]]))


def test_kinds_are_kept_apart() -> None:
    found = Ranking(
        kinds=("draws", "draws", "uniform draws", "uniform draws"),
        strategies=("S S", "ST S", "ST ST", "- S"),
        stand_alone=np.array([[0.5, 0.5], [0.6, 0.6], [0.9, 0.9], [0.1, 0.1]]),
        scores={"space": np.array([0.5, 0.7, 0.1, 0.2])},
        clips=10,
    )
    assert found.of("draws").strategies == ("S S", "ST S")
    assert found.of("draws").taus()["space"].value == 1.0
    assert found.of("uniform draws").taus()["space"].value == -1.0


def test_scores_above_a_baseline() -> None:
    accuracies = np.array([[0.1, 0.2], [0.4, 0.4], [0.5, 0.7], [0.9, 0.9]])
    scores = {"good": np.arange(4.0), "bad": np.array([1.0, 0.0, 3.0, 2.0])}
    found = Ranking(("draws",) * 4, ("S", "ST", "S+ST", "-"), accuracies, scores, clips=10)
    assert set(found.above("bad")) == {"good"}
    assert found.above("bad")["good"].value == pytest.approx(1 - 2 / 6)
    assert found.above("good")["bad"].value == pytest.approx(2 / 6 - 1)
    with pytest.raises(ValueError, match=r"baseline='none' is no score.*'good', 'bad'"):
        found.above("none")
