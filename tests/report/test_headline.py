"""The first sentence of a report: every case of it, from rows, from a selection, from tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vdroppath_tf.report import choice, items
from vdroppath_tf.report import sections as report_sections
from vdroppath_tf.report.headline import headline, headlines
from vdroppath_tf.report.outputs import fields
from vdroppath_tf.report.page import render_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.report.trials import TrialTable, TriedRow
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.listed import DRAWN, STAND_ALONE, Row
from vdroppath_tf.scoring.selection import Selection
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

CHOSEN = "S S ST"
MACS = {"S": 20, "ST": 30, "S+ST": 40}


def row(units: str, top1: float, macs: int | None, note: str = STAND_ALONE, **more: Any) -> Row:
    return Row(units, units, top1, (top1 * (1 - top1) / 1000) ** 0.5, 9, macs, note=note, **more)


def task(
    chosen: float, s: float, st: float, both: float, macs: int | None = 25, **more: Any
) -> TaskReport:
    tops = dict(zip(MACS, (s, st, both), strict=True))
    rows = [row(" ".join([u] * 3), top1, MACS[u]) for u, top1 in tops.items()]
    rows += [row(CHOSEN, 0.5, macs, DRAWN), row(CHOSEN, chosen, macs, "derived")]
    space = ProbabilitySpace(np.full((3, 2), 0.2))
    strategy = FusionStrategy.parse(CHOSEN)
    return TaskReport("clips", "x", space, rows, strategy, classes=4, clips=1000, **more)


def said(one: TaskReport) -> str:
    return (headline(one) or "").replace("\N{NO-BREAK SPACE}", " ")


def test_a_choice_by_trials_is_called_one() -> None:
    row = TriedRow(CHOSEN, "uniform prior", 0.5, 0.9)
    trials = TrialTable([row], CHOSEN, FusionStrategy.parse(CHOSEN), (8, 16), 100)
    of_template, of_trials = (
        said(task(0.9, 0.3, 0.8, 0.7, trials=known)) for known in (None, trials)
    )
    assert of_trials == (
        f"{of_template} Chosen among strategies trained stand-alone (trials), not by the "
        "template's scores."
    )


@pytest.mark.parametrize(
    ("tops", "sentence"),
    [
        (
            (0.9, 0.3, 0.8, 0.7),
            "10.0 ± 1.6 points better than the best uniform network, ST everywhere (90.0 % against "
            "80.0 % on 1,000 clips), with 17 % fewer multiply-adds.",
        ),
        (
            (0.9, 0.3, 0.7, 0.91),
            "as accurate as the best uniform network, S+ST everywhere, to within 3.6 points "
            "(90.0 % against 91.0 % on 1,000 clips), with 38 % fewer multiply-adds.",
        ),
        (
            (0.9, 0.91, 0.7, 0.92),
            "nothing was gained: the chosen strategy is not clearly better than S everywhere "
            "(90.0 % against 91.0 % on 1,000 clips: −1.0 ± 1.3 points), with 25 % more "
            "multiply-adds.",
        ),
        (
            (0.6, 0.3, 0.8, 0.7),
            "20.0 ± 2.0 points worse than the best uniform network, ST everywhere (60.0 % against "
            "80.0 % on 1,000 clips), with 17 % fewer multiply-adds.",
        ),
        (
            (0.26, 0.24, 0.25, 0.27),
            "nothing was learned: neither the chosen strategy nor any uniform one is clearly "
            "better than guessing (25.0 %).",
        ),
    ],
)
def test_every_outcome(tops: tuple[float, float, float, float], sentence: str) -> None:
    assert said(task(*tops)) == sentence


def test_so_few_clips_do_not_make_two_networks_equal() -> None:
    few = replace(task(0.85, 0.3, 0.7, 0.9), clips=20)
    assert "not clearly different from the best uniform network, S+ST everywhere" in said(few)
    assert "it may be up to 26 points worse" in said(few)


def test_few_clips_show_what_they_can() -> None:
    """Both sentences of a report take the same interval against guessing."""
    assert "learned" not in said(replace(task(0.83, 0.3, 0.7, 0.83), clips=6))
    unsure = said(replace(task(0.5, 0.3, 0.4, 0.5), clips=6))
    assert unsure.startswith("6 clips do not show that anything was learned: neither")


def test_without_costs_nothing_is_called_cheaper() -> None:
    assert "multiply-adds" not in said(task(0.9, 0.3, 0.8, 0.7, macs=None))
    assert "nothing was gained" in said(task(0.9, 0.3, 0.7, 0.91, macs=None))


@pytest.mark.parametrize(
    ("top1", "sentence"),
    [
        (0.86, "better than it (+6.0 ± 1.7 points)."),
        (
            0.81,
            "not clearly different from it (+1.0 ± 1.8 points): the gain lies in the training of "
            "the template, not in the strategy.",
        ),
        (
            0.7,
            "worse than it (−10.0 ± 1.9 points): the gain lies in the training of the template, "
            "not in the strategy.",
        ),
    ],
)
def test_what_the_strategy_gives_by_itself_stands_beside_its_network(
    top1: float, sentence: str
) -> None:
    one = task(0.9, 0.3, 0.8, 0.7)
    both = replace(one, rows=[*one.rows, row(CHOSEN, top1, 25)])
    assert both.trained is one.rows[-1]
    first, second = said(both).split(" Trained stand-alone just as long, the chosen strategy is ")
    assert first == said(one)
    assert second == sentence
    alone = replace(one, rows=[*one.rows[:3], row(CHOSEN, 0.9, 25)])
    assert said(alone) == said(one)


def test_the_network_that_is_kept_comes_first() -> None:
    """The stand-alone one, where it answered more validation clips than the derived one."""
    one = task(0.4, 0.3, 0.8, 0.7)
    alone = replace(row(CHOSEN, 0.9, 25), name="chosen, stand-alone")
    both = replace(one, rows=[*one.rows, alone], kept="chosen, stand-alone")
    assert both.trained is alone
    assert said(both) == said(task(0.9, 0.3, 0.8, 0.7))


def test_a_uniform_choice_gains_nothing() -> None:
    one = task(0.9, 0.3, 0.8, 0.7)
    uniform = FusionStrategy.parse("ST ST ST")
    rows = [*one.rows[:3], row("ST ST ST", 0.9, 30, "derived")]
    found = said(replace(one, chosen=uniform, rows=rows))
    assert found == "nothing was gained: the chosen strategy is a uniform one, ST everywhere."


def selected(top1: float, apart: Interval) -> TaskReport:
    """A selected strategy, and how far the uniform control is from it, clip by clip."""

    def measured(units: str, value: float, difference: Interval) -> Row:
        ends = Interval(value, value - 0.05, value + 0.05)
        return Row.measured(units, units, ends, difference, 1000)

    itself = Interval(0.0, 0.0, 0.0)
    rows = [measured(CHOSEN, top1, itself), measured("ST ST ST", top1 + apart.value, apart)]
    strategy = FusionStrategy.parse(CHOSEN)
    found = Selection(strategy, top1, 0.0, tuple(rows), (strategy,), 0.05, 0.95, (1000, 1000))
    space = ProbabilitySpace(np.full((3, 2), 0.2))
    return TaskReport("x", "x", space, rows, strategy, clips=1000, selection=found)


def test_a_selection_is_compared_clip_by_clip() -> None:
    assert said(selected(0.9, Interval(-0.02, -0.03, -0.01))) == (
        "With the template's weights, which are not trained for one strategy: 2.0 ± 0.5 points "
        "better than the best uniform network, ST everywhere (90.0 % against 88.0 % on 1,000 "
        "clips)."
    )
    assert "nothing was gained" in said(selected(0.9, Interval(-0.02, -0.05, 0.01)))
    one = selected(0.9, Interval(-0.02, -0.03, -0.01))
    unknown = replace(one.rows[1], difference=None)
    assert one.selection is not None
    without = replace(one, selection=replace(one.selection, optimism=float("inf")))
    reached, *_ = choice.chosen(without)
    assert "of the best of 1 is unknown." in reached.replace("\N{NO-BREAK SPACE}", " ")
    assert any("better than ST ST ST" in sentence for sentence in choice.chosen(one))
    without = replace(one, rows=[one.rows[0], unknown])
    assert not any("Clip by clip" in sentence for sentence in choice.chosen(without))
    assert "of the best uniform" not in said(without)


def test_a_collapsed_space_is_named_before_the_result() -> None:
    one = task(0.9, 0.3, 0.8, 0.7)
    collapsed = replace(one, space=ProbabilitySpace(np.full((3, 2), 0.999)))
    ((_, sentence),) = headlines(Report("Title", "today", [collapsed]))
    assert sentence.startswith("The space has collapsed")
    assert said(one)[1:] in sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_tested_networks_are_compared_where_they_answered_the_same_videos() -> None:
    def tested(units: str, top1: float, digest: str = "a") -> items.Tested:
        return items.Tested(
            row(units, top1, 25), items.DataUsed("testing", "x", digest, 1000, "one", 1000)
        )

    space = ProbabilitySpace(np.full((3, 2), 0.2))
    networks = [tested(CHOSEN, 0.9), tested("ST ST ST", 0.8), tested("S S S", 0.95, "other")]
    chosen = FusionStrategy.parse(CHOSEN)
    one = TaskReport("x", "x", space, chosen=chosen, rows=[row(CHOSEN, 0.1, 25)], clips=9)
    found = said(replace(one, tested=networks))
    assert found.startswith("10.0 ± 1.6 points better than the best uniform network, ST everywhere")
    assert found.endswith("with the same multiply-adds.")
    assert "guessing" not in said(replace(one, tested=networks[::2]))
    found = said(replace(one, tested=networks[::2], classes=4))
    assert found == (
        "the chosen strategy's network answers 90.0 % of 1,000 test videos right (95 % interval "
        "88.0 % to 91.7 %), better than guessing (25.0 %); no uniform network was tested on them."
    )


def test_a_run_says_first_how_good_its_network_is() -> None:
    """What ``vdroppath run`` knows: the test of the derived network, scores of the template."""
    one = selected(0.9, Interval(-0.02, -0.03, -0.01))
    measured = items.DataUsed("testing", "x", "a", 48, "one", 48)
    tested = items.Tested(row(CHOSEN, 24 / 48, 25), measured)
    found = said(replace(one, tested=[tested], classes=2))
    first, second = found.split(" With the template's weights, ")
    assert first == (
        "the chosen strategy's network answers 50.0 % of 48 test videos right (95 % interval "
        "36.4 % to 63.6 %), not clearly different from guessing (50.0 %); no uniform network was "
        "tested on them."
    )
    assert second.startswith("which are not trained for one strategy: ")


def test_it_is_the_first_thing_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_sections, "svg_uri", lambda figure: "data:image/svg+xml;base64,AA==")
    one = task(0.9, 0.9, 0.9, 0.9)
    html = render_report(Report("Title", "today", [one]))
    body = html[html.index("<main>") :]
    assert body.index("Nothing was gained") < body.index("Contents") < body.index("<h3")
    two = render_report(Report("Title", "today", [one, replace(one, name="more")]))
    assert "<strong>more:</strong> nothing was gained" in two
    assert fields(Report("Title", "today", [one]))["tasks"][0]["headline"] == headline(one)
