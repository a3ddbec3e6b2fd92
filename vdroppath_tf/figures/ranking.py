"""The picture of a ranking: the template's scores of strategies over their stand-alone accuracy."""

from __future__ import annotations

import math
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from vdroppath_tf.analysis.rank_agreement import KINDS, Ranking
from vdroppath_tf.analysis.tau import kendall_tau
from vdroppath_tf.figures.style import GRID, SOFT, STYLE
from vdroppath_tf.names import named

_STYLES = {"draws": ("o", "#486581"), "uniform draws": ("D", "#B23A48")}


@named
def figure_ranking(found: Ranking) -> Figure:
    """Draws a panel for each score: a point a strategy, its stand-alone accuracy upwards.

    A bar is the range over seeds. Tau stands beside each kind's name.

    Args:
        found: `Ranking` of at least one strategy of some kind.

    Returns:
        The figure, to save or to show.
    """
    with mpl.rc_context(STYLE):
        columns = min(3, len(found.scores))
        rows = math.ceil(len(found.scores) / columns)
        figure = Figure(figsize=(3.4 * columns, 3.2 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes in panels.flat[len(found.scores) :]:
            axes.set_axis_off()
        for name, axes in zip(found.scores, panels.flat, strict=False):
            for kind in KINDS:
                if kind in found.kinds:
                    _points(axes, found.of(kind), name, kind)
            axes.set(xlabel=name)
            axes.grid(color=GRID, linewidth=0.6)
            axes.legend(fontsize=7, loc="lower right", labelcolor=SOFT)
        figure.supylabel("top-1, stand-alone", fontsize=9)
    return figure


def _points(axes: Any, some: Ranking, name: str, kind: str) -> None:
    mean = some.stand_alone.mean(1)
    ends = [mean - some.stand_alone.min(1), some.stand_alone.max(1) - mean]
    tau = kendall_tau(mean, some.scores[name])
    label = kind if math.isnan(tau) else f"{kind}: tau {tau:.2f}"
    marker, color = _STYLES[kind]
    style: dict[str, Any] = {"fmt": marker, "color": color, "markersize": 4.5, "elinewidth": 0.8}
    axes.errorbar(some.scores[name], mean, yerr=ends, label=label, **style)
