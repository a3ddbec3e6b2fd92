"""One HTML file that shows what a run has learned: pictures, table, answers and plain words.

The file needs nothing else: no network, no scripts, pictures inside as SVG and PNG. What users
name (files, labels, tasks) is escaped everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.files import write_text
from vdroppath_tf.report.findings import findings, mean_on
from vdroppath_tf.report.markup import Html, Node, tag
from vdroppath_tf.report.numbers import score
from vdroppath_tf.report.outputs import write_figures
from vdroppath_tf.report.parts import command_node, duration, facts_node, table_node
from vdroppath_tf.report.records import (
    DRAWN,
    TRAINED_ALONE,
    Draw,
    Prediction,
    Report,
    Row,
    TaskReport,
)
from vdroppath_tf.report.rows import answers_section, results_section
from vdroppath_tf.report.space import space_section
from vdroppath_tf.report.tested import data_section, tested_section

__all__ = [
    "DRAWN",
    "TRAINED_ALONE",
    "Draw",
    "Prediction",
    "Report",
    "Row",
    "TaskReport",
    "render_report",
    "write_figures",
    "write_report",
]

# Nothing may be fetched, whatever a file name or label holds.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_METHOD = (
    "A network for video can look at every frame on its own (path S), at three neighbouring "
    "frames (path ST), at both (S+ST), or, where a shortcut goes round a layer, at none (-). Each "
    "layer could choose differently, which makes far more strategies than anyone can train. So "
    "one template with both paths in every layer is trained while paths are switched off at "
    "random, and how often each is switched off, its drop probability p, is learned along with "
    "the weights (variational DropPath). The learned probabilities span a space of strategies. "
    "Strategies are drawn from it and scored with the template's weights, without training "
    "them; the best one is cut out as a smaller network.",
    "The bars show the marginal probability of each unit in each layer as the paper draws them "
    "(a path is on with 1 − √p, Eq. 7). Draws use p itself (a path is on with 1 − p, Eq. 6), so "
    "they keep a path more often than the bars suggest. Every gate starts at a small p (the bar "
    "“start”); a layer that did not move from there has told nothing.",
    "Method: Y. Zhou, X. Sun, C. Luo, Z.-J. Zha, W. Zeng, Spatiotemporal Fusion in 3D CNNs: A "
    "Probabilistic View, CVPR 2020 (arXiv 2004.04981).",
)
_PATH_T = (
    "Some of these templates have a third path, T (our extension): it looks at three neighbouring "
    "frames like ST, but skips the convolution in space that follows S and ST."
)
_WORDS = {
    "top-1, top-5": "share of clips whose true class is the most probable one of the network's "
    "answer, or among its five most probable",
    "95 % interval": "where the true share plausibly lies, given that so few clips were counted; "
    "two strategies whose intervals overlap may still differ clip by clip",
    "MACs": "multiply-adds of convolutions and dense layers for one clip: what running it costs",
    "unit": "which paths a layer has: S, ST, S+ST, or none (-); a strategy has one for each layer",
    "marginal": "how probable a unit is in a layer, whatever the other layers do",
    "mode": "the strategy that a draw most often gives",
    "total variation": "how far two distributions are apart: the largest difference in the "
    "probability of any set of units",
    "entropy": "how open a choice still is: 0 where one unit is certain",
    "front": "what nothing else beats in cost and accuracy (or probability) at once (Pareto)",
}
_WORDS_NODE = tag("dl", [[tag("dt", word), tag("dd", text)] for word, text in _WORDS.items()])


def write_report(path: str | os.PathLike[str], report: Report) -> None:
    """Write a report as one HTML file, whole or not at all.

    Args:
        path: The file; its folder must exist.
        report: What to show.

    Raises:
        OSError: If the file cannot be written; an older one is then unchanged.
    """
    write_text(path, render_report(report))


def render_report(report: Report) -> str:
    """Give the HTML text of a report."""
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", report.title),
        tag("style", Html(style)),
    )
    body = tag("body", _header(report), tag("main", _overview(report), map(_task, report.tasks)))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _header(report: Report) -> Html:
    command = ["Written by ", command_node(report.command)] if report.command else None
    return tag(
        "header",
        tag("h1", report.title),
        tag("p", report.subtitle, class_="subtitle"),
        command and tag("p", command, class_="subtitle"),
    )


def _overview(report: Report) -> Html:
    """The tasks side by side, then the method."""
    names = ("S everywhere", "ST everywhere", "S+ST everywhere")
    heads = ("Task", "Guessing", *names, "Chosen strategy", "P(S on) − P(ST on)")
    caption = (
        "Top-1 accuracy on held-out clips ± standard error. The last column is the mean over "
        "layers of how much more often a draw keeps the path S than the path ST."
    )
    method = tag(
        "section",
        tag("h3", "How to read this page"),
        [tag("p", text) for text in _method(report)],
        tag("details", tag("summary", "Words used here"), _WORDS_NODE),
        class_="box method",
    )
    lines = [row for task in report.tasks if (row := _overview_row(task)) is not None]
    table = table_node(caption, heads, lines, "rows") if lines else None
    return tag("section", table, _contrast(report.tasks), method)


def _method(report: Report) -> list[str]:
    has_t = any("T" in task.space.branches for task in report.tasks)
    return [_METHOD[0], *([_PATH_T] if has_t else []), *_METHOD[1:]]


def _overview_row(task: TaskReport) -> list[Node] | None:
    """None where nothing that was trained on its own could be compared."""
    if task.best is None or task.chance is None or task.selection is not None:
        return None
    rows = [task.uniform(unit) for unit in ("S", "ST", "S+ST")]
    cells: list[Node] = [score(row) if row else "not trained" for row in rows]
    lean = _lean(task)
    shown = "no such paths" if lean is None else f"{lean:+.2f}".replace("-", "−")
    return [task.name, percent(task.chance), *cells, score(task.best), shown]


def _lean(task: TaskReport) -> float | None:
    on = mean_on(task.space)
    return on["S"] - on["ST"] if {"S", "ST"} <= set(on) else None


def _contrast(tasks: Sequence[TaskReport]) -> Html | None:
    """The two tasks whose spaces differ most, in a sentence."""
    leans = sorted((lean, task.name) for task in tasks if (lean := _lean(task)) is not None)
    if len(leans) < 2:
        return None
    (low, time), (high, space) = leans[0], leans[-1]
    if high - low < 0.1:
        text = f"The spaces of these tasks lean alike (a difference of {high - low:.2f})."
    else:
        text = f"The space of {space} keeps S over ST by {high - low:.2f} more than that of {time}."
    return tag("p", text, class_="lead")


def _task(task: TaskReport) -> Html:
    found = tag(
        "div",
        tag("h3", "What was found"),
        tag("ul", [tag("li", sentence) for sentence in findings(task)]),
        class_="box found",
    )
    return tag(
        "section",
        tag("h2", task.name),
        task.description and tag("p", task.description, class_="lead"),
        found,
        space_section(task),
        results_section(task),
        tested_section(task),
        answers_section(task),
        data_section(task),
        tag(
            "div",
            facts_node("Settings", task.settings),
            facts_node("Time taken", {name: duration(s) for name, s in task.timings.items()}),
            class_="pair",
        ),
    )
