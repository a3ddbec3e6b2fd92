"""The report: numbers in the table, escaping, nothing from outside, and prose that is true."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import markupsafe
import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from browser import CHROMIUM, FLAGS

from vdroppath_tf.analysis.branch_maps import BranchMap, Explanation
from vdroppath_tf.figures.frames import frame_strip
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.report import comparisons, findings, inputs, items
from vdroppath_tf.report import sections as report_sections
from vdroppath_tf.report.classes import answers_of_tested, gains_over
from vdroppath_tf.report.explained import Explained
from vdroppath_tf.report.formats import duration, score
from vdroppath_tf.report.inputs import read_result
from vdroppath_tf.report.items import DataUsed, Prediction
from vdroppath_tf.report.outputs import fields
from vdroppath_tf.report.page import render_report, write_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.report.worth import worth_pictures, worth_sentences
from vdroppath_tf.scoring.class_answers import ClassAnswers
from vdroppath_tf.scoring.listed import DRAWN, Draw, Row
from vdroppath_tf.scoring.video_scores import TEST_FORMAT
from vdroppath_tf.spaces.pushes import GateValues, Pushes
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

CHOSEN = "ST S+ST -"
TIME = [[0.8, 0.05], [0.6, 0.1], [0.9, 0.9]]
NASTY = '<script>alert("x")</script> & $x_1$ "quoted\' <b>'


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are drawn, but written only where a test asks for `real_pictures`: it takes long."""
    if "real_pictures" not in request.fixturenames:
        nothing = "data:image/svg+xml;base64,PHN2Zy8+"
        monkeypatch.setattr(report_sections, "svg_uri", lambda figure: nothing)


@pytest.fixture
def real_pictures() -> None:
    """Pictures are written into the pages."""


@pytest.fixture(scope="module")
def wide_page() -> str:
    """A page of two tasks, one of them of many layers, with its pictures."""
    long = ProbabilitySpace(np.full((61, 2), 0.3))
    many = TaskReport("wide", "x", long, [row("m", str(long.mode()), 0.5)], long.mode(), 2, 9)
    return page(task(), many)


def row(name: str, strategy: str, top1: float, **changes: object) -> Row:
    fields = {"standard_error": 0.01, "parameters": 201_234, "macs": 20_345_678}
    return Row(name, strategy, top1, **(fields | changes))  # type: ignore[arg-type]


def task(s: float = 0.26, st: float = 0.90, both: float = 0.88, best: float = 0.97) -> TaskReport:
    return TaskReport(
        name="motion",
        description="A shape moves; the label is where to.",
        space=ProbabilitySpace(TIME, layers=("stem", "body", "head"), architecture="micro"),
        rows=(
            row("S everywhere", "S S S", s, standard_error=0.027, parameters=101_111),
            row("ST everywhere", "ST ST ST", st, macs=30_000_000, top5=0.999),
            row("S+ST everywhere", "S+ST S+ST S+ST", both, macs=40_000_007),
            row("chosen strategy", CHOSEN, best, note=DRAWN, macs=15_000_000),
        ),
        chosen=FusionStrategy.parse(CHOSEN, "micro"),
        classes=4,
        clips=256,
        draws=tuple(Draw(CHOSEN, score, 15_000_000 + n) for n, score in enumerate((0.7, best))),
        history=np.full((5, 3, 2), 0.1),
        predictions=(
            Prediction("clip_0.mp4", "left", "left", 0.91, frame_strip(np.zeros((4, 8, 8, 3)))),
            Prediction("clip_1.mp4", "right", "left", 0.505),
        ),
        settings={"epochs": "6 + 16"},
        timings={"train": 83.0},
    )


def page(*tasks: TaskReport) -> str:
    return render_report(Report("Two tasks", "today, 2 cores", tasks or (task(),)))


def said(one: TaskReport) -> str:
    return " ".join(findings.findings(one)).replace("\N{NO-BREAK SPACE}", " ")


class Reader(HTMLParser):
    """Text, attributes and tables of a page; stops at elements that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, {key: value or "" for key, value in attributes}))
        if name not in ("meta", "img", "br", "source"):
            self.open.append(name)
        if name == "tr":
            self.rows.append([])
        if name in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, text: str) -> None:
        if "style" in self.open:
            return
        self.text += text
        if {"th", "td"} & set(self.open):
            self.rows[-1][-1] += text.replace("\N{NO-BREAK SPACE}", " ")

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for found, attributes in self.tags if found == name]


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


def test_observations_of_the_paper_are_asked_of_the_space():
    text = " ".join(Reader(page()).text.split())
    assert "✗ does not hold" in text
    assert "I. S+ST has the highest marginal in lower layers. Strength: leads in 0 of 1 la" in text
    assert "S+ST has the highest marginal in 0 of 1 layers (0 %) of the lower half" in text
    assert "II. Higher layers prefer ST. Strength: leads in 1 of 2 layers (50 %); its mean" in text
    with_t = ProbabilitySpace(np.full((1, 2), 0.3))
    alone = TaskReport("one", "x", with_t, [row("m", "S+ST", 0.5)], with_t.mode(), 2, 9)
    assert "observations" not in Reader(page(alone)).text  # one layer has no lower half


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


def test_every_heading_is_in_the_contents():
    reader = Reader(page(task(), replace(task(), name="<again>")))
    anchors = [a["id"] for name, a in reader.tags if name in ("h2", "h3")]
    assert [a["href"] for a in reader.all("a")] == [f"#{anchor}" for anchor in anchors]
    assert len(set(anchors)) == len(anchors) > 10
    contents = reader.text[reader.text.index("Contents") : reader.text.index("Guessing")]
    for title in ("How to read this page", "<again>", "Strategies compared", "Time taken"):
        assert title in contents


@pytest.mark.newest
def test_two_tasks_are_compared():
    space = ProbabilitySpace(np.array(TIME)[:, ::-1], architecture="micro")
    other = replace(task(), name="appearance", space=space)
    assert (
        "The space of appearance keeps S over ST by 0.83 more than that of motion"
        in Reader(page(task(), other)).text
    )
    assert "lean alike" in Reader(page(task(), replace(task(), name="b"))).text


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


def in_browser(folder: Path, harness: str, *flags: str) -> str:
    """What a headless browser makes of a page: its document, after scripts ran."""
    (folder / "harness.html").write_text(harness, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    page = (folder / "harness.html").as_uri()
    command = [str(CHROMIUM), *FLAGS, "--virtual-time-budget=5000", profile, *flags, page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout


@pytest.mark.newest
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on PATH")
@pytest.mark.parametrize("width", [400, 1200])
def test_a_real_browser_shows_it_without_sideways_scrolling(tmp_path, width, wide_page):
    """The page in a frame of that width; the harness around it says what was laid out.

    Nothing reaches out of the page, every picture is there, the narrow form of it is shown on the
    narrow page only, and at a size at which its text can be read; and a screenshot has the colours.
    """
    harness = (
        f'<body style="margin:0"><iframe id="f" style="width:{width}px;height:4000px;border:0" '
        f'srcdoc="{html.escape(wide_page)}"></iframe><script>'
        "onload = () => { const d = document.getElementById('f').contentDocument;"
        "const broken = [...d.images].filter(i => !i.naturalWidth).length;"
        "const page = d.documentElement, drawn = [...d.querySelectorAll('picture img')];"
        "const narrow = drawn.filter(i => i.currentSrc !== i.src).length;"
        "const scale = Math.min(...drawn.map(i => i.clientWidth / i.naturalWidth));"
        "document.title = [page.scrollWidth - page.clientWidth, broken, d.images.length, narrow,"
        "getComputedStyle(d.querySelector('h1')).color, scale].join('|'); }</script>"
    )
    title = re.search(r"<title>(.*?)</title>", in_browser(tmp_path, harness, "--dump-dom"))
    assert title
    *laid_out, scale = title[1].split("|")
    count = 9  # pictures in two tasks; beside them the frames of an answer
    narrow = count if width == 400 else 0
    assert laid_out == ["0", "0", str(count + 1), str(narrow), "rgb(31, 41, 51)"]
    assert float(scale) > 0.85
    shot = tmp_path / "shot.png"
    in_browser(tmp_path, harness, f"--screenshot={shot}", "--window-size=1200,4000")
    pixels = (matplotlib.image.imread(shot)[..., :3] * 255).round().astype(int)
    assert pixels.shape == (4000, 1200, 3)
    assert (pixels[:, width:] == 255).all()  # beside the frame
    for unit in ("S", "ST", "S+ST"):
        color = np.round(np.array(matplotlib.colors.to_rgb(COLORS[unit])) * 255)
        assert (pixels == color).all(-1).sum() > 1000, unit


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


MEASURED = DataUsed("testing", "x", "a", 48, "one", 48)


def of_test(name: str, **more: Any) -> items.Tested:
    return items.Tested(row(name, CHOSEN, 0.75), MEASURED, **more)


def of_classes(count: int, digest: str = "a") -> ClassAnswers:
    """Answers for 40 clips of each class; class k is right on about k of 40."""
    truths = np.repeat(np.arange(count), 40)
    right = np.tile(np.arange(40), count) < truths
    names = tuple(f"c{k}" for k in range(count))
    return ClassAnswers(names, truths, np.where(right, truths, (truths + 1) % count), digest)


def test_tested_networks_have_names_of_their_own() -> None:
    known = of_classes(3)
    several = [of_test("a", answers=known), of_test("a", answers=known), of_test("b"), of_test("a")]
    assert [*answers_of_tested([*several, of_test("a", answers=known)])] == [
        *("a", "a (test 2)", "a (test 3)"),
    ]
    with pytest.raises(ValueError, match="A and B did not answer the same clips of the same class"):
        gains_over(known, of_classes(3, "b"), one="A", other="B")


def test_of_many_classes_both_ends_are_shown() -> None:
    known = of_classes(40)
    none = dataclasses.replace(known, answers=(known.truths + 1) % 40)
    classes = [(f"c{k}", 9, None if k == 7 else k / 40) for k in range(40)]
    one = replace(
        task(),
        answers={"network": known},
        gains=[gains_over(known, none)],
        tested=[of_test("known", classes=classes), of_test("unknown", classes=[("c0", 0, None)])],
    )
    text = Reader(page(one)).text
    assert "Of 40 classes, the 12 at either end are shown." in text
    assert "Of 40 classes, the 30 with the most wrong answers (12 on a small screen)." in text
    assert "Classes, the least known first; the 5 least and the 5 best known of 39." in text


def test_maps_of_some_layers_are_said_to_be_some() -> None:
    maps = tuple(BranchMap(f"l{k}", "S", np.ones((1, 2, 2)), 1.0) for k in range(8))
    found = Explanation(np.zeros((2, 4, 4, 3)), 0, 0, np.array([0.9, 0.1]), maps, "hires-cam")
    one = replace(task(), explained=[Explained("1.mp4", ["left", "right"], found)])
    assert "6 of 8 layers are shown." in Reader(page(one)).text
    with pytest.raises(ValueError, match=r"1\.mp4: has 2 probabilities\. .* each of 3"):
        Explained("1.mp4", ["a", "b", "c"], found)


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


def test_a_perfect_score_has_an_interval_if_the_clips_are_known() -> None:
    perfect = row("a", "S", 1.0, standard_error=0.0)
    assert score(perfect).replace("\N{NO-BREAK SPACE}", " ") == "100.0 ± 0.0 %"
    assert re.fullmatch(r"100\.0.%.\[9[0-9]\.[0-9],.100\.0\]", score(perfect, 100))


def test_results_of_several_classes_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = {
        **{"format": TEST_FORMAT, "model": "m.keras", "strategy": CHOSEN, "architecture": None},
        **{"top1": 0.5, "top1_standard_error": 0.1, "top5": 0.75, "map": 0.625},
        "data": {"source": "l.txt", "hash": "a", "listed": 5, "scored": 4},
        "protocol": {"name": "one"},
        "classes": [
            {"name": "left", "videos": 4, "top1": 0.5},
            {"name": "right", "videos": 0, "top1": None},
        ],
        "confusions": [],
    }
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result))
    found = read_result(path)
    assert found.row.note == "mAP 0.625; several classes a video, top-1 is Hit@1"
    assert found.classes == [("left", 4, 0.5), ("right", 0, None)]
    monkeypatch.setattr(inputs, "MAX_BYTES", 10)
    with pytest.raises(ValueError, match=r"result\.json: has [0-9]+ bytes\. .* at most 10\."):
        read_result(path)


@pytest.mark.parametrize(("sign", "words"), [(1, "So it does."), (-1, "The opposite holds.")])
def test_whether_a_probability_means_something(sign: int, words: str) -> None:
    space = task().space
    texts = {str(one): space.log_prob(one) for one in space.sample(40, seed=0)}
    texts[CHOSEN] = space.log_prob(FusionStrategy.parse(CHOSEN))
    order = sorted(texts, key=lambda text: sign * texts[text])
    draws = [Draw(text, 0.2 + 0.01 * k, 9, clips=100) for k, text in enumerate(order)]
    (sentence,) = worth_sentences(replace(task(), draws=draws))
    of = "+" if sign > 0 else "\N{MINUS SIGN}"
    assert f"{len(draws)} draws and their accuracy: tau {of}0.99" in sentence  # two are tied
    assert sentence.endswith(words)


def test_equal_accuracies_have_no_order() -> None:
    """Whether a probability means something cannot be known of them."""
    texts = ("ST S+ST -", "S S S", "ST ST ST", "S ST S", "S+ST S S", "- S ST", "S S+ST -", "ST S S")
    draws = [Draw(text, 0.5, 9, clips=100) for text in texts]
    one = replace(task(), draws=draws)
    assert "tau unknown, as all are equal. This may be due to chance." in " ".join(
        worth_sentences(one)
    )
    assert [picture.name for picture in worth_pictures(one)] == ["calibration"]
