"""The figure of scored strategies: accuracy over cost."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from vdroppath_tf.budget.fronts import front_of
from vdroppath_tf.figures.style import ACCENT, GRID, NARROW, SOFT, STYLE, magnitude, plain, reach
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.names import named
from vdroppath_tf.scoring.listed import STAND_ALONE, Draw, Row, without_number

# a kind of row has the same colour and marker in every figure
_MARKS = {"S": "s", "ST": "D", "S+ST": "^", "T": "v", "S+T": "<", "T+ST": ">", "S+T+ST": "h"}
_KINDS = {
    **{f"{unit} everywhere": (COLORS[unit], mark) for unit, mark in _MARKS.items()},
    "mode": ("#6B4E9B", "d"),
    "uniform draw": ("#8C564B", "P"),
}
_OTHERS = [(color, mark) for mark in "H8o" for color in ("#3E4C59", "#7A4D00", "#00664A")]
_APART = 10.5  # points between the centres of markers that would overlap
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

    A line joins the front of the draws, which no cheaper or equally cheap draw beats. Draws outside
    the confidence set of the best are hollow.

    Args:
        draws: Sequence of `Draw` with MACs; those that a race dropped are not part of the front.
        rows: Sequence of the table's `Row`s, with MACs.
        chance: float, the top-1 of guessing, drawn as a dotted line; None draws none.
        best: `Row`, the row to mark with a star. Defaults to `None`.
        clips: int, the number of clips on which the rows were measured. Defaults to `None`.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    Draw, Row = vdroppath_tf.scoring.Draw, vdroppath_tf.scoring.Row
    draws = [Draw.of(score, costs.of(score.strategy)[1], True) for score in scores]
    row = Row("S everywhere", "S S S", 0.25, 0.1, macs=costs.of("S S S")[1])
    figure_draws(draws, [row], chance=0.25).savefig("draws.png")
    ```
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
        styles = _styles(others, best)
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
        _side_by_side(axes, [*others, *([] if best is None else [best])], scale)
    return figure


def _styles(rows: Sequence[Row], best: Row | None) -> dict[str, dict[str, Any]]:
    """Returns colour and marker of each kind of row; the best one's strategy has its colour."""
    looks: dict[str, tuple[str, str]] = {}
    for row in rows:
        kind = without_number(row.name)
        if best is not None and row.strategy == best.strategy:
            looks[kind] = (ACCENT, "p" if row.note == STAND_ALONE else "X")
        elif kind not in looks:
            looks[kind] = _KINDS.get(kind) or _other(kind, set(looks.values()))
    return {
        kind: {"color": color, "marker": mark, "markersize": 6.5, "label": plain(kind)}
        for kind, (color, mark) in looks.items()
    }


def _other(kind: str, taken: set[tuple[str, str]]) -> tuple[str, str]:
    """Returns a style that depends on the name, or the next one if it is taken."""
    first = zlib.crc32(kind.encode())
    looks = [_OTHERS[(first + n) % len(_OTHERS)] for n in range(len(_OTHERS))]
    return next((look for look in looks if look not in taken), looks[0])


def _point(axes: Any, row: Row, scale: float, clips: int | None, style: dict[str, Any]) -> None:
    style = {"linestyle": "none", "capsize": 2.5, "elinewidth": 1.1, "zorder": 4, **style}
    ends = row.ends(clips)
    axes.errorbar((row.macs or 0) / scale, row.top1 * 100, 100 * reach(row.top1, *ends), **style)


def _side_by_side(axes: Any, rows: Sequence[Row], scale: float) -> None:
    """Moves overlapping markers sideways by their width, with their error bars.

    Positions are compared in points of the page; the rows' markers are the last containers. The
    last of them, the best, keeps its position.
    """
    figure = axes.figure
    figure.get_layout_engine().execute(figure)  # sets the final size of the axes
    places = axes.transData.transform([((r.macs or 0) / scale, r.top1 * 100) for r in rows])
    taken: list[np.ndarray] = []
    across = np.array([_APART, 0.0])
    drawn = axes.containers[-len(rows) :] if rows else []
    for place, container in reversed([*zip(places * 72 / figure.dpi, drawn, strict=True)]):
        steps = (sign * n for n in range(len(rows)) for sign in (1, -1))
        moved = next(
            step
            for step in steps
            if all(np.abs(place + step * across - other).max() >= _APART for other in taken)
        )
        taken.append(place + moved * across)
        if moved:
            move = ScaledTranslation(moved * _APART / 72, 0, figure.dpi_scale_trans)
            line, caps, bars = container.lines
            for artist in (line, *caps, *bars):
                artist.set_transform(artist.get_transform() + move)


def _draws(axes: Any, draws: Sequence[Draw], scale: float) -> None:
    for draw in draws:
        axes.errorbar(
            (draw.macs or 0) / scale,
            draw.top1 * 100,
            100 * reach(draw.top1, *draw.ends),
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
