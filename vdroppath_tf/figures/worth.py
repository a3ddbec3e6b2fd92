"""The figure of the worth of each layer's choice."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import lines
from matplotlib.figure import Figure

from vdroppath_tf.analysis.worth import LayerWorth
from vdroppath_tf.figures.panels import SHORT, layer_panels, write_units
from vdroppath_tf.figures.style import GRID, NARROW, SOFT, STYLE, WIDE, reach
from vdroppath_tf.figures.units import COLORS, INK, unit_label
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace

_MARKS = {"S": "s", "ST": "^", "S+ST": "D", "-": "x"}  # other units have round markers


@named
def figure_worth(worth: LayerWorth, space: ProbabilitySpace, *, narrow: bool = False) -> Figure:
    """Draws the cost of swapping the unit of each layer, in points of top-1.

    Each swap has a marker with its paired 95 % interval, in the colour of the new unit; a short
    line is the mean, the worth of the layer's choice. The chosen units are written above.

    Args:
        worth: `LayerWorth`, from `layer_worth`.
        space: `ProbabilitySpace` of the same network, for the names of its layers.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If the space belongs to another network.

    Example:
    ```python
    worth = vdroppath_tf.analysis.layer_worth(template, space.mode(), val_clips)
    figure_worth(worth, space).savefig("worth.png")
    ```
    """
    worth.strategy.check(len(space), space.architecture, space.branches)
    units = list(dict.fromkeys(str(swap.unit) for swap in worth.swaps))
    places = dict(zip(units, np.linspace(-0.26, 0.26, max(2, len(units))), strict=False))
    longest = max(map(len, map(unit_label, worth.strategy)))
    ends = [100 * end for swap in worth.swaps for end in _ends(worth.cost(swap))] or [0.0]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.05 * (high - low or 1.0)
    with mpl.rc_context(STYLE):
        sheet = NARROW if narrow else WIDE
        figure, panels = layer_panels(space, sheet, 2.9, has_start=False, boxed=longest > SHORT)
        for axes, chunk in panels:
            axes.set_ylim(low - room, high + room)
            axes.axhline(0, color=SOFT, linewidth=0.9)
            for place, n in enumerate(chunk):
                _layer(axes, worth, int(n), place, places)
            axes.grid(axis="y", color=GRID, linewidth=0.6)
            axes.set_axisbelow(True)
            axes.set_ylabel("cost of a swap, points")
            write_units(axes, [worth.strategy[int(n)] for n in chunk])
        handles = [_handle(unit) for unit in units]
        mean = lines.Line2D([], [], color=INK, linewidth=2, label="mean: the layer's worth")
        figure.legend(
            handles=[*handles, mean],
            loc="outside lower center",
            ncols=2 if narrow else 3 if len(space) <= 10 else 5,
            columnspacing=1.2,
        )
    return figure


def _ends(cost: Any) -> tuple[float, float]:
    return cost.low, cost.high


def _layer(axes: Any, worth: LayerWorth, n: int, place: int, places: dict[str, float]) -> None:
    for swap in worth.of_layer(n):
        cost, unit = worth.cost(swap), str(swap.unit)
        sides = 100 * reach(cost.value, cost.low, cost.high)
        bar = {"elinewidth": 0.9, "capsize": 1.5}
        axes.errorbar(place + places[unit], 100 * cost.value, sides, **_style(unit), **bar)
    mean = 100 * worth.worth[n].value
    if np.isfinite(mean):
        axes.hlines(mean, place - 0.4, place + 0.4, color=INK, linewidth=2, zorder=3)


def _style(unit: str) -> dict[str, Any]:
    color = "#7B8794" if unit == "-" else COLORS[unit]
    return {"color": color, "marker": _MARKS.get(unit, "o"), "markersize": 4.5, "linestyle": "none"}


def _handle(unit: str) -> Any:
    return lines.Line2D([], [], label="none (-)" if unit == "-" else unit, **_style(unit))
