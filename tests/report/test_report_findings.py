"""The sentences of the report say what its numbers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from report_pages import CHOSEN, TIME, Reader, page, row, said, task

from vdroppath_tf.report import comparisons, findings
from vdroppath_tf.report.outputs import fields
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.scoring.listed import Draw
from vdroppath_tf.spaces.pushes import GateValues, Pushes
from vdroppath_tf.spaces.space import ProbabilitySpace

pytestmark = pytest.mark.usefixtures("quick")


def test_observations_of_the_paper_are_asked_of_the_space():
    text = " ".join(Reader(page()).text.split())
    assert "✗ does not hold" in text
    assert "I. S+ST has the highest marginal in lower layers. Strength: leads in 0 of 1 la" in text
    assert "S+ST has the highest marginal in 0 of 1 layers (0 %) of the lower half" in text
    assert "II. Higher layers prefer ST. Strength: leads in 1 of 2 layers (50 %); its mean" in text
    with_t = ProbabilitySpace(np.full((1, 2), 0.3))
    alone = TaskReport("one", "x", with_t, [row("m", "S+ST", 0.5)], with_t.mode(), 2, 9)
    assert "observations" not in Reader(page(alone)).text  # one layer has no lower half


def test_prose_when_something_was_found():
    text = said(task())
    assert "The marginals of 3 of 3 layers moved" in text
    assert "It leans to time" in text
    assert "on with probability 0.23 and the path ST (three frames) with 0.65" in text
    assert "S everywhere is at chance: it reaches 26.0 % (guessing: 25.0 %)" in text
    assert "comes from motion" in text
    assert "The chosen strategy wins: 97.0 ± 1.0 % against 90.0 ± 1.0 % for ST everywhere" in text
    assert "It costs 50 % fewer multiply-adds" in text
    assert "best of 2 draws on the clips it is scored on" in text
    assert "winner's curse" in text
    assert "the choice of a draw matters" in text


@pytest.mark.parametrize(
    ("lower", "upper", "said_of_halves"),
    [
        (
            (0.1, 0.9),
            (0.9, 0.1),
            ["leans neither", "lower 2 of 4 layers lean to space", "upper 2 of 4 layers lean to"],
        ),
        ((0.5, 0.5), (0.57, 0.43), ["leans neither", "upper 2 of 4 layers lean to time"]),
        ((0.9, 0.1), (0.9, 0.1), ["leans to time"]),
    ],
)
def test_halves_of_the_layers_that_lean_otherwise(lower, upper, said_of_halves):
    space = ProbabilitySpace([lower] * 2 + [upper] * 2)
    text = findings.space_leans(TaskReport("clips", "x", space, rows=()))
    assert text is not None
    assert all(words in text for words in said_of_halves)
    assert text.count("of 4 layers lean to") == len(said_of_halves) - 1


def test_prose_when_nothing_was_found():
    nothing = replace(
        task(s=0.25, st=0.26, both=0.24, best=0.27),
        space=ProbabilitySpace([[0.11, 0.1]] * 3, architecture="micro"),
        draws=(Draw(CHOSEN, 0.26, 1), Draw(CHOSEN, 0.27, 1)),
        predictions=(),
    )
    text = said(nothing)
    assert "stayed near its start" in text
    assert "It leans neither to space nor to time" in text
    assert "no row is clearly better. Nothing was learned" in text
    assert "not clearly better or worse than the best uniform row" in text
    assert "their ranking is noise" in text
    assert "served" not in text
    assert "wins" not in text
    assert "comes from motion" not in text


@pytest.mark.parametrize("macs", [None, 15_000_000])
def test_sentences_are_one_space_apart_with_costs_and_without(macs):
    rows = tuple(replace(one, macs=macs) for one in task().rows)
    found = comparisons.best_draw(replace(task(), rows=rows))
    assert found is not None
    assert ("It costs" in found) == (macs is not None)
    assert found.strip() == found
    assert "  " not in found
    assert ". It is the best of" in found


def test_prose_when_frames_alone_suffice_or_the_draw_loses():
    text = said(replace(task(s=0.95, st=0.95, both=0.94, best=0.80), chosen_on_same_clips=False))
    assert "S everywhere reaches 95.0 %" in text
    assert "no uniform row with a path in time is clearly better" in text
    assert "The chosen strategy loses: 80.0" in text
    assert "selection bias" not in text
    above = said(task(s=0.60))
    assert "above chance; ST everywhere is clearly better" in above


def test_a_perfect_score_still_has_an_error():
    """0 % and 100 % have a standard error of 0: one clip of 256 must not decide."""
    perfect = row("a", "S", 1.0, standard_error=0.0)
    nearly = row("b", "S", 255 / 256, standard_error=0.004)
    assert not comparisons.clearly_better(perfect, nearly, 256)
    assert comparisons.clearly_better(perfect, row("c", "S", 0.9), 256)


@pytest.mark.newest
def test_two_tasks_are_compared():
    space = ProbabilitySpace(np.array(TIME)[:, ::-1], architecture="micro")
    other = replace(task(), name="appearance", space=space)
    assert (
        "The space of appearance keeps S over ST by 0.83 more than that of motion"
        in Reader(page(task(), other)).text
    )
    assert "lean alike" in Reader(page(task(), replace(task(), name="b"))).text


def test_a_space_that_the_prior_decided_is_no_finding_about_the_data() -> None:
    """Of a collapsed space: named before all else; no observation holds; bars are hatched."""
    ones, none = np.ones((3, 2)), GateValues(np.zeros((3, 2)))
    by_prior, began = GateValues(ones), GateValues(ones / 10)
    pushes = Pushes(none, by_prior, none, by_prior, began, 4)
    space = ProbabilitySpace(ones * 0.9, layers=("stem", "body", "head"), pushes=pushes)
    collapsed = TaskReport("dull", "Few clips.", space)
    html = page(collapsed)
    text = Reader(html).text
    assert text.index("The space has collapsed") < text.index("How to read this page")
    assert "The prior decided in 3 of 3 layers, the data in 0; 0 hardly moved." in text
    assert "Hatched bars mark layers that the prior moved, and not the data." in text
    assert text.count("✗ does not hold") == 2
    assert "✓ holds" not in text
    (fields_of,) = fields(Report("A", "b", [collapsed]))["tasks"]
    assert fields_of["diagnosis"] == {
        "collapsed": "empty",
        "moved_by": ["prior"] * 3,
        "data_share": [0.0] * 3,
    }
    (other,) = fields(Report("A", "b", [task()]))["tasks"]
    assert other["diagnosis"] == {"collapsed": "", "moved_by": None, "data_share": None}


def test_draws_that_are_not_in_the_confidence_set() -> None:
    draws = [replace(draw, in_confidence_set=n == 0) for n, draw in enumerate(task().draws)]
    text = Reader(page(replace(task(), draws=draws))).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Filled draws are in the 95 % confidence set of the best, hollow ones are not." in text


def test_without_costs_none_is_compared() -> None:
    assert "It costs" in said(task())
    without = replace(task(), rows=[replace(one, macs=None) for one in task().rows])
    assert "It costs" not in said(without)


def test_a_space_without_st_does_not_lean() -> None:
    space = ProbabilitySpace([[0.1, 0.8]] * 2, branches=("S", "T"))
    assert findings.space_leans(TaskReport("x", "x", space)) is None
