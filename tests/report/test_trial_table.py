"""Trials in a report: the table, the sentences, the file, and what does not fit."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vdroppath_tf.commands.report_task import chosen_by
from vdroppath_tf.report import items, read_trials, write_trials
from vdroppath_tf.report.findings import findings
from vdroppath_tf.report.headline import headline
from vdroppath_tf.report.page import render_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.report.tables import trial_table
from vdroppath_tf.report.trials import Rival, TrialTable, TriedRow
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.listed import SCORED, Row
from vdroppath_tf.scoring.selection import Selection
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

SPACE = ProbabilitySpace(np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.1]]), architecture="nano")
MODE = str(SPACE.mode())
CHOSEN = FusionStrategy.parse("S ST -", "nano")
DERIVED = FusionStrategy.parse("ST ST S", "nano")
TABLE = TrialTable(
    rows=(
        TriedRow("S S S", "uniform", None, 0.2, 100),
        TriedRow("ST ST ST", "uniform", 0.45, 0.5, 300),
        TriedRow("S ST -", "uniform prior", 0.6, 0.7, 1_234_567),
        TriedRow("ST S S", "space", 0.4, None, 300),
        TriedRow("- - S", "uniform prior", 0.0, None, 300),
        TriedRow(MODE, "space", None, None, 350),
    ),
    mode=MODE,
    chosen=CHOSEN,
    epochs=(17.0, 34.0),
    videos=200,
    mode_rank=(7, 24),
    rival=Rival("run/derived.keras", DERIVED, 0.555, kept=False, derived=True),
    settings={"share": 0.5},
    data=items.DataUsed("choosing by trials", "validation.txt", "ab" * 32, 210, "paper-1clip", 200),
)


def task(table: TrialTable = TABLE, **more: Any) -> TaskReport:
    fields = {"chosen": table.kept, "classes": 4, "trials": table}
    return TaskReport("clips", "About clips.", SPACE, **{**fields, **more})


def said(one: TaskReport) -> str:
    return " ".join(findings(one)).replace("\N{NO-BREAK SPACE}", " ")


def cells(page: str) -> list[list[str]]:
    """The lines of the table of trials, each cell as its text."""
    part = page[page.index("(trials)</h3>") :]
    part = part[part.index("<tbody>") : part.index("</tbody>")]
    lines = re.findall(r"<tr.*?</tr>", part, re.DOTALL)
    found = (re.findall(r"<t[hd].*?</t[hd]>", line, re.DOTALL) for line in lines)
    return [
        [" ".join(html.unescape(re.sub("<[^>]*>", " ", c)).split()) for c in line] for line in found
    ]


def test_the_page_says_what_became_of_each_strategy() -> None:
    page = render_report(Report("A title", "today", [task()])).replace("\N{NO-BREAK SPACE}", " ")
    lines = cells(page)
    assert [line[-1] for line in lines] == [
        *("chosen", "trained to the end", "trained to the end", "dropped", "dropped", "not tried")
    ]
    wide = TABLE.interval(0.7)
    ends = f"[{100 * wide.low:.1f} %, {100 * wide.high:.1f} %]"
    assert lines[0][0] == "S ST - drawn from the uniform prior"
    assert lines[0][1].startswith("60.0 % [")
    assert lines[0][2:4] == [f"70.0 % {ends}", "1.23 M 1,234,567"]
    assert lines[2] == [
        "S × 3 with one unit everywhere",
        "–",
        lines[2][2],
        "100",
        "trained to the end",
    ]
    assert lines[4][1].startswith("0.0 % [0.0 %, ")
    assert lines[5][0].endswith("the space's mode")
    assert lines[5][1:3] == ["–", "–"]
    for text in ("After 17 epochs", "After 34 epochs", "on the 200 validation clips"):
        assert text in page
    assert page.count('<tr class="best">') == 1


def test_the_sentences() -> None:
    text = said(task())
    for words in (
        "Trials trained 4 strategies stand-alone (1 drawn from the space, 2 drawn from the uniform "
        "prior, 1 with one unit everywhere) for 17 of 34 epochs, and 3 networks to the end.",
        "the one drawn from the uniform prior with 70.0 % (the best: 70.0 %)",
        "the best strategy of the space had 40.0 %, the best uniform draw 60.0 %.",
        "The space's mode was not tried: it is number 7 of 24 by the template's scores.",
        "The derived network (of ST ST S) has a top-1 of 55.5 % on the same clips, the chosen one, "
        "trained stand-alone, 70.0 %: the chosen one is kept.",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("trial", "end", "words"),
    [
        (0.5, None, "had 50.0 % after its trial, place 2 of 5, and was dropped."),
        (0.65, 0.6, "The space's mode was trained to the end and has 60.0 %."),
    ],
)
def test_where_the_mode_stands(trial: float, end: float | None, words: str) -> None:
    rows = [*TABLE.rows[:-1], TriedRow(MODE, "space", trial, end)]
    assert words in said(task(replace(TABLE, rows=rows)))


def test_a_choice_that_is_the_mode() -> None:
    rows = [TriedRow(MODE, "space", 0.5, 0.6)]
    table = replace(TABLE, rows=rows, chosen=FusionStrategy.parse(MODE, "nano"), rival=None)
    assert said(task(table)).endswith("The chosen strategy is the space's mode.")


def network(strategy: str, top1: float) -> items.Tested:
    row = Row(f"{strategy}.keras", strategy, top1, 0.01, note="")
    data = items.DataUsed("testing", "test.txt", "cd" * 32, 400, "paper-1clip", 400)
    return items.Tested(row, data)


def selected(table: TrialTable) -> TaskReport:
    """A run's page: what scores selected is another strategy than what trials chose."""
    top1 = Interval(0.5, 0.4, 0.6)
    rows = tuple(
        Row.measured(name, text, top1, Interval(0.0, 0.0, 0.0), 100)
        for name, text in (("selected", str(DERIVED)), ("S everywhere", "S S S"))
    )
    found = Selection(DERIVED, 0.5, 0.0, rows, (DERIVED,), 0.05, 0.95, (100, 100))
    networks = [network(str(table.kept), 0.7), network("ST ST ST", 0.5)]
    return task(table, selection=found, rows=rows, clips=100, tested=networks)


def test_a_run_compares_tested_networks_and_says_how_the_choice_was_made() -> None:
    one = selected(TABLE)
    assert one.best is one.rows[0]
    assert one.best.note == SCORED
    sentence = (headline(one) or "").replace("\N{NO-BREAK SPACE}", " ")
    assert sentence.startswith("20.0 ± 1.4 points better than the best uniform network, ST every")
    assert sentence.endswith("trained stand-alone (trials), not by the template's scores.")
    kept = replace(TABLE, rival=replace(TABLE.rival, kept=True))  # type: ignore[type-var]
    assert kept.kept == DERIVED
    assert "stand-alone, 70.0 %: it is kept." in said(selected(kept))


@pytest.mark.parametrize(
    ("derived", "what"),
    [
        (True, "the derived network"),
        (False, "the network run/derived.keras"),
    ],
)
def test_what_trials_are_compared_with_is_named_for_what_it_is(
    derived: bool, what: str, tmp_path: Path
) -> None:
    rival = Rival("run/derived.keras", DERIVED, 0.8, kept=True, derived=derived)
    write_trials(tmp_path / "trials.json", replace(TABLE, rival=rival), kept=rival.name)
    table = read_trials(tmp_path / "trials.json")
    assert table.rival == rival
    sentence = headline(selected(table)) or ""
    assert sentence.endswith(
        f"It is {what}: the one that trials chose and trained does not have a higher top-1 on the "
        "validation videos."
    )
    assert f"The{what[3:]} (of ST ST S) has a top-1 of 80.0 % on the same" in said(selected(table))
    assert chosen_by(table)["chosen_as"] == f"the strategy of {what}, which was kept after trials"
    assert chosen_by(TABLE)["chosen_as"] == "the strategy that trials chose"
    fields = json.loads((tmp_path / "trials.json").read_text())
    del fields["against"]["derived"]  # as in a file of an older version
    (tmp_path / "trials.json").write_text(json.dumps(fields))
    assert read_trials(tmp_path / "trials.json").rival == replace(rival, derived=False)


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_trials(tmp_path / "trials.json", TABLE, kept="finalist 1")
    found = read_trials(tmp_path / "trials.json")
    assert replace(found, rows=TABLE.rows) == TABLE
    assert list(found.rows) == TABLE.ordered
    heads, lines = trial_table(task(found))
    assert {len(line) for line in lines} == {len(heads)}
    assert [line[-1] for line in lines] == [TABLE.outcome(row) for row in TABLE.ordered]
    with pytest.raises(ValueError, match="which videos were used"):
        write_trials(tmp_path / "other.json", replace(TABLE, data=None), kept="")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.update(format="vdroppath_tf.trials/1"), "Run vdroppath trials again"),
        (lambda f: f["strategies"][0].update(end=1.5), r"top-1 of 'S ST -' at the end from 0 to 1"),
        (
            lambda f: f["strategies"][0].update(origin="moon"),
            "Expected the origin of .S ST -. to be one",
        ),
        (lambda f: f.update(strategy="ST S S"), "Expected the chosen strategy of trials among"),
        (lambda f: f.update(mode="S S S S"), "Expected the space's mode of trials among"),
        (lambda f: f.update(videos=0), "at least one validation video"),
        (lambda f: f["against"].update(top1=2), "Expected top-1 of 'run/derived.keras' from 0"),
        (lambda f: f.pop("epochs"), "'epochs'"),
    ],
)
def test_a_file_that_holds_no_trials(
    tmp_path: Path, change: Callable[[Any], object], message: str
) -> None:
    file = tmp_path / "trials.json"
    write_trials(file, TABLE, kept="finalist 1")
    fields = json.loads(file.read_text())
    change(fields)
    file.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=message) as caught:
        read_trials(file)
    assert str(file) in str(caught.value)


def test_trials_of_another_network() -> None:
    other = ProbabilitySpace(np.full((4, 2), 0.1))
    with pytest.raises(ValueError, match="The trials are another network's: "):
        TABLE.check(other)
    with pytest.raises(ValueError, match="Expected trials of the space's template"):
        TaskReport("clips", "", other, trials=TABLE)
