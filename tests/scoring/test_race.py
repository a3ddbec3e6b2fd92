"""Race: evidence is a fair bet, the best is kept as often as promised, the worse are dropped."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vdroppath_tf.scoring.race import Race, log_evidence


def test_evidence_is_the_integral_it_says() -> None:
    p = np.linspace(0.5, 1.0, 200_001)
    for wins, losses in ((0, 0), (1, 0), (0, 3), (5, 2), (30, 11)):
        odds = (2 * p) ** wins * (2 * (1 - p)) ** losses
        expected = 2 * ((odds[1:] + odds[:-1]) / 2 * np.diff(p)).sum()
        found = log_evidence(np.array(wins), np.array(losses), np.array(7))
        assert math.exp(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("agree", [0.0, 0.5, 0.7])
@pytest.mark.parametrize("seen", [(0, 0, 0), (1, 9, 0), (7, 0, 80), (400, 300, 900)])
def test_evidence_is_a_fair_bet(seen: tuple[int, ...], agree: float, margin: float) -> None:
    """Against one that is better by the margin the next clip changes nothing on average."""

    def evidence(counts: np.ndarray) -> float:
        return float(log_evidence(counts[0], counts[1], counts[2], margin))

    counts = np.array(seen)
    nexts = [evidence(counts + step) for step in np.eye(3, dtype="int64")]
    loses = (1 - agree + margin) / 2  # of accuracies that differ by the margin
    chances = np.log(np.maximum([1 - agree - loses, loses, agree], 1e-300))
    assert np.logaddexp.reduce(np.array(nexts) + chances) == pytest.approx(
        evidence(counts), abs=1e-9
    )


def answers(rng: np.random.Generator, accuracies: np.ndarray, clips: int) -> np.ndarray:
    """Strategies that mostly agree: what is hard for one is hard for all."""
    hard = rng.random(clips) < 0.5
    own = rng.random((len(accuracies), clips)) < accuracies[:, None]
    return np.where(hard, own, True)


def run(
    rng: np.random.Generator,
    accuracies: np.ndarray,
    level: float,
    clips: int = 240,
    margin: float = 0.0,
) -> Race:
    race = Race(len(accuracies), level, margin)
    for _ in range(clips // 12):
        race.after(answers(rng, accuracies, 12))
    return race


def test_the_best_is_lost_at_most_as_often_as_stated() -> None:
    """In the worst case, where all are equally good, at every one of many looks."""
    rng, level, races = np.random.default_rng(0), 0.2, 400
    lost = sum(0 not in run(rng, np.full(6, 0.6), level).active for _ in range(races))
    assert lost / races <= level
    near = np.array([0.62, 0.6, 0.6, 0.55, 0.5, 0.4])
    lost = sum(0 not in run(rng, near, level).active for _ in range(races))
    assert lost / races <= level


def test_a_level_without_correction_would_lose_it_more_often() -> None:
    """Or the test above could not fail."""
    rng, races, lost = np.random.default_rng(0), 200, 0
    for _ in range(races):
        race = Race(6, 0.2)
        race.enough = 0.3
        for _ in range(20):
            race.after(answers(rng, np.full(6, 0.6), 12))
        lost += 0 not in race.active
    assert lost / races > 0.2


def test_who_cannot_win_is_dropped() -> None:
    race = run(np.random.default_rng(1), np.array([0.9, 0.88, 0.3, 0.2]), 0.05)
    assert race.active == [0, 1]
    race = run(np.random.default_rng(1), np.array([0.3, 0.95]), 0.05)
    assert race.active == [1]


@pytest.mark.parametrize(("clips", "left"), [(5, 9), (8, 8)])
def test_the_evidence_of_several_adds_up(clips: int, left: int) -> None:
    """Eight clips are too few for any one of the eight tests against the last strategy."""
    race = Race(9, 0.05)
    single = float(log_evidence(np.array(clips), np.array(0), np.array(0)))
    assert single < math.log(8 / 0.05) == race.enough
    right = np.ones((9, clips), bool)
    right[8] = False
    assert len(race.after(right)) == left
    assert (single + math.log(8) >= race.enough) == (left == 8)


def test_a_stopped_test_stays_in_the_mean() -> None:
    """One that is ahead of another remains evidence against it after it was dropped."""
    race = Race(3, 0.05)
    race.wins[0, 2], race.active = 7, [1, 2]
    alone = np.array([[False] * 5, [True] * 5, [False] * 5])
    assert float(log_evidence(np.array(5), np.array(0), np.array(0))) < race.enough
    assert race.after(alone) == [1]
    assert Race(3, 0.05).after(alone) == [0, 1, 2]


def test_equals_are_dropped_within_a_margin() -> None:
    """And whoever wins comes that near to the best as often as stated."""
    rng, level, margin, races = np.random.default_rng(2), 0.2, 0.05, 100
    accuracies = np.array([0.9, 0.89, 0.88, 0.87, 0.6, 0.4])  # halved: half of the clips are easy
    left, far = [], 0
    for _ in range(races):
        race = run(rng, accuracies, level, 1200, margin)
        left.append(len(race.active))
        far += max(accuracies[race.active]) <= accuracies[0] - 2 * margin
    assert np.mean(left) < 2.5
    assert np.mean([len(run(rng, accuracies, level, 1200).active) for _ in range(20)]) > 3
    assert far / races <= level


def test_who_stands_for_a_better_one_is_dropped_by_a_better_one_only() -> None:
    """Else small steps down would add up to more than the margin."""
    places = np.arange(2000) / 2000
    as_good = np.array([places < 0.6, places < 0.599])  # 2 clips to none: says nothing
    better = np.array([places < 0.6, places < 0.59])  # 20 clips to none
    for answers_of, kept, left, stand in (
        (as_good, set(), [0], {0}),
        (as_good, {1}, [0, 1], {1}),
        (better, set(), [0], set()),
        (better, {1}, [0], {0, 1}),
    ):
        race = Race(2, 0.05, 0.05)
        race.kept = set(kept)
        assert race.after(answers_of) == left
        assert race.kept == stand


def test_rows_of_the_dropped_count_for_nothing() -> None:
    race = Race(3, 0.05)
    right = np.array([[True] * 40, [True] * 40, [False] * 40])
    assert race.after(right) == [0, 1]
    assert race.after(~right) == [0, 1]
    assert race.total.tolist() == [40, 40, 0]


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 2.0])
def test_levels(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Race(3, level)


@pytest.mark.parametrize("margin", [-0.1, 1.0])
def test_margins(margin: float) -> None:
    with pytest.raises(ValueError, match="margin must be 0 or more"):
        Race(3, 0.05, margin)
