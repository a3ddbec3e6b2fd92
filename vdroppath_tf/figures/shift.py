"""The figure of a shift (the paper's Fig. 6): marginals before and after, and the change."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.analysis.shift import SpaceShift
from vdroppath_tf.figures.comparison import mean_units, space_title
from vdroppath_tf.figures.panels import (
    name_layers,
    short_names,
    stack_units,
    unit_legend,
    width_for,
)
from vdroppath_tf.figures.style import GRID, SOFT, STYLE
from vdroppath_tf.figures.units import COLORS, INK
from vdroppath_tf.names import named


@named
def figure_shift(found: SpaceShift) -> Figure:
    """Draws the marginals before and after, and below them the change in each layer.

    Bars are means over seeds, in the form of Eq. 7. Below, a bar is the mean change of P(S on) -
    P(ST on), upwards towards S, and a dot is the change of one seed.

    Args:
        found: `SpaceShift`, from `shift_of`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    full = [vdroppath_tf.ProbabilitySpace.load(f"halve/full-{k}/space.json") for k in range(3)]
    half = [vdroppath_tf.ProbabilitySpace.load(f"halve/halved-{k}/space.json") for k in range(3)]
    figure_shift(vdroppath_tf.analysis.shift_of(full, half)).savefig("shift.png")
    ```
    """
    first = next(iter(found.comparison.spaces.values()))[0]
    names = short_names(first)
    with mpl.rc_context(STYLE):
        width = width_for(len(first))
        figure = Figure(figsize=(width, 5.8), layout="constrained")
        *bars, last = figure.subplots(3, 1)
        for name, axes in zip(found.names, bars, strict=True):
            units = mean_units(found.comparison, name)
            stack_units(axes, units)
            axes.set(ylim=(0, 1), ylabel="probability", title=space_title(found.comparison, name))
        _changes(last, found)
        for axes in (*bars, last):
            name_layers(axes, names if axes is last else [""] * len(names))
        unit_legend(figure, units)
    return figure


def _changes(axes: Any, found: SpaceShift) -> None:
    before, after = found.lean_by_layer
    change = after - before  # (seeds, layers)
    positions = np.arange(change.shape[1])
    axes.bar(positions, change.mean(axis=0), 0.62, color=COLORS["S"], alpha=0.55)
    for seed in change:
        axes.plot(positions, seed, "o", color=INK, markersize=3, alpha=0.7)
    axes.axhline(0, color=SOFT, linewidth=0.9)
    top = 1.15 * max(float(np.abs(change).max()), 0.1)
    axes.set(xlim=(-0.6, len(positions) - 0.4), ylim=(-top, top), ylabel="shift towards S")
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
