"""The figure of a space's stability: the paths of every seed, and distances, by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.analysis.seed_stability import Stability, stability
from vdroppath_tf.figures.panels import name_layers, short_names, width_for
from vdroppath_tf.figures.style import ACCENT, GRID, SOFT, STYLE
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace

_LINE = "#486581"


@named
def figure_stability(spaces: Sequence[ProbabilitySpace]) -> Figure:
    """Draws for each branch the probability that it is on, and below them the distances.

    A dot is one seed, in the form of Eq. 7; the bar spans the range, and the tick is the mean. A
    layer whose distance between seeds exceeds that from the start is not stable.

    Args:
        spaces: Sequence of `ProbabilitySpace` of two or more seeds; see `stability`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    figure_stability(spaces).savefig("stability.png")
    ```
    """
    found = stability(spaces)
    names = short_names(spaces[0])
    with mpl.rc_context(STYLE):
        rows = len(found.on) + 1
        width = width_for(len(names))
        figure = Figure(figsize=(width, 1.7 * rows + 1.0), layout="constrained")
        panels = list(figure.subplots(rows, 1))
        for (branch, values), axes in zip(found.on.items(), panels, strict=False):
            _seeds(axes, values, COLORS[branch])
            axes.set(ylim=(-0.03, 1.03), ylabel=f"P({branch} on)")
        _distances(panels[-1], found)
        for axes in panels:
            axes.set_xlim(-0.6, len(names) - 0.4)
            axes.grid(axis="y", color=GRID, linewidth=0.6)
            axes.set_axisbelow(True)
            name_layers(axes, names if axes is panels[-1] else [""] * len(names))
        figure.legend(loc="outside lower center", ncols=3, fontsize=8, labelcolor=SOFT)
    return figure


def _seeds(axes: Any, values: np.ndarray, color: str) -> None:
    positions = np.arange(values.shape[1])
    low, high = values.min(axis=0), values.max(axis=0)
    axes.vlines(positions, low, high, color=color, linewidth=7, alpha=0.3)
    axes.hlines(values.mean(axis=0), positions - 0.22, positions + 0.22, color=color, linewidth=2)
    for seed in values:
        axes.plot(positions, seed, "o", color=color, markersize=3.5)


def _distances(axes: Any, found: Stability) -> None:
    positions = np.arange(len(found.layers))
    style: dict[str, Any] = {"marker": "o", "markersize": 3.5}
    axes.plot(positions, found.moved, "--", color=SOFT, label="from the start", **style)
    axes.plot(positions, found.between, color=_LINE, label="between seeds", **style)
    if not found.stable.all():
        loose = ~found.stable
        axes.plot(positions[loose], found.between[loose], "o", color=ACCENT, label="not stable")
    axes.set(ylim=(0, 1), ylabel="total variation")
