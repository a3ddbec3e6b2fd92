"""One HTML file that shows what a run has learned: pictures, table, answers and plain words.

The file needs nothing else: no network, no scripts, pictures inside as SVG and PNG. What users
name (files, labels, tasks) is escaped everywhere.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from importlib import resources

import numpy as np
from matplotlib.figure import Figure

from ..files import write_text
from ..space import ProbabilitySpace
from .figure_parts import magnitude, mean_marginals, svg_uri
from .figures import figure_distance, figure_draws, figure_history, figure_marginals, frame_strip
from .findings import NEAR_START, findings, mean_on, percent, score
from .markup import Html, Node, join, tag
from .records import DRAWN, TRAINED_ALONE, Draw, Prediction, Report, Row, TaskReport
from .unit_looks import label_note, unit_color, unit_ink, unit_label

__all__ = [
    "DRAWN",
    "TRAINED_ALONE",
    "Draw",
    "Prediction",
    "Report",
    "Row",
    "TaskReport",
    "figure_marginals",
    "frame_strip",
    "render_report",
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
_PER_INPUT = "Each input of a layer has gates of its own"


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
    command = ["Written by ", tag("code", report.command), "."] if report.command else None
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
        class_="box method",
    )
    table = _table(caption, heads, [_overview_row(task) for task in report.tasks], "rows")
    return tag("section", table, _contrast(report.tasks), method)


def _method(report: Report) -> list[str]:
    has_t = any("T" in task.space.branches for task in report.tasks)
    return [_METHOD[0], *([_PATH_T] if has_t else []), *_METHOD[1:]]


def _overview_row(task: TaskReport) -> list[Node]:
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
        tag("p", task.description, class_="lead"),
        found,
        _space(task),
        _results(task),
        _answers(task),
        tag(
            "div",
            _facts("Settings", task.settings),
            _facts("Time taken", {name: duration(s) for name, s in task.timings.items()}),
            class_="pair",
        ),
    )


def _space(task: TaskReport) -> Html:
    """Fig. 4's picture, the distances, the training of the gates, the draws, and the numbers."""
    pictures = (_marginals(task), _distances(task), _history(task), _costs(task))
    heading = tag("h3", "The space that was learned")
    return join([heading, tag("div", pictures, class_="pair"), _numbers(task)])


def _marginals(task: TaskReport) -> Html:
    caption = (
        "Marginal probability of every unit in every layer (Eq. 7), input on the left; above the "
        "bars the units of the chosen strategy. A bar's units with S come first, so their joint "
        "height is the probability that the path S is on."
    )
    if task.space.ragged:
        caption += f" {_PER_INPUT}; the bars are means over inputs."
    note = label_note(task.chosen)
    caption += f" {note}." if note else ""
    chosen = " ".join(map(unit_label, task.chosen))
    alt = f"Stacked bars of unit marginals in {len(task.space)} layers. Chosen units: {chosen}"
    return _figure(figure_marginals(task.space, task.chosen), caption, alt, _width(task))


def _distances(task: TaskReport) -> Html:
    caption = (
        f"Distance of each layer's marginals from their starting values, as total variation: 0 is "
        f"unmoved, 1 has nothing in common. Below the dashed line ({NEAR_START:g}) a layer counts "
        f"as unmoved."
    )
    if task.space.ragged:
        caption += f" {_PER_INPUT}; the distances are means over inputs."
    distance = task.space.distance_from_start()
    alt = "Bars, one per layer: " + _spoken(task.space, distance)
    return _figure(figure_distance(task.space, NEAR_START), caption, alt, _width(task))


def _history(task: TaskReport) -> Html | None:
    if task.history is None:
        return None
    figure = figure_history(task.history, task.space)
    caption = "Drop probability of every gate while it was trained; darker is nearer the input."
    if task.space.ragged:
        caption = f"{caption} {_PER_INPUT}; each line is the mean over a layer's inputs."
    return _figure(figure, caption, f"Lines over epochs. {caption}")


def _costs(task: TaskReport) -> Html:
    rows = [*(row for row in task.rows if row is not task.best), task.best]
    points = [(row.name, row.macs, row.top1, row.standard_error) for row in rows]
    figure = figure_draws([(draw.macs, draw.top1) for draw in task.draws], points, task.chance)
    draws = "every draw, and " if task.draws else ""
    caption = f"Accuracy over cost: {draws}the rows of the table below with ± 1 standard error."
    alt = f"{caption} {len(task.draws)} draws, {len(task.rows)} rows; the table has the numbers."
    return _figure(figure, caption, alt)


def _width(task: TaskReport) -> str | None:
    """Pictures with many layers take the whole width, and scroll on small screens."""
    return "long" if len(task.space) > 10 else None


def _spoken(space: ProbabilitySpace, values: np.ndarray) -> str:
    pairs = zip(space.layers, values, strict=True)
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs)


def _figure(figure: Figure, caption: str, alt: str, kind: str | None = None) -> Html:
    picture = tag("div", tag("img", src=svg_uri(figure), alt=alt), class_="scroll")
    return tag("figure", picture, tag("figcaption", caption), class_=kind)


def _numbers(task: TaskReport) -> Html:
    space = task.space
    marginals, on = mean_marginals(space), space.path_on(form="sampling")
    distance = space.distance_from_start()
    units = [f"P({'none' if unit == '-' else unit})" for unit in marginals]
    heads = ("Layer", "Chosen", *units, *(f"{b} on in a draw" for b in on), "Distance")
    lines = []
    for n, name in enumerate(space.layers):
        values = [*(m[n] for m in marginals.values()), *(np.mean(v[n]) for v in on.values())]
        cells = [f"{value:.3f}" for value in (*values, distance[n])]
        lines.append([name, str(task.chosen[n]), *cells])
    caption = "Marginals in Eq. 7's form (1 − √p); “on in a draw” in the sampling form (1 − p)."
    if space.ragged:
        caption += f" {_PER_INPUT}; all are means over inputs."
    table = tag("div", _table(caption, heads, lines), class_="scroll")
    return tag("details", tag("summary", "The numbers behind these pictures"), table)


def _results(task: TaskReport) -> Html:
    heads = ("Strategy", "Top-1", "Top-5", "Parameters", "MACs a clip", "How it was trained")
    lines = [_result(row) for row in task.rows]
    caption = (
        f"Accuracy ± standard error on {task.clips:,} held-out clips of {task.classes} classes "
        f"(guessing: {percent(task.chance)}). MACs: multiply-adds of convolutions and dense layers."
    )
    note = label_note(unit for row in task.rows for unit in row.strategy.split())
    caption += f" {note}." if note else ""
    best = [row is task.best for row in task.rows]
    table = _table(caption, heads, lines, "rows", best)
    return join([tag("h3", "Strategies compared"), table])


def _result(row: Row) -> list[Node]:
    return [
        [row.name, tag("span", _units(row.strategy), class_="under")],
        tag("span", score(row), class_="number"),
        tag("span", "–" if row.top5 is None else percent(row.top5), class_="number"),
        _count(row.parameters),
        _count(row.macs),
        tag("span", row.note, class_="words"),
    ]


def _units(strategy: str) -> list[Html]:
    """Units in their colours; runs of one unit once, with their length."""
    runs = [(unit, len(list(same))) for unit, same in itertools.groupby(strategy.split())]
    found = []
    for unit, length in runs:
        style = f"background:{unit_color(unit)};color:{unit_ink(unit)}"
        whole = unit if "@" in unit else None
        found.append(tag("span", unit_label(unit), class_="unit", style=style, title=whole))
        if length > 1:
            found.append(tag("span", f"× {length}", class_="runs"))
    return found


def _count(value: int) -> Html:
    scale, unit = magnitude(value)
    short = f"{value / scale:#.3g} {unit}".replace(". ", " ") if unit else str(value)
    under = tag("span", f"{value:,}", class_="under number") if unit else None
    return tag("span", short, under)


def _answers(task: TaskReport) -> Html | None:
    if not task.predictions:
        return None
    cards = [_answer(answer) for answer in task.predictions]
    return join(
        [
            tag("h3", "Answers of the served network"),
            tag("p", "Held-out clips, answered by the exported network.", class_="small"),
            tag("ul", cards, class_="answers"),
        ]
    )


def _answer(answer: Prediction) -> Html:
    right = answer.label == answer.predicted
    strip = answer.frames and tag("img", src=answer.frames, alt=f"Frames of {answer.file}")
    verdict = tag(
        "span", "✓ right" if right else "✗ wrong", class_=f"verdict {'right' if right else 'wrong'}"
    )
    truth = None if right else [" (true: ", tag("strong", answer.label), ")"]
    said = [tag("strong", answer.predicted), f", {percent(answer.probability)}", truth]
    return tag("li", strip, verdict, said, tag("div", answer.file, class_="file"))


def _facts(title: str, facts: Mapping[str, str]) -> Html | None:
    if not facts:
        return None
    listed = [[tag("dt", name), tag("dd", str(text))] for name, text in facts.items()]
    return tag("div", tag("h3", title), tag("dl", listed))


def duration(seconds: float) -> str:
    """Seconds in words: `"1 min 23 s"`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _table(
    caption: str,
    heads: Sequence[str],
    lines: Sequence[Sequence[Node]],
    class_: str | None = None,
    best: Sequence[bool] = (),
) -> Html:
    marks = ["best" if mark else None for mark in best] or [None] * len(lines)
    body = []
    for n, (first, *rest) in enumerate(lines):
        cells = [
            tag("td", tag("span", cell), data_label=head)
            for head, cell in zip(heads[1:], rest, strict=True)
        ]
        body.append(tag("tr", tag("th", first, scope="row"), cells, class_=marks[n]))
    top = tag("thead", tag("tr", [tag("th", head, scope="col") for head in heads]))
    return tag("table", tag("caption", caption), top, tag("tbody", body), class_=class_)
