"""The page of the report: numbers in the table, escaping, nothing from outside."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import markupsafe
import numpy as np
import pytest
from report_pages import CHOSEN, NASTY, TIME, Reader, page, row, task

from vdroppath_tf.report import comparisons
from vdroppath_tf.report.formats import duration
from vdroppath_tf.report.items import Prediction
from vdroppath_tf.report.page import render_report, write_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.scoring.listed import DRAWN, Draw
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

pytestmark = pytest.mark.usefixtures("quick")


def test_table_holds_every_number():
    rows = {cells[0]: cells[1:] for cells in Reader(page()).rows}
    best = next(cells for name, cells in rows.items() if name.startswith("chosen strategy"))
    assert best == ["97.0 ± 1.0 %", "–", "201 k201,234", "15.0 M15,000,000", DRAWN]
    st = next(cells for name, cells in rows.items() if name.startswith("ST everywhere"))
    assert st[:2] == ["90.0 ± 1.0 %", "99.9 %"]
    assert st[3] == "30.0 M30,000,000"
    s = next(cells for name, cells in rows.items() if name.startswith("S everywhere"))
    assert s[0] == "26.0 ± 2.7 %"
    assert s[2] == "101 k101,111"
    assert any("40,000,007" in cell for cells in rows.values() for cell in cells)


def test_overview_and_layer_table_hold_the_spaces_numbers():
    reader = Reader(page())
    on = (0.2 + 0.4 + 0.1 - 0.95 - 0.9 - 0.1) / 3
    overview = next(cells for cells in reader.rows if cells[0] == "motion")
    assert overview == [
        *("motion", "25.0 %", "26.0 ± 2.7 %", "90.0 ± 1.0 %", "88.0 ± 1.0 %", "97.0 ± 1.0 %"),
        f"−{abs(on):.2f}",
    ]
    head = next(cells for cells in reader.rows if cells[0] == "head")
    q = 1 - 0.9**0.5
    shares = [q * (1 - q), q * q, q * (1 - q), 0.9]
    distance = task().space.distance_from_start()[2]
    entropy = task().space.entropy()[2]
    assert head[1:] == [
        "-",
        *(f"{v:.3f}" for v in (*shares, 0.1, 0.1, distance, entropy)),
        "unknown",
    ]


def test_page_needs_nothing_from_outside(real_pictures):
    text = page()
    reader = Reader(text)
    assert {name for name, _ in reader.tags} & {"script", "link", "iframe", "object"} == set()
    assert all(a["href"].startswith("#") for a in reader.all("a"))
    keys = ("src", "srcset", "data")
    addresses = [a[key] for _, a in reader.tags for key in keys if key in a]
    assert len(addresses) == 11  # five pictures in two widths, and the frames of an answer
    assert all(address.startswith("data:image/") for address in addresses)
    assert "url(" not in text
    assert "@import" not in text
    for address in addresses:
        if address.startswith("data:image/svg+xml;base64,"):
            svg = base64.b64decode(address.partition(",")[2]).decode()
            links = re.findall(r"(?:href|src)=\"([^\"]*)\"", svg)
            assert all(link.startswith("#") for link in links)
    policy = next(a for a in reader.all("meta") if "http-equiv" in a)
    assert policy["content"].startswith("default-src 'none'")


def test_pictures_have_words_and_stay_small(real_pictures):
    text = page(task(), replace(task(), name="again"))
    assert all(image["alt"] for image in Reader(text).all("img"))
    assert len(text) < 1_500_000


def test_gates_for_each_input_are_shown_as_means():
    own = ProbabilitySpace(([[0.1, 0.5]], [[0.1, 0.2], [0.3, 0.4]]))
    text = str(own.mode())
    one = TaskReport("own", "x", own, [row("mode", text, 0.5)], own.mode(), 2, 9)
    assert "means over inputs" in page(one)


def test_what_users_name_is_escaped():
    one = task()
    nasty = replace(
        one,
        name=NASTY,
        description=NASTY,
        space=ProbabilitySpace(TIME, layers=(NASTY, "b", "c"), architecture="micro"),
        rows=(*(replace(each, name=NASTY, note=NASTY) for each in one.rows[:3]), one.rows[3]),
        predictions=(Prediction(NASTY, NASTY, "left", 0.5, one.predictions[0].frames),),
        settings={NASTY: NASTY},
        timings={NASTY: 1.0},
    )
    text = render_report(Report(NASTY, NASTY, (nasty,), NASTY))
    reader = Reader(text)
    assert reader.all("script") == []
    assert reader.all("b") == []
    assert reader.text.count(NASTY) > 12
    assert any(NASTY in image["alt"] for image in reader.all("img"))
    assert str(markupsafe.escape(NASTY)) in text


def test_answers_name_the_true_class_where_they_are_wrong():
    text = Reader(page()).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "✓ correct" in text
    assert "✗ wrong" in text
    assert "left, 91.0 %clip_0.mp4" in text
    assert "left, 50.5 % (true: right)clip_1.mp4" in text
    assert "answered 1 of the 2 clips below correctly" in text


def test_every_heading_is_in_the_contents():
    reader = Reader(page(task(), replace(task(), name="<again>")))
    anchors = [a["id"] for name, a in reader.tags if name in ("h2", "h3")]
    assert [a["href"] for a in reader.all("a")] == [f"#{anchor}" for anchor in anchors]
    assert len(set(anchors)) == len(anchors) > 10
    contents = reader.text[reader.text.index("Contents") : reader.text.index("Guessing")]
    for title in ("How to read this page", "<again>", "Strategies compared", "Time taken"):
        assert title in contents


def test_rows_are_found_by_their_strategy():
    one = task()
    assert one.best is one.rows[3]
    assert one.uniform("S+ST") is one.rows[2]
    assert one.uniform("T") is None
    assert one.both == {"motion": one.space}  # there is no other space
    tuned = replace(one, rows=(*one.rows, row("fine-tuned", CHOSEN, 0.99)))
    assert tuned.best is one.rows[3]
    without = replace(one, rows=one.rows[3:], draws=(), history=None)
    assert comparisons.best_draw(without) is None
    assert "not trained" in Reader(page(without)).text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"rows": [row("S", "S S S", 0.5)]},
            "No row of task 'motion' has the chosen strategy 'ST S",
        ),
        ({"chosen": FusionStrategy.parse("S")}, "1 units, the network has 3"),
        (
            {"history": np.zeros((4, 2, 2))},
            r"\[\(1, 2\), \(1, 2\), \(1, 2\)\], like .* \[\(1, 2\), \(1, 2\)\] after epoch 0",
        ),
        ({"clips": 0}, "0 clips"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(task(), **change)


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match=r"top-1 of row 'a' from 0 to 1. Received: 97"):
        row("a", "S", 97)
    with pytest.raises(ValueError, match="standard error of row 'a'"):
        row("a", "S", 0.5, standard_error=float("nan"))
    with pytest.raises(ValueError, match="at least 0"):
        row("a", "S", 0.5, macs=-1)
    with pytest.raises(ValueError, match="top-1 of draw 'S'"):
        Draw("S", -0.1, 1)
    with pytest.raises(ValueError, match="probability for 'f'"):
        Prediction("f", "a", "b", 1.5)
    for frames in ("http://example.org/x.png", 'data:image/png;base64,AA" onload="x'):
        with pytest.raises(ValueError, match="frames of 'f'"):
            Prediction("f", "a", "b", 0.5, frames)
    with pytest.raises(ValueError, match="at least one task"):
        Report("a", "b", ())


def test_report_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    broken = replace(task(), timings={"train": "long"})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        write_report(path, Report("a", "b", (broken,)))
    assert path.read_text(encoding="utf-8") == "old"
    write_report(path, Report("a", "b", (task(),)))
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.14, "9.1 s"), (12.3, "12 s"), (59.6, "1 min 0 s"), (83, "1 min 23 s")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text
