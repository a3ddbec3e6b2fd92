"""The picture of how far each layer's marginals are from their start."""

from __future__ import annotations

from matplotlib.figure import Figure

from vdroppath_tf.figures.panels import DASHED, layer_bars
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
def figure_distance(space: ProbabilitySpace, near: float, *, narrow: bool = False) -> Figure:
    """Draws the total variation between each layer's marginals and their starting values.

    Args:
        space: `ProbabilitySpace`, the learned space.
        near: float, the total variation below which a layer counts as near its start: a dashed
            line.
        narrow: bool, whether it is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.
    """
    distance = space.distance_from_start()
    mean = ",\nmean over inputs" if space.per_input else ""
    top = min(max(0.3, float(distance.max()) * 1.2), 1.1)
    figure, panels = layer_bars(space, distance, top, "#486581", narrow)
    for axes, _ in panels:
        axes.set_ylabel(f"total variation{mean}")
        axes.axhline(near, **DASHED)
    return figure
