"""Picture of what was scored: accuracy over cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.budget.fronts import front_of
from vdroppath_tf.figures.parts import ACCENT, GRID, NARROW, SOFT, STYLE, magnitude, plain
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.scoring.listed import Draw, Row, without_number

_ROW_COLORS = ("#6B4E9B", "#56B4E9", "#CC79A7", "#8C564B", "#3E4C59")
_MARKS = "sD^vPXph"
_CLOUD, _FRONT = "#9FB3C8", "#486581"


def figure_draws(
    draws: Sequence[Draw],
    rows: Sequence[Row],
    chance: float | None,
    *,
    best: Row | None = None,
    clips: int | None = None,
    narrow: bool = False,
) -> Figure:
    """Draw accuracy over cost with 95 % intervals, for the draws and for the table's rows.

    A line joins the front of the draws, which no cheaper or equally cheap draw beats. Draws that
    are told apart from the best are hollow.

    Args:
        draws: Every draw, with its MACs; those that a race dropped are no part of the front.
        rows: The table's rows, with their MACs.
        chance: Top-1 of guessing: a dotted line.
        best: The row to mark with a star.
        clips: That the rows were measured on.
        narrow: For a small screen.
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
        looks = _looks(others)
        for row in others:
            _point(axes, row, scale, clips, **looks[without_number(row.name)])
        if best is not None:
            star = {"color": ACCENT, "marker": "*", "markersize": 14, "zorder": 5}
            _point(axes, best, scale, clips, label=plain(best.name), **star)
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


def _looks(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
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


def _point(axes: Any, row: Row, scale: float, clips: int | None, **look: Any) -> None:
    look = {"linestyle": "none", "capsize": 2.5, "elinewidth": 1.1, "zorder": 4, **look}
    ends = row.ends(clips)
    axes.errorbar((row.macs or 0) / scale, row.top1 * 100, _reach(row.top1, ends), **look)


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
            markerfacecolor=_CLOUD if draw.may_be_best else "white",
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
    axes.plot([], [], label="draws that may be best", **dot)
    if not all(draw.may_be_best for draw in draws):
        axes.plot([], [], label="draws that are not", markerfacecolor="white", **dot)
