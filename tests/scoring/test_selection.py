"""Selection: halves, controls, paired intervals, optimism, and the confidence set of the best."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vdroppath_tf.cost import UnitCosts
from vdroppath_tf.scoring import array_files
from vdroppath_tf.scoring.best_set import confidence_set, sign_test, within_one_error
from vdroppath_tf.scoring.choosing import choose
from vdroppath_tf.scoring.intervals import bootstrap, optimism
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.scoring.selection import select, split
from vdroppath_tf.scoring.uniform import controls, uniform_prior
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy


def scores(right: np.ndarray, seen: list[int] | None = None) -> StrategyScores:
    units = ["S", "ST", "S+ST", "-"]
    texts = [f"{a} {b}" for a in units for b in units][: len(right)]
    both = np.stack([right, np.ones_like(right)], -1)
    strategies = [FusionStrategy.parse(text) for text in texts]
    every = seen or [right.shape[1]] * len(right)
    return StrategyScores.of(strategies, both, every, np.zeros(right.shape[1], "int64"), True)


def test_scores_that_rank_nothing_say_so() -> None:
    right = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [1, 1, 0, 0]], bool)
    tied = scores(right)
    assert str(tied).splitlines()[0].endswith("so these clips rank nothing")
    assert "rank nothing" in tied._repr_html_()
    assert str(tied.best.strategy) == "S S"  # the first
    assert [str(one.strategy) for one in tied.ranked()] == ["S S", "S ST", "S S+ST"]
    right[1, 0] = True
    assert "rank nothing" not in str(scores(right))
    assert str(scores(right).best.strategy) == "S ST"
    assert "rank nothing" not in str(scores(right[:1]))  # of one strategy


def test_how_scores_are_shown() -> None:
    found = scores(np.array([[1, 0, 1, 0], [1, 1, 1, 0]], bool))
    assert repr(found) == (
        "StrategyScores(2 strategies, 4 clips, best top1=0.750 of 'S ST', recalibrated=True)"
    )
    assert repr(StrategyScores((), False)) == "StrategyScores(no strategies)"
    with pytest.raises(ValueError, match=r"no answers clip by clip. Score the clips again"):
        StrategyScores(found.scores, True).answers([found.best.strategy])


def test_mean_average_precisions_come_back(tmp_path: Path) -> None:
    one = scores(np.array([[1, 0, 1, 0], [1, 1, 1, 0]], bool))
    strategies, (right, labels) = [each.strategy for each in one], (one.right, one.labels)
    assert right is not None
    assert labels is not None
    found = StrategyScores.of(strategies, right, [4, 4], labels, True, np.array([0.25, 0.125]))
    assert str(found).splitlines()[1].split()[-1] == "map"
    path = tmp_path / "scores.npz"
    found.save(path)
    assert [each.map for each in StrategyScores.load(path)] == [0.25, 0.125]
    arrays = dict(np.load(path))
    for change, words in (
        ({"maps": np.array([0.25, 1.5])}, "expected 2 mean average precisions from 0 to 1"),
        ({"maps": np.array([0.25])}, "expected 2 mean average precisions from 0 to 1"),
        ({"format": np.array("other/1")}, r"expected the format '.*'\. Found 'other/1'"),
    ):
        np.savez(path, **{**arrays, **change})
        with pytest.raises(ValueError, match=rf"scores\.npz: {words}"):
            StrategyScores.load(path)


def test_scores_that_are_too_large_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores(np.ones((2, 4), bool)).save(tmp_path / "scores.npz")
    monkeypatch.setattr(array_files, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match=r"scores\.npz: .*it holds [0-9]+ bytes, more than 100"):
        StrategyScores.load(tmp_path / "scores.npz")


def test_halves_class_by_class() -> None:
    labels = np.repeat([0, 1, 2], [10, 7, 1])
    first, second = split(labels, seed=3)
    assert sorted([*first, *second]) == list(range(18))
    counts = [np.bincount(labels[half], minlength=3) for half in (first, second)]
    assert np.abs(np.subtract(*counts)).max() <= 1
    assert [part.tolist() for part in split(labels, seed=3)] == [first.tolist(), second.tolist()]
    assert split(labels, seed=4)[0].tolist() != first.tolist()
    assert np.any(np.diff(labels[first]) < 0)  # not class by class
    for few in ([], [1]):
        with pytest.raises(ValueError, match=f"at least 2 of them. Received: {len(few)}"):
            split(few)


def test_controls_are_what_the_network_can_run() -> None:
    whole = ProbabilitySpace(np.full((3, 2), 0.1), has_residual=[True, False, True])
    names = ["S everywhere", "ST everywhere", "S+ST everywhere", "uniform draw 1"]
    assert list(controls(whole, 1)) == names
    assert str(controls(whole, 0)["S+ST everywhere"]) == "S+ST S+ST S+ST"
    drop = np.array([[0.1, 0.1], [1.0, 0.1]])
    assert list(controls(ProbabilitySpace(drop, drop), 0)) == ["ST everywhere"]
    temporal = ProbabilitySpace(np.full((2, 2), 0.1), branches=("S", "T"))
    assert list(controls(temporal, 0)) == ["S everywhere"]


def test_a_uniform_prior_knows_nothing() -> None:
    drop = np.array([[0.001, 0.9], [1.0, 0.3]])
    initial = [[0.1, 0.1], [1.0, 0.1]]
    prior = uniform_prior(ProbabilitySpace(drop, initial, has_residual=[True, False]))
    np.testing.assert_array_equal(np.concatenate(prior.drop), [[0.5, 0.5], [1.0, 0.5]])
    assert all(drawn[1] == "ST" for drawn in prior.sample(20))
    own = ProbabilitySpace((np.full((1, 2), 0.1), np.full((2, 2), 0.3)))
    assert [np.unique(layer).tolist() for layer in uniform_prior(own).drop] == [[0.5], [0.5]]


def test_intervals_are_paired() -> None:
    """Two strategies that differ on few clips: each is uncertain, their difference is not."""
    first = np.arange(400) % 2 == 0
    second = first.copy()
    second[:8] = False  # 4 of them were right
    (own, same), (_, difference) = bootstrap(np.stack([first, second]))
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert own.value == 0.5
    assert own.high - own.low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 400), rel=0.1)
    assert difference.value == pytest.approx(-0.01)
    assert -0.022 < difference.low < difference.high <= 0.0
    assert bootstrap(np.stack([first, second])) == bootstrap(np.stack([first, second]))


def test_intervals_hold_the_truth_as_often_as_stated() -> None:
    rng, held = np.random.default_rng(2), 0
    for n in range(200):
        right = rng.random((2, 150)) < np.array([[0.7], [0.6]])
        difference = bootstrap(right, level=0.9, resamples=200, seed=n)[1][1]
        held += difference.low <= -0.1 <= difference.high
    assert 0.84 <= held / 200 <= 0.95


def test_optimism_is_about_what_luck_gives() -> None:
    """Many equal strategies: the best looks better than it is; one alone does not."""
    gaps, luck = [], []
    for n in range(10):
        right = np.random.default_rng(n).random((40, 100)) < 0.6
        gaps.append(optimism(right, resamples=200))
        luck.append(right.mean(1).max() - 0.6)
    # in a resample the best has the luck of these clips and that of the resample
    assert np.mean(luck) < np.mean(gaps) < 2.5 * np.mean(luck)
    assert abs(optimism(right[:1], resamples=500)) < 0.02


def test_the_sign_test_by_hand() -> None:
    assert sign_test(5, 0) == pytest.approx(1 / 32)
    assert sign_test(4, 1) == pytest.approx(6 / 32)
    assert sign_test(2, 2) == sign_test(0, 0) == 1.0


def test_the_best_is_in_its_confidence_set() -> None:
    rng, missed = np.random.default_rng(5), 0
    accuracies = np.array([0.7, 0.69, 0.6, 0.3])
    for _ in range(300):
        kept = confidence_set(rng.random((4, 120)) < accuracies[:, None], 0.2)
        missed += 0 not in kept
        assert 3 not in kept
    assert missed / 300 <= 0.2
    assert confidence_set(np.ones((3, 5), bool)) == [0, 1, 2]
    right = np.array([[True] * 9, [False] * 9])
    assert confidence_set(right, 0.05) == [0]
    assert confidence_set(right[:, :4], 0.05) == [0, 1]  # 1/16 is more than .05


def test_selection_is_made_on_some_clips_and_reported_on_others() -> None:
    chosen_on = scores(np.array([[True] * 6 + [False] * 4, [True] * 9 + [False], [False] * 10]))
    reported = scores(np.array([[True] * 20, [True, False] * 10, [False] * 20]))
    named = {"S everywhere": FusionStrategy.parse("S S"), "again": FusionStrategy.parse("S ST")}
    result = select(chosen_on, reported, named, rule="accurate")
    assert (str(result.strategy), result.top1_chosen_on) == ("S ST", 0.9)
    assert result.clips == (10, 20)
    assert [row.name for row in result.rows] == ["selected", "S everywhere", "again"]
    assert [row.top1 for row in result.rows] == [0.5, 1.0, 0.5]
    assert [row.difference.value for row in result.rows if row.difference] == [0.0, 0.5, 0.0]
    assert [row.interval.value for row in result.rows if row.interval] == [0.5, 1.0, 0.5]
    assert result.beaten_by is result.rows[1]
    same = select(chosen_on, reported, {"again": named["again"]}, rule="accurate")
    assert same.beaten_by is None
    again = result.rows[2].difference  # the selected strategy under another name
    assert again is not None
    assert again.low == again.high == 0.0
    assert [str(one) for one in result.confidence_set] == ["S S", "S ST"]
    with pytest.raises(ValueError, match="'- -' was not scored"):
        select(chosen_on, reported, {"none": FusionStrategy.parse("- -")}, rule="accurate")


def costs_of_units(s: int, st: int, *, layers: int = 2) -> UnitCosts:
    """A table of two paths that cost as much in every layer, in a network of 100 MACs beside."""
    paths = np.tile(np.array([s, st], "int64"), (2, 1, 1))
    nothing = np.zeros((2, layers), "int64")
    return UnitCosts(np.array([0, 100]), nothing, nothing, (paths,) * layers, ("S", "ST"))


def test_of_those_that_may_be_the_best_the_cheapest_is_chosen() -> None:
    """S S misses one clip that S ST has right, which decides nothing; S S+ST misses all."""
    right = np.ones((3, 10), bool)
    right[0, 0] = False
    right[2] = False
    found, costs = scores(right), costs_of_units(10, 20)
    assert str(found.best.strategy) == "S ST"
    assert str(choose(found, costs).strategy) == "S S"
    assert str(choose(found, costs, rule="accurate").strategy) == "S ST"
    assert str(choose(found, costs_of_units(20, 10)).strategy) == "S ST"
    alike = choose(found, costs_of_units(10, 10))  # equally cheap: the more accurate
    assert str(alike.strategy) == "S ST"
    result = select(found, found, {"S everywhere": FusionStrategy.parse("S S")}, costs=costs)
    assert (str(result.strategy), result.top1_chosen_on, result.rule) == ("S S", 0.9, "cheapest")
    assert [row.name for row in result.rows] == ["selected", "most accurate", "S everywhere"]
    with pytest.raises(ValueError, match=r"'cheapest' needs costs=.*rule='accurate'"):
        choose(found)
    with pytest.raises(ValueError, match="'cheapest' needs costs="):
        select(found, found, {})
    with pytest.raises(ValueError, match=r"Unknown rule\. Did you mean 'cheapest'"):
        choose(found, costs, rule="cheap")


def test_what_a_race_dropped_is_not_chosen(tmp_path: Path) -> None:
    right = np.array([[True] * 4 + [False] * 4, [True] * 5 + [False] * 3])
    raced = scores(np.where([[False], [True]], right, right & (np.arange(8) < 4)), [4, 8])
    assert [score.top1 for score in raced] == [1.0, 0.625]
    assert str(raced.best.strategy) == "S ST"
    assert str(choose(raced, costs_of_units(1, 99)).strategy) == "S ST"
    raced.save(tmp_path / "a.npz")
    again = StrategyScores.load(tmp_path / "a.npz")
    assert list(again) == list(raced)
    np.testing.assert_array_equal(again.right, raced.right)
    np.testing.assert_array_equal(again.labels, raced.labels)
    assert again.recalibrated


def test_files_that_hold_no_answers(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match=r"a\.npz: not a file of"):
        StrategyScores.load(path)
    np.savez(path, format=np.array([{"an": "object"}], object))
    with pytest.raises(ValueError, match=r"a\.npz: not a file of"):
        StrategyScores.load(path)
    np.savez(path, format=np.array("other/1"))
    with pytest.raises(ValueError, match=r"a\.npz: not a file of"):
        StrategyScores.load(path)
    right = scores(np.ones((2, 3), bool))
    right.save(path)
    fields = dict(np.load(path))
    np.savez(path, **{**fields, "right": fields["right"][:, :2]})
    with pytest.raises(ValueError, match=r"a\.npz: expected answers of shape \(2, 3, 2\)"):
        StrategyScores.load(path)
    np.savez(path, **{**fields, "seen": np.array([3, 4])})
    with pytest.raises(ValueError, match=r"a\.npz: strategies saw \[3, 4\] of 3 clips"):
        StrategyScores.load(path)
    with pytest.raises(ValueError, match="hold no answers"):
        StrategyScores(right.scores, True).save(path)


def test_within_one_standard_error_of_the_most_accurate() -> None:
    """By hand: both have 6 of 100 clips fewer; the errors are 2.7 and 8.1 clips."""
    clips = np.arange(100)
    best = clips < 60
    far, near = clips < 54, (clips >= 36) & (clips < 90)  # 54 right each
    assert within_one_error(np.stack([far, best, near])) == [1, 2]
    one_fewer = clips < 59  # a clip is no evidence
    assert within_one_error(np.stack([one_fewer, best])) == [0, 1]
    assert within_one_error(best[None]) == [0]
