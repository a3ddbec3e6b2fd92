"""The figure of the distance of each layer's marginals from their start."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from vdroppath_tf.figures.panels import DASHED, layer_bars, mover_patches
from vdroppath_tf.figures.style import MOVERS, STYLE
from vdroppath_tf.figures.units import INK
from vdroppath_tf.names import named
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
def figure_distance(space: ProbabilitySpace, near: float, *, narrow: bool = False) -> Figure:
    """Draws the total variation between each layer's marginals and their initial values.

    If it is known, the colour of a bar shows whether the data or the prior moved the layer; bars
    for the prior are hatched.

    Args:
        space: `ProbabilitySpace`, the learned space.
        near: float, the total variation below which a layer counts as near its start, drawn as a
            dashed line.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    space = vdroppath_tf.zoo.published_space("ucf101")
    figure_distance(space, near=0.1).savefig("distance.png")
    ```
    """
    distance = space.distance_from_start()
    mean = ",\nmean over inputs" if space.per_input else ""
    top = min(max(0.3, float(distance.max()) * 1.2), 1.1)
    figure, panels = layer_bars(space, distance, top, "#486581", narrow)
    movers = diagnose(space).moved_by
    with mpl.rc_context(STYLE):
        for axes, chunk in panels:
            axes.set_ylabel(f"total variation{mean}")
            axes.axhline(near, **DASHED)
            for bar, n in zip(axes.patches, chunk if movers else (), strict=bool(movers)):
                _, color, hatch = MOVERS[movers[n]]
                bar.set(facecolor=color, hatch=hatch, edgecolor=INK, linewidth=0.4)
        if movers:
            place: dict[str, Any] = {"loc": "outside lower center", "ncols": 3, "handlelength": 1.2}
            place |= {"columnspacing": 1.0, "fontsize": 8}
            figure.legend(handles=mover_patches(movers), **place)
    return figure
