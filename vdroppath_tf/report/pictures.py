"""The pictures of a task, each with its caption and a description as alternative text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.figures.comparison import figure_comparison
from vdroppath_tf.figures.distance import figure_distance
from vdroppath_tf.figures.draws import figure_draws
from vdroppath_tf.figures.entropy import figure_entropy
from vdroppath_tf.figures.history import figure_history
from vdroppath_tf.figures.marginals import figure_marginals
from vdroppath_tf.figures.pareto import figure_pareto
from vdroppath_tf.figures.style import MOVERS, WIDE
from vdroppath_tf.figures.units import label_note, unit_label
from vdroppath_tf.names import named
from vdroppath_tf.report.choice import confidence_set
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.spaces.diagnosis import NEAR_START, PRIOR, diagnose
from vdroppath_tf.spaces.space import ProbabilitySpace

PER_INPUT = "Each input of a layer has its own gates"
_FEW = 16  # up to this number of layers the description lists each value


@named
@dataclass(frozen=True)
class Picture:
    """A figure to draw, in a wide and in a narrow form.

    Args:
        name: The name of its files, such as `"marginals"`.
        caption: The caption: what it shows, and how to read it.
        alt: The alternative text, with the values or a reference to them.
        draw: A function that draws it; takes `narrow`.
        whole: Whether it takes the whole width of a page.
    """

    name: str
    caption: str
    alt: str
    draw: Callable[..., Figure]
    whole: bool = False


@named
def space_pictures(task: TaskReport) -> list[Picture]:
    """Returns the pictures of the space: marginals, distance, entropy and, if known, others."""
    makers = (_marginals, _distance, _entropy, _history, _front, _comparison)
    return [picture for make in makers if (picture := make(task)) is not None]


@named
def accuracy_picture(task: TaskReport) -> Picture | None:
    """Returns the picture of accuracy over cost; None if scores or costs are unknown."""
    costs = [*(draw.macs for draw in task.draws), *(row.macs for row in task.rows)]
    if not costs or None in costs:
        return None
    draw = partial(
        figure_draws, task.draws, task.rows, task.chance, best=task.best, clips=task.clips
    )
    what = "every draw, and " if task.draws else ""
    caption = (
        f"Accuracy over cost: {what}the rows of the table below, each with its 95 % interval. "
        f"Up is better, left is cheaper. Overlapping marks are drawn side by side; colours and "
        f"marks mean the same in every such picture."
    )
    if task.draws:
        caption += (
            " Equal draws are counted once. The line joins the draws that no cheaper or equally "
            "cheap draw beats; since these scores choose them, it has a selection bias "
            "(winner's curse)."
        )
    if not all(one.in_confidence_set for one in task.draws):
        caption += f" Filled draws are in {confidence_set(task)}, hollow ones are not."
    if task.selection is not None:
        caption += " Draws were scored on the clips used for the choice, rows on other clips."
    alt = f"{caption} {len(task.draws)} draws, {len(task.rows)} rows; the table has the numbers."
    return Picture("accuracy", caption, alt, draw, whole=True)


def _marginals(task: TaskReport) -> Picture:
    space, chosen = task.space, task.shown
    caption = (
        f"Marginal probability of every unit in every layer (Eq. 7), input on the left; above the "
        f"bars the units of {task.shown_as}. Units are stacked in the order of the legend, and "
        f"those with S come first, so their joint height is the probability that the path S is on."
    )
    if space.per_input:
        caption += f" {PER_INPUT}; the bars are means over inputs."
    caption += _hatched(space)
    note = label_note(chosen)
    caption += f" {note}." if note else ""
    alt = (
        f"Stacked bars of unit marginals in {len(space)} layers. "
        f"Chosen units: {' '.join(map(unit_label, chosen))}"
    )
    draw = partial(figure_marginals, space, chosen)
    return Picture("marginals", caption, alt, draw, len(space) > 10)


def _distance(task: TaskReport) -> Picture:
    caption = (
        f"Distance of each layer's marginals from their starting values, as total variation: 0 is "
        f"unmoved, 1 is disjoint. Below the dashed line ({NEAR_START:g}) a layer counts "
        f"as unmoved."
    )
    known = diagnose(task.space).known
    if known:
        caption += (
            " The colour shows whether the data or the prior moved the layer: which of the two "
            "gradients pushed its gates further in the direction in which they went."
        )
    if task.space.per_input:
        caption += f" {PER_INPUT}; the distances are means over inputs."
    alt = "Bars, one per layer: " + _described(task.space, task.space.distance_from_start())
    alt += f". {_movers(task.space)}" if known else ""
    draw = partial(figure_distance, task.space, NEAR_START)
    return Picture("distance", caption, alt, draw, len(task.space) > 10)


def _hatched(space: ProbabilitySpace) -> str:
    """Returns the part of a caption on hatched bars, if there are any."""
    if not diagnose(space).count(PRIOR):
        return ""
    return " Hatched bars mark layers that the prior moved, and not the data."


def _movers(space: ProbabilitySpace) -> str:
    """Describes what moved which layers."""
    found = diagnose(space)
    parts = []
    for mover, (words, _, _) in MOVERS.items():
        names = [n for n, by in zip(found.layers, found.moved_by, strict=True) if by == mover]
        parts += [f"{words}: {', '.join(names)}"] if names else []
    return "; ".join(parts)


def _entropy(task: TaskReport) -> Picture:
    most = math.log(2) * len(task.space.branches)
    caption = (
        f"Entropy of the unit that is drawn in each layer, in nats (sampling form): 0 is decided, "
        f"{most:.2f} is uniform. The dashed line is the start."
    )
    alt = "Bars, one per layer: " + _described(task.space, task.space.entropy())
    draw = partial(figure_entropy, task.space)
    return Picture("entropy", caption, alt, draw, len(task.space) > 10)


def _history(task: TaskReport) -> Picture | None:
    if task.history is None:
        return None
    caption = (
        "Drop probability of every gate during training; darker is nearer the input, and some "
        "lines end with the number of their layer."
    )
    if task.space.per_input:
        caption = f"{caption} {PER_INPUT}; each line is the mean over a layer's inputs."
    draw = partial(figure_history, task.history, task.space)
    return Picture("history", caption, f"Lines over epochs. {caption}", draw, len(task.space) > 10)


def _front(task: TaskReport) -> Picture | None:
    if len(task.front) < 2:
        return None
    cheapest, likeliest = task.front[0], task.front[-1]
    caption = (
        f"The probability that a smaller network costs: for each number of MACs, the most probable "
        f"strategy with at most that many, of all that the space can draw ({len(task.front):,} "
        f"steps, exact). The vertical axis is its log-probability relative to the mode. Probable "
        f"does not mean accurate: score strategies before choosing one."
    )
    gap = likeliest.log_prob - cheapest.log_prob
    alt = (
        f"A rising line, from {cheapest.macs:,} MACs at {gap:.1f} nats below the mode to the mode "
        f"at {likeliest.macs:,} MACs."
    )
    return Picture("front", caption, alt, partial(figure_pareto, {task.name: task.front}), True)


def _comparison(task: TaskReport) -> Picture | None:
    """Returns the picture of two spaces if they are comparable and fit into one row."""
    found = task.comparison
    if found is None or len(task.space) > WIDE.per_row:
        return None
    first, second = found.names
    caption = (
        f"The space of {first} next to that of {second}, and their distance in each layer "
        f"({found.distance[0, 1]:.2f} on average)."
    )
    alt = f"{caption} {_described(task.space, found.between[0, 1])}"
    draw = partial(figure_comparison, found)
    return Picture("comparison", caption, alt, draw, len(task.space) > 10)


def _described(space: ProbabilitySpace, values: np.ndarray) -> str:
    """Describes the value of each layer; for many layers, the range and the highest."""
    if len(space) > _FEW:
        low, high = int(values.argmin()), int(values.argmax())
        return (
            f"{len(space)} layers from {values[low]:.2f} ({space.layers[low]}) to "
            f"{values[high]:.2f} ({space.layers[high]}), {values.mean():.2f} on average; the "
            f"table below has each"
        )
    pairs = zip(space.layers, values, strict=True)
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs)
