"""The figure of a training: the drop probabilities over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure

from vdroppath_tf.figures.style import GRID, NARROW, SOFT, STYLE
from vdroppath_tf.names import named
from vdroppath_tf.spaces.gate_arrays import gate_arrays
from vdroppath_tf.spaces.marginals import mean_over_inputs
from vdroppath_tf.spaces.space import ProbabilitySpace

_NAMED = 8  # the number of lines that are labelled with their layer's number
_GAP = 0.055  # the least difference in p between two such labels


@named
def figure_history(
    history: Sequence[Any], space: ProbabilitySpace, *, narrow: bool = False
) -> Figure:
    """Draws drop probabilities over training, with a panel for each branch.

    Each layer has a line, darker near the input; some lines end with the number of their layer.

    Args:
        history: Sequence of the space's `drop` after each epoch, initial values first; with gates
            per input, lines are means over each layer's inputs.
        space: `ProbabilitySpace` at the end of the training. A layer that lacks a branch has no
            line in its panel.
        narrow: bool, whether the figure is for a small screen, with panels below each other.
            Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    history = vdroppath_tf.report.read_history("run/history.json")
    figure_history(history, space).savefig("history.png")
    ```
    """
    values = np.array([mean_over_inputs(gate_arrays("drop", drop)) for drop in history])
    branches, layers = space.branches, len(space)
    shades = mpl.colormaps["cividis"](np.linspace(0, 0.85, layers))
    rows, columns = (len(branches), 1) if narrow else (1, len(branches))
    size = (NARROW.most, 2.6 * rows) if narrow else (2.45 * max(columns, 2) + 0.3, 3.4)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for n, axes in enumerate(panels):
            there = np.flatnonzero(space.gated[:, n])
            for layer in there:
                axes.plot(values[:, layer, n], color=shades[layer], linewidth=1.3)
            _number(axes, values[-1, :, n], there, len(history) - 1, shades)
            axes.set(xlabel="epoch with gates", ylim=(-0.02, 1.02), title=f"path {branches[n]}")
            axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, nbins=6))
            axes.grid(axis="y", color=GRID, linewidth=0.6)
        mean = ",\nmean over inputs" if space.per_input else ""
        panels[0].set_ylabel(f"drop probability p{mean}")
    return figure


def _number(axes: Any, ends: np.ndarray, layers: np.ndarray, last: int, shades: np.ndarray) -> None:
    """Writes the numbers of some layers, including the first and last, at their lines' ends."""
    if not len(layers):
        return
    some = layers[np.unique(np.linspace(0, len(layers) - 1, _NAMED).round().astype(int))]
    heights = _apart(ends[some])
    for layer, height in zip(some, heights, strict=True):
        axes.annotate(
            str(layer + 1),
            (last, ends[layer]),
            (1.04, height),
            textcoords=axes.get_yaxis_transform(),
            fontsize=8,
            va="center",
            color=SOFT if shades[layer][0] > 0.55 else shades[layer],
            arrowprops={"arrowstyle": "-", "color": "#CBD2D9", "linewidth": 0.6},
        )


def _apart(wanted: np.ndarray) -> np.ndarray:
    """Returns heights near the wanted ones, in the same order, at least `_GAP` apart."""
    order = np.argsort(wanted, kind="stable")
    steps = np.arange(len(wanted)) * _GAP
    raised = np.maximum.accumulate(wanted[order] - steps) + steps
    heights = np.empty(len(wanted))
    heights[order] = raised - max(0.0, float(raised[-1]) - 1.0)
    return heights
