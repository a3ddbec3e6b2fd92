"""The pictures of a task: each with its caption, and in words for those who do not see it."""

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

PER_INPUT = "Each input of a layer has gates of its own"
_FEW = 16  # layers whose values are described one by one


@named
@dataclass(frozen=True)
class Picture:
    """A figure to draw, in a wide and in a narrow form.

    Args:
        name: Of its files, such as `"marginals"`.
        caption: What it shows and how it is read.
        alt: The same in words, with the values or where they are.
        draw: Draws it; takes `narrow`.
        whole: Whether it takes the whole width of a page.
    """

    name: str
    caption: str
    alt: str
    draw: Callable[..., Figure]
    whole: bool = False


@named
def space_pictures(task: TaskReport) -> list[Picture]:
    """Of the space: marginals, distance, entropy, history, front, comparison; what there is."""
    makers = (_marginals, _distance, _entropy, _history, _front, _comparison)
    return [picture for make in makers if (picture := make(task)) is not None]


@named
def accuracy_picture(task: TaskReport) -> Picture | None:
    """Accuracy over cost; None where nothing was scored or costs are unknown."""
    costs = [*(draw.macs for draw in task.draws), *(row.macs for row in task.rows)]
    if not costs or None in costs:
        return None
    draw = partial(
        figure_draws, task.draws, task.rows, task.chance, best=task.best, clips=task.clips
    )
    what = "every draw, and " if task.draws else ""
    caption = (
        f"Accuracy over cost: {what}the rows of the table below, with 95 % intervals, each for "
        f"itself. Up is better, left is cheaper. Marks that would cover each other stand side by "
        f"side; a colour and a mark mean the same in every such picture."
    )
    if task.draws:
        caption += (
            " Equal draws are counted once. The line joins the draws that no cheaper or equally "
            "cheap draw beats: chosen by these very scores, so it has a selection bias "
            "(winner's curse)."
        )
    if not all(one.in_confidence_set for one in task.draws):
        caption += f" Filled draws are in {confidence_set(task)}, hollow ones are not."
    if task.selection is not None:
        caption += " Draws were scored on the clips that were chosen on, rows on the others."
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
        f"unmoved, 1 has nothing in common. Below the dashed line ({NEAR_START:g}) a layer counts "
        f"as unmoved."
    )
    known = diagnose(task.space).known
    if known:
        caption += (
            " The colour says whether the data or the prior moved the layer: which of the two "
            "gradients pushed its gates further in the direction in which they went."
        )
    if task.space.per_input:
        caption += f" {PER_INPUT}; the distances are means over inputs."
    alt = "Bars, one per layer: " + _described(task.space, task.space.distance_from_start())
    alt += f". {_movers(task.space)}" if known else ""
    draw = partial(figure_distance, task.space, NEAR_START)
    return Picture("distance", caption, alt, draw, len(task.space) > 10)


def _hatched(space: ProbabilitySpace) -> str:
    """The part of a caption on bars that are hatched, where there are some."""
    if not diagnose(space).count(PRIOR):
        return ""
    return " Hatched bars are of layers that the prior moved, and not the data."


def _movers(space: ProbabilitySpace) -> str:
    """What moved which layers, in words."""
    found = diagnose(space)
    parts = []
    for mover, (words, _, _) in MOVERS.items():
        names = [n for n, by in zip(found.layers, found.moved_by, strict=True) if by == mover]
        parts += [f"{words}: {', '.join(names)}"] if names else []
    return "; ".join(parts)


def _entropy(task: TaskReport) -> Picture:
    most = math.log(2) * len(task.space.branches)
    caption = (
        f"Entropy of what a draw does in each layer, in nats (sampling form): 0 is decided, "
        f"{most:.2f} is every unit alike. The dashed line is the start."
    )
    alt = "Bars, one per layer: " + _described(task.space, task.space.entropy())
    draw = partial(figure_entropy, task.space)
    return Picture("entropy", caption, alt, draw, len(task.space) > 10)


def _history(task: TaskReport) -> Picture | None:
    if task.history is None:
        return None
    caption = (
        "Drop probability of every gate while it was trained; darker is nearer the input, and at "
        "the end of some lines stands the number of the layer."
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
        f"What a smaller network costs in probability: the most probable strategy with at most so "
        f"many MACs, of all that the space can draw ({len(task.front):,} steps, exact). The scale "
        f"is the logarithm of how often it is drawn, over that of the mode. Probable is not "
        f"accurate: score strategies before choosing one."
    )
    gap = likeliest.log_prob - cheapest.log_prob
    alt = (
        f"A rising line, from {cheapest.macs:,} MACs at {gap:.1f} nats below the mode to the mode "
        f"at {likeliest.macs:,} MACs."
    )
    return Picture("front", caption, alt, partial(figure_pareto, {task.name: task.front}), True)


def _comparison(task: TaskReport) -> Picture | None:
    """The two spaces, where they are of one network, and short enough for one row."""
    found = task.comparison
    if found is None or len(task.space) > WIDE.per_row:
        return None
    first, second = found.names
    caption = (
        f"The space of {first} beside that of {second}, and their distance layer by layer "
        f"({found.distance[0, 1]:.2f} on average)."
    )
    alt = f"{caption} {_described(task.space, found.between[0, 1])}"
    draw = partial(figure_comparison, found)
    return Picture("comparison", caption, alt, draw, len(task.space) > 10)


def _described(space: ProbabilitySpace, values: np.ndarray) -> str:
    """Values layer by layer; of many layers, their range and where they are highest."""
    if len(space) > _FEW:
        low, high = int(values.argmin()), int(values.argmax())
        return (
            f"{len(space)} layers from {values[low]:.2f} ({space.layers[low]}) to "
            f"{values[high]:.2f} ({space.layers[high]}), {values.mean():.2f} on average; the "
            f"table below has each"
        )
    pairs = zip(space.layers, values, strict=True)
    return ", ".join(f"{name} {value:.2f}" for name, value in pairs)
