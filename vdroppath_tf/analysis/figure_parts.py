"""What the figures of a space are put together from: panels, stacked bars, names, formats."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import image
from matplotlib.figure import Figure

from ..space import ProbabilitySpace
from .unit_looks import COLORS, INK, unit_color, unit_ink, unit_label

SOFT, ACCENT = "#7B8794", "#B23A48"
MOST_PER_ROW = 32
SHORT = 4  # letters that units have at most which stand side by side
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "vdroppath_tf",
}


def mean_marginals(space: ProbabilitySpace) -> dict[str, np.ndarray]:
    """Eq. 7's marginals `(layers,)` in the order of a bar, averaged over inputs where ragged."""
    found = space.marginals(form="paper")
    units = [unit for unit in COLORS if unit in found]
    return {unit: np.array([np.mean(layer) for layer in found[unit]]) for unit in units}


def short_names(space: ProbabilitySpace) -> list[str]:
    """Layer names without the ending that all of them share."""
    names = list(space.layers)
    endings = {name.rpartition("_")[2] for name in names}
    if len(names) > 1 and len(endings) == 1 and all("_" in name for name in names):
        names = [name.rpartition("_")[0] for name in names]
    return [plain(name if len(name) <= 18 else name[:8] + "…" + name[-9:]) for name in names]


def magnitude(value: float) -> tuple[float, str]:
    """Scale and prefix in which `value` has one to three digits before the point."""
    steps = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
    return next(((scale, unit) for scale, unit in steps if value >= scale), (1.0, ""))


def svg_uri(figure: Figure) -> str:
    """A figure as a `data:` address of SVG, the same bytes for the same figure."""
    with mpl.rc_context(STYLE):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue().encode()).decode()


def png_uri(picture: np.ndarray) -> str:
    """A `(height, width, 3)` uint8 picture as a `data:` address of PNG."""
    file = io.BytesIO()
    image.imsave(file, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def layer_panels(
    space: ProbabilitySpace, rows: int, height: float, *, has_start: bool, boxed: bool = False
) -> tuple[Figure, list[Any]]:
    """A figure of panels, one below the other, wide enough for the names of the layers."""
    per_row = -(-len(space) // rows) + 1.4 * has_start
    width = float(np.clip(1.1 + 0.56 * per_row, 4.6, 10.5))
    names = 0.07 * max(map(len, short_names(space)))
    figure = Figure(figsize=(width, rows * (height + names)), layout="constrained")
    if rows > 1 or boxed:  # the boxes of units reach out of the text that the layout keeps clear
        figure.get_layout_engine().set(h_pad=0.1)
    return figure, list(figure.subplots(rows, 1, squeeze=False)[:, 0])


def stack_units(axes: Any, units: dict[str, np.ndarray], start: dict[str, float] | None) -> None:
    """Stacks the probabilities of units, a bar a layer; before them those of the start, faded."""
    places = np.arange(len(next(iter(units.values()))))
    base, first = np.zeros(len(places)), 0.0
    for unit, values in units.items():
        style = {"width": 0.78, "color": COLORS[unit], "edgecolor": "white", "linewidth": 0.5}
        axes.bar(places, values, bottom=base, **style)
        base = base + values
        if start is not None:
            axes.bar([-1.4], [start[unit]], bottom=[first], alpha=0.55, **style)
            first += start[unit]
    axes.set_xlim(-2.0 if start is not None else -0.6, len(places) - 0.4)
    if start is not None:
        axes.text(-1.4, 1.02, "start", ha="center", va="bottom", fontsize=8, color=SOFT)


def name_layers(axes: Any, names: list[str]) -> None:
    """Writes the layers' names below the bars."""
    crowded = max(map(len, names)) > 5
    axes.set_xticks(np.arange(len(names)), names, fontsize=8, rotation=90 if crowded else 0)
    axes.tick_params(axis="x", length=0)


def write_units(axes: Any, units: Sequence[str]) -> None:
    """Writes a strategy's units above the bars."""
    labels = [unit_label(unit) for unit in units]
    crowded = len(units) > 14 or max(map(len, labels)) > SHORT
    for place, unit in enumerate(units):
        axes.text(
            place,
            1.035,
            labels[place],
            ha="center",
            va="bottom",
            fontsize=7.5,
            fontweight="bold",
            rotation=90 if crowded else 0,
            color=unit_ink(unit),
            bbox={"boxstyle": "round,pad=0.22", "facecolor": unit_color(unit), "edgecolor": "none"},
        )


def legend_name(unit: str) -> str:
    """What the legend calls a unit's bar."""
    return "P(none)" if unit == "-" else f"P({unit})"


def plain(text: str) -> str:
    """Text without matplotlib's mathematics, whose `$` user strings may hold."""
    return text.replace("$", r"\$")
