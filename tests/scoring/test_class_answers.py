"""Answers class by class: the confusion matrix, gains with intervals and tests, and CSV files."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from scipy import stats

from vdroppath_tf.analysis import ClassGains, class_gains
from vdroppath_tf.figures.gains import figure_gains, shown_classes
from vdroppath_tf.files import csv_text, plain_cell
from vdroppath_tf.scoring import ClassAnswers, holm, paired_interval, paired_p_value

LABELS = ("a", "b", "c")
TRUTHS, ANSWERS = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0, 2])


def test_the_confusion_matrix_counts_every_clip() -> None:
    found = ClassAnswers(LABELS, TRUTHS, ANSWERS, "abc")
    assert found.confusion.tolist() == [[1, 2, 0], [1, 1, 1], [0, 0, 0]]
    first, second, third = found.class_lines()
    assert (first[:4], first[6:]) == (["a", 3, 1, 1 / 3], ["b", 2])
    assert second[6:] == ["a", 1]  # of equals, the first
    assert third == ["c", 0, 0, None, None, None, None, None]
    same = ClassAnswers.of_fields(LABELS, json.loads(json.dumps(found.fields())))
    assert same.confusion.tolist() == found.confusion.tolist()
    assert same.digest == "abc"


@pytest.mark.parametrize(
    ("truths", "answers"),
    [([0, 3], [0, 0]), ([0], [-1]), ([0], [0, 1]), ([0.5], [0]), ([[0]], [0])],
)
def test_answers_that_are_no_classes(truths: list[float], answers: list[int]) -> None:
    with pytest.raises(ValueError, match="Received"):
        ClassAnswers(LABELS, np.array(truths), np.array(answers), "")


def test_gains_are_paired() -> None:
    truths = np.repeat([0, 1, 2], [20, 20, 1])
    other = np.repeat([False, True, False, True], [10, 10, 20, 1])
    one = np.repeat([True, True, False, False], [10, 10, 20, 1])
    found = class_gains(("x", "y", "z", "no clip"), truths, one, other, one="A", other="B")
    assert found.gain[:3].tolist() == [0.5, 0.0, -1.0]
    assert np.isnan(found.gain[3])
    assert (found.wins.tolist(), found.losses.tolist()) == ([10, 0, 0, 0], [0, 0, 1, 0])
    assert found.order == [0, 1, 2]
    assert found.clear().tolist() == [True, False, False, False]
    assert "1 of 3 classes gain and 0 lose" in found.verdict
    assert "x: 50 to 100 % of 20 clips" in found.verdict
    low, high = found.intervals()[1]
    assert low < 0 < high  # no clip tells the two apart: the interval has a width
    same = ClassGains.of_fields(json.loads(json.dumps(found.fields())))
    np.testing.assert_array_equal(same.lines(), found.lines())
    changed = {**found.fields(), "wins": [9, 0, 0, 0]}
    with pytest.raises(ValueError, match="that fit each other"):
        ClassGains.of_fields(changed)
    with pytest.raises(ValueError, match="same clips"):
        class_gains(("x",), truths, one, other[:-1])
    with pytest.raises(ValueError, match=r"classes from 0 to 0\. Received: 0 to 2"):
        class_gains(("x",), truths, one, other)
    with pytest.raises(ValueError, match="integer numbers of clips"):
        ClassGains.of_fields({**found.fields(), "clips": [20.5, 20, 1, 0]})
    unnamed = class_gains(("x", "y", "z"), truths, one, other)
    assert unnamed.verdict.startswith("the first network against the second network, class by")


def test_classes_without_a_clip() -> None:
    none = class_gains(("x",), np.zeros(0, int), np.zeros(0), np.zeros(0), one="A", other="B")
    assert none.verdict == "No class has a clip, so A and B cannot be compared."
    with pytest.raises(ValueError, match="Expected a class with clips"):
        figure_gains(none)


def test_many_classes_are_drawn_from_either_end() -> None:
    truths = np.repeat(np.arange(40), 40)
    wins = np.tile(np.arange(40), 40) < truths  # class k gains k of 40
    many = class_gains([f"c{k}" for k in range(40)], truths, wins, np.zeros(1600, bool))
    assert shown_classes(many) == [*range(39, 27, -1), *range(11, -1, -1)]


def test_the_exact_test_is_scipys() -> None:
    for wins, losses in ((7, 1), (1, 7), (3, 3), (0, 0), (12, 5)):
        wanted = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
        assert paired_p_value(wins, losses) == pytest.approx(wanted)


def test_holm_steps_down() -> None:
    assert holm(np.array([0.01, np.nan, 0.04, 0.03])).tolist() == [True, False, False, False]
    assert holm(np.array([0.01, 0.02, 0.04])).tolist() == [True, True, True]


def test_intervals_cover_the_difference() -> None:
    """Of pairs that are drawn with a known difference, on as few clips as a class has."""
    rng = np.random.default_rng(0)
    for won, lost in ((0.3, 0.1), (0.05, 0.05), (0.6, 0.0)):
        drawn = rng.multinomial(24, [won, lost, 1 - won - lost], 2000)
        ends = paired_interval(drawn[:, 0], drawn[:, 1], np.full(2000, 24))
        inside = (ends[:, 0] <= won - lost) & (won - lost <= ends[:, 1])
        assert 0.93 <= inside.mean() <= 1.0


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@a", "\ta", "'=a", "''=a", "\uff1da"])
def test_no_name_is_a_formula(name: str) -> None:
    (line,) = list(csv.reader(io.StringIO(csv_text([name], []), newline="")))
    assert line[0] == f"'{name}"
    assert plain_cell(line[0]) == name


@pytest.mark.parametrize("name", ['a,b"c', "it's", "- S ST", "S+ST -", "", "'a", "a=b", "naïve\nb"])
def test_other_names_are_as_they_are(name: str) -> None:
    (line,) = list(csv.reader(io.StringIO(csv_text([name, "x"], []), newline="")))
    assert line[0] == name
    assert plain_cell(name) == name


def test_numbers_come_back() -> None:
    assert csv_text(["n"], [[-0.1], [None], [True]]) == 'n\n-0.1\n""\nTrue\n'
