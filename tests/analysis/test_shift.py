from __future__ import annotations

import re

import numpy as np
import pytest

from vdroppath_tf.analysis.shift import shift_of
from vdroppath_tf.figures.shift import figure_shift
from vdroppath_tf.spaces.space import ProbabilitySpace


def space(*on: tuple[float, float]) -> ProbabilitySpace:
    """A layer for each (P(S on), P(ST on)), in Eq. 7's form: p is (1 - q)^2."""
    return ProbabilitySpace((1 - np.array(on)) ** 2)


FULL = [space((0.2, 0.8), (0.4, 0.6)), space((0.1, 0.9), (0.4, 0.6))]
HALVED = [space((0.5, 0.5), (0.6, 0.6)), space((0.5, 0.7), (0.6, 0.8))]


def test_known_shifts() -> None:
    found = shift_of(FULL, HALVED, names=("full", "halved"))
    assert found.names == ("full", "halved")
    assert found.lean_by_layer[0].tolist() == [
        pytest.approx([-0.6, -0.2]),
        pytest.approx([-0.8, -0.2]),
    ]
    assert found.lean.tolist() == [pytest.approx([-0.4, -0.5]), pytest.approx([0.0, -0.2])]
    assert found.shift.tolist() == pytest.approx([0.4, 0.3])
    assert found.standard_error == pytest.approx(0.05)
    assert found.interval == pytest.approx((0.35 - 12.7062 * 0.05, 0.35 + 12.7062 * 0.05))
    # P(S) is P(S on) P(ST off)
    assert found.unit("S")[0].tolist() == [
        pytest.approx([0.04, 0.16]),
        pytest.approx([0.01, 0.16]),
    ]
    assert found.unit("ST")[1, 1].tolist() == pytest.approx([0.35, 0.32])


def test_the_other_way_is_as_far() -> None:
    there, back = shift_of(FULL, HALVED), shift_of(HALVED, FULL)
    np.testing.assert_allclose(there.shift, -back.shift)
    np.testing.assert_allclose(shift_of(FULL, FULL).shift, 0.0)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (
            [(0.5, 0.5), (0.5, 0.6), (0.5, 0.5)],
            r"Shifted towards S: \+0\.567 on average, 95 % interval \+0\.423 to \+0\.710; towards "
            r"S in 3 of 3 seeds\.",
        ),
        ([(0.2, 0.8), (0.3, 0.7), (0.15, 0.9)], r"No shift .*: \+0\.017 on average.* in 1 of 3"),
        ([(0.1, 1.0), (0.1, 0.9), (0.1, 1.0)], r"Shifted towards ST: -0\.267 on average"),
        # two seeds, both far towards S: too few for Student's t
        ([(0.4, 0.6), (0.7, 0.4)], r"No shift .*: \+0\.650 on average.* towards S in 2 of 2 seeds"),
        ([(0.3, 0.8), (0.2, 0.9)], r"No shift beyond .* towards S in 1 and towards ST in 1 of 2 s"),
        ([(0.2, 0.8)] * 3, r"No shift: .* is the same before and after in each of 3 seeds\.$"),
        ([(0.2, 0.8)], r"No shift: .* is the same before and after in the one seed\.$"),
    ],
)
def test_the_verdict(after: list[tuple[float, float]], words: str) -> None:
    before = [space((0.2, 0.8))] * len(after)
    assert re.match(words, shift_of(before, [space(on) for on in after]).verdict)


def test_one_seed_is_no_verdict() -> None:
    found = shift_of(FULL[:1], HALVED[:1])
    assert np.isnan(found.standard_error)
    assert found.verdict == "Shifted by +0.400; with one seed this may be due to chance."


def test_gates_per_input_count_by_their_mean() -> None:
    one = ProbabilitySpace((np.array([[0.0, 1.0], [1.0, 0.0]]),))  # S from one input, ST from one
    other = ProbabilitySpace((np.array([[0.0, 1.0], [0.0, 1.0]]),))
    found = shift_of([one], [other])
    assert found.shift.tolist() == [1.0]
    figure_shift(found)


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        (FULL, HALVED[:1], "2 before, 1 after"),
        ([], [], "0 before, 0 after"),
        ([ProbabilitySpace(np.full((2, 1), 0.1), branches=("ST",))] * 2, HALVED, "needs both"),
        (FULL[:1], [space((0.1, 0.1))], "Expected spaces of one network"),
    ],
)
def test_what_is_refused(
    before: list[ProbabilitySpace], after: list[ProbabilitySpace], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        shift_of(before, after)


def test_the_figure_draws_bars_and_every_seed() -> None:
    figure = figure_shift(shift_of(FULL, HALVED, names=("full", "halved")))
    full, halved, change = figure.axes
    assert [axes.get_title() for axes in (full, halved)] == ["full, mean of 2", "halved, mean of 2"]
    for axes in (full, halved):
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(2.0)
    means = [bar.get_height() for bar in change.patches]
    assert means == pytest.approx([0.6, 0.1])
    *seeds, _ = [list(line.get_ydata()) for line in change.lines]
    assert seeds == [pytest.approx([0.6, 0.2]), pytest.approx([0.6, 0.0])]
