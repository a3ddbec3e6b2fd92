"""The part of a report that shows a space: pictures, observations, numbers."""

from __future__ import annotations

import math

import numpy as np

from ..space import ProbabilitySpace
from .figure_parts import mean_marginals
from .figures import (
    figure_distance,
    figure_draws,
    figure_entropy,
    figure_history,
    figure_marginals,
)
from .findings import NEAR_START
from .markup import Html, join, tag
from .observations import higher_layers_want_time, lower_layers_fuse
from .records import TaskReport
from .report_parts import figure_node, table_node
from .unit_looks import label_note, unit_label

_PER_INPUT = "Each input of a layer has gates of its own"


def space_section(task: TaskReport) -> Html:
    """Fig. 4's picture and others of the space, the paper's observations, and the numbers."""
    pictures = (
        *(_marginals(task), _distances(task), _entropy(task)),
        *(_history(task), _costs(task)),
    )
    heading = tag("h3", "The space that was learned")
    shown = tag("div", [picture for picture in pictures if picture], class_="pair")
    return join([heading, shown, _observed(task), _numbers(task)])


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
    return figure_node(figure_marginals(task.space, task.chosen), caption, alt, _width(task))


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
    return figure_node(figure_distance(task.space, NEAR_START), caption, alt, _width(task))


def _entropy(task: TaskReport) -> Html:
    most = math.log(2) * len(task.space.branches)
    caption = (
        f"Entropy of what a draw does in each layer, in nats (sampling form): 0 is decided, "
        f"{most:.2f} is every unit alike. The dashed line is the start."
    )
    alt = "Bars, one per layer: " + _spoken(task.space, task.space.entropy())
    return figure_node(figure_entropy(task.space), caption, alt, _width(task))


def _observed(task: TaskReport) -> Html | None:
    """The paper's observations I and II; III is about several data sets."""
    space = task.space
    if len(space) < 2 or not {"S", "ST"} <= {*space.branches}:
        return None
    found = [lower_layers_fuse(space), higher_layers_want_time(space)]
    intro = "What the paper saw in its spaces (section 4), asked of this one:"
    listed = tag("ul", [tag("li", sentence) for sentence in found])
    return tag("div", tag("h3", "The paper's observations"), tag("p", intro), listed, class_="box")


def _history(task: TaskReport) -> Html | None:
    if task.history is None:
        return None
    figure = figure_history(task.history, task.space)
    caption = "Drop probability of every gate while it was trained; darker is nearer the input."
    if task.space.ragged:
        caption = f"{caption} {_PER_INPUT}; each line is the mean over a layer's inputs."
    return figure_node(figure, caption, f"Lines over epochs. {caption}")


def _costs(task: TaskReport) -> Html:
    rows = [*(row for row in task.rows if row is not task.best), task.best]
    points = [(row.name, row.macs, row.top1, row.standard_error) for row in rows]
    draws = [(draw.macs, draw.top1, draw.standard_error) for draw in task.draws]
    figure = figure_draws(draws, points, task.chance)
    what = "every draw, and " if task.draws else ""
    caption = f"Accuracy over cost: {what}the rows of the table below, with ± 1 standard error."
    if task.draws:
        caption += (
            " The line joins the draws that no cheaper or equally cheap draw beats: chosen by "
            "these very scores, so it flatters a little."
        )
    alt = f"{caption} {len(task.draws)} draws, {len(task.rows)} rows; the table has the numbers."
    return figure_node(figure, caption, alt)


def _width(task: TaskReport) -> str | None:
    """Pictures with many layers take the whole width, and scroll on small screens."""
    return "long" if len(task.space) > 10 else None


def _spoken(space: ProbabilitySpace, values: np.ndarray) -> str:
    pairs = zip(space.layers, values, strict=True)
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs)


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
    table = tag("div", table_node(caption, heads, lines), class_="scroll")
    return tag("details", tag("summary", "The numbers behind these pictures"), table)
