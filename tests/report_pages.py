"""A report with one task, whose pages the tests of the report read."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np

from vdroppath_tf.figures.frames import frame_strip
from vdroppath_tf.report import findings
from vdroppath_tf.report.items import Prediction
from vdroppath_tf.report.page import render_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.scoring.listed import DRAWN, Draw, Row
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

CHOSEN = "ST S+ST -"
TIME = [[0.8, 0.05], [0.6, 0.1], [0.9, 0.9]]
NASTY = '<script>alert("x")</script> & $x_1$ "quoted\' <b>'


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
