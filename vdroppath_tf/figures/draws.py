"""The picture of what was scored: accuracy over cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.budget.fronts import front_of
from vdroppath_tf.figures.style import ACCENT, GRID, NARROW, SOFT, STYLE, magnitude, plain
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.names import named
from vdroppath_tf.scoring.listed import Draw, Row, without_number

_ROW_COLORS = ("#6B4E9B", "#56B4E9", "#CC79A7", "#8C564B", "#3E4C59")
_MARKS = "sD^vPXph"
_CLOUD, _FRONT = "#9FB3C8", "#486581"


@named
def figure_draws(
    draws: Sequence[Draw],
    rows: Sequence[Row],
    chance: float | None,
    *,
    best: Row | None = None,
    clips: int | None = None,
    narrow: bool = False,
) -> Figure:
    """Draws accuracy over cost with 95 % intervals, for the draws and for the table's rows.

    A line joins the front of the draws, which no cheaper or equally cheap draw beats. Draws
    outside the confidence set of the best are hollow.

    Args:
        draws: Sequence of every `Draw`, with its MACs; those that a race dropped are no part of
            the front.
        rows: Sequence of the table's `Row`s, with their MACs.
        chance: float, the top-1 of guessing, drawn as a dotted line; None draws none.
        best: `Row`, the one to mark with a star. Defaults to `None`.
        clips: int, the number of clips that the rows were measured on. Defaults to `None`.
        narrow: bool, whether it is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.
    """
    scale, unit = magnitude(max([*(d.macs or 0 for d in draws), *(r.macs or 0 for r in rows)]))
    with mpl.rc_context(STYLE):
        width = NARROW.most if narrow else 8.6
        figure = Figure(figsize=(width, 4.6), layout="constrained")
        axes = figure.add_subplot()
        if chance is not None:
            axes.axhline(chance * 100, color=SOFT, linewidth=0.9, linestyle=":", label="guessing")
        if draws:
            _draws(axes, draws, scale)
        others = [row for row in rows if row is not best]
        styles = _styles(others)
        for row in others:
            _point(axes, row, scale, clips, styles[without_number(row.name)])
        if best is not None:
            star = {"color": ACCENT, "marker": "*", "markersize": 14, "zorder": 5}
            _point(axes, best, scale, clips, {"label": plain(best.name), **star})
        axes.set(
            xlabel=f"MACs a clip ({unit})" if unit else "MACs a clip", ylabel="top-1 accuracy, %"
        )
        axes.grid(color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        named = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        columns = 2 if narrow else 5
        figure.legend(
            named.values(), named, loc="outside lower center", ncols=columns, fontsize=8.5
        )
    return figure


def _styles(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    uniform = {without_number(row.name): {*row.strategy.split()} for row in rows}
    return {
        kind: {
            "color": _color(uniform[kind], n),
            "marker": _MARKS[n % len(_MARKS)],
            "markersize": 6.5,
            "label": plain(kind),
        }
        for n, kind in enumerate(uniform)
    }


def _color(units: set[str], number: int) -> str:
    """A uniform strategy's has the colour of its unit, as in the bars."""
    (first, *more) = sorted(units) or [""]
    other = _ROW_COLORS[number % len(_ROW_COLORS)]
    return other if more or first in ("", "-") else COLORS.get(first, other)


def _point(axes: Any, row: Row, scale: float, clips: int | None, style: dict[str, Any]) -> None:
    style = {"linestyle": "none", "capsize": 2.5, "elinewidth": 1.1, "zorder": 4, **style}
    ends = row.ends(clips)
    axes.errorbar((row.macs or 0) / scale, row.top1 * 100, _reach(row.top1, ends), **style)


def _reach(top1: float, ends: tuple[float, float]) -> np.ndarray:
    """How far an interval reaches down and up from its value, `(2, 1)` percent."""
    return np.maximum([[top1 - ends[0]], [ends[1] - top1]], 0) * 100


def _draws(axes: Any, draws: Sequence[Draw], scale: float) -> None:
    for draw in draws:
        axes.errorbar(
            (draw.macs or 0) / scale,
            draw.top1 * 100,
            _reach(draw.top1, draw.ends),
            linestyle="none",
            color=_CLOUD,
            marker="o",
            markersize=4.5,
            markerfacecolor=_CLOUD if draw.in_confidence_set else "white",
            elinewidth=0.6,
            alpha=0.8,
        )
    most = max(draw.clips or 0 for draw in draws)
    whole = [draw for draw in draws if draw.clips in (None, most)]
    costs, scores = np.array([(draw.macs, draw.top1) for draw in whole]).T
    best = front_of(costs, scores)
    line = {"color": _FRONT, "linewidth": 1.2, "drawstyle": "steps-post", "zorder": 3}
    axes.plot(costs[best] / scale, scores[best] * 100, label="front of the draws", **line)
    dot = {"linestyle": "none", "marker": "o", "color": _CLOUD, "markersize": 4.5}
    axes.plot([], [], label="draws in the confidence set", **dot)
    if not all(draw.in_confidence_set for draw in draws):
        axes.plot([], [], label="draws outside it", markerfacecolor="white", **dot)
