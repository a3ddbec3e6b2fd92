"""The figure of a ranking: scores on a template over stand-alone accuracies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.analysis.rank_agreement import KINDS, Ranking
from vdroppath_tf.analysis.tau import kendall_tau
from vdroppath_tf.figures.style import GRID, SOFT, STYLE
from vdroppath_tf.names import named

_STYLES = {"draws": ("o", "#486581"), "uniform draws": ("D", "#B23A48")}


@named
def figure_ranking(found: Ranking) -> Figure:
    """Draws a panel for each score, with a point for each strategy.

    A bar is the range over seeds. The legend has tau for each kind. For each template whose
    strategies were adapted, a last panel shows tau over the steps, with its 95 % interval.

    Args:
        found: `Ranking` with at least one strategy and one score.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If there is no score.

    Example:
    ```python
    accuracies = np.array([[0.50, 0.52], [0.61, 0.58], [0.70, 0.73]])
    scores = {"template": np.array([0.41, 0.47, 0.44])}
    strategies = ("S S", "S ST", "ST ST")
    found = vdroppath_tf.analysis.Ranking(("draws",) * 3, strategies, accuracies, scores, clips=500)
    figure_ranking(found).savefig("ranking.png")
    ```
    """
    with mpl.rc_context(STYLE):
        adapted = {own for curve in found.curves.values() for steps, own in curve.items() if steps}
        shown = [name for name in found.scores if name not in adapted]
        curves = {name: curve for name, curve in found.curves.items() if len(curve) > 1}
        count = len(shown) + len(curves)
        if not count:
            raise ValueError("The ranking has no scores to draw. Expected at least one.")
        columns = min(3, count)
        rows = math.ceil(count / columns)
        figure = Figure(figsize=(3.4 * columns, 3.2 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False)
        for axes in panels.flat[count:]:
            axes.set_axis_off()
        for (name, curve), axes in zip(curves.items(), panels.flat[len(shown) :], strict=False):
            _curve(axes, found, name, curve)
        for name, axes in zip(shown, panels.flat, strict=False):
            axes.sharey(panels.flat[0])
            for kind in KINDS:
                if kind in found.kinds:
                    _points(axes, found.of(kind), name, kind)
            axes.set(xlabel=name)
            axes.grid(color=GRID, linewidth=0.6)
            axes.legend(fontsize=7, loc="lower right", labelcolor=SOFT)
        figure.supylabel("top-1, stand-alone", fontsize=9)
    return figure


def _curve(axes: Any, found: Ranking, template: str, curve: Mapping[int, str]) -> None:
    """Draws tau over adaptation steps, evenly spaced, since steps grow by factors."""
    steps = sorted(curve)
    for shift, kind in enumerate(KINDS):
        some = found.of(kind)
        if len(some.strategies) < 2:
            continue
        taus = some.taus()
        values = [taus[curve[n]] for n in steps]
        ends = np.array([[t.value - t.low for t in values], [t.high - t.value for t in values]])
        marker, color = _STYLES[kind]
        style: dict[str, Any] = {"marker": marker, "color": color, "markersize": 4.5}
        places = np.arange(len(steps)) + 0.08 * (shift - 0.5)
        tau = [t.value for t in values]
        axes.errorbar(places, tau, yerr=np.abs(ends), label=kind, elinewidth=0.8, **style)
    axes.set_xticks(range(len(steps)), [str(n) for n in steps])
    axes.set(xlabel=f"{template}: steps of adaptation", ylabel="tau")
    axes.grid(color=GRID, linewidth=0.6)
    axes.legend(fontsize=7, loc="lower right", labelcolor=SOFT)


def _points(axes: Any, some: Ranking, name: str, kind: str) -> None:
    mean = some.stand_alone.mean(1)
    ends = [mean - some.stand_alone.min(1), some.stand_alone.max(1) - mean]
    tau = kendall_tau(mean, some.scores[name])
    label = kind if math.isnan(tau) else f"{kind}: tau {tau:.2f}"
    marker, color = _STYLES[kind]
    style: dict[str, Any] = {"fmt": marker, "color": color, "markersize": 4.5, "elinewidth": 0.8}
    axes.errorbar(some.scores[name], mean, yerr=ends, label=label, **style)
