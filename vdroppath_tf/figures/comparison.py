"""The figure of a comparison of spaces."""

from __future__ import annotations

import itertools
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.analysis.compare import SpaceComparison
from vdroppath_tf.figures.panels import (
    name_layers,
    short_names,
    stack_units,
    unit_legend,
    width_for,
)
from vdroppath_tf.figures.style import GRID, NARROW, SOFT, STYLE, plain
from vdroppath_tf.names import named
from vdroppath_tf.spaces.unit import s_first

_LINES = ("#486581", "#B23A48", "#C99A2E", "#3F7D58", "#7B5EA7", "#7B8794")


@named
def figure_comparison(found: SpaceComparison, *, narrow: bool = False) -> Figure:
    """Draws the marginals of each name, and below them the distances in each layer.

    Bars are means over repetitions, in the form of Eq. 7. A solid line is the mean distance between
    two names; a dashed line that between two repetitions of a name: distances below it may be due
    to chance.

    Args:
        found: `SpaceComparison`, from `compare_spaces`.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    names = ("ucf101", "kinetics400")
    spaces = {name: vdroppath_tf.zoo.published_space(name) for name in names}
    figure_comparison(vdroppath_tf.analysis.compare_spaces(spaces)).savefig("comparison.png")
    ```
    """
    first = next(iter(found.spaces.values()))[0]
    names = short_names(first)
    with mpl.rc_context(STYLE):
        rows = len(found.names) + 1
        width = NARROW.most if narrow else width_for(len(first))
        each = (width - 0.8) / len(first)
        figure = Figure(figsize=(width, 2.1 * rows + 0.6), layout="constrained")
        panels = list(figure.subplots(rows, 1))
        for name, axes in zip(found.names, panels, strict=False):
            units = mean_units(found, name)
            stack_units(axes, units)
            axes.set(ylim=(0, 1), ylabel="probability", title=space_title(found, name))
            axes.set_xlim(-0.6, len(first) - 0.4)
            name_layers(axes, names, each)
        _distances(panels[-1], found)
        name_layers(panels[-1], names, each)
        unit_legend(figure, units)
    return figure


@named
def mean_units(found: SpaceComparison, name: str) -> dict[str, np.ndarray]:
    """Returns Eq. 7's marginals ``(layers,)`` of a name, averaged over its repetitions."""
    each = [s_first(space.marginals()) for space in found.spaces[name]]
    return {unit: np.mean([one[unit] for one in each], axis=0) for unit in each[0]}


@named
def space_title(found: SpaceComparison, name: str) -> str:
    """Returns a title: a name, and the number of spaces in its mean."""
    count = len(found.spaces[name])
    return plain(name) if count == 1 else f"{plain(name)}, mean of {count}"


def _distances(axes: Any, found: SpaceComparison) -> None:
    positions = np.arange(len(found.layers))
    pairs = itertools.combinations_with_replacement(range(len(found.names)), 2)
    colors = itertools.cycle(_LINES)
    for a, b in pairs:
        values = found.between[a, b]
        if np.isnan(values).any():
            continue
        one, other = plain(found.names[a]), plain(found.names[b])
        label, line = (f"{one} to {other}", "-") if a != b else (f"within {one}", "--")
        axes.plot(
            positions, values, line, color=next(colors), marker="o", markersize=3, label=label
        )
    axes.set(xlim=(-0.6, len(positions) - 0.4), ylim=(0, 1), ylabel="total variation")
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.legend(fontsize=7.5, loc="upper right", labelcolor=SOFT)
