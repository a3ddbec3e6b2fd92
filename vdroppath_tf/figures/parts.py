"""What the figures of a space are put together from: panels, stacked bars, names, formats."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib import image
from matplotlib.figure import Figure

from vdroppath_tf.figures.units import COLORS, INK, unit_color, unit_ink, unit_label
from vdroppath_tf.spaces.space import ProbabilitySpace

SOFT, ACCENT, GRID = "#616E7C", "#B23A48", "#E4E7EB"


class Sheet(NamedTuple):
    """What a figure is for: layers that stand side by side, and its width in inches."""

    per_row: int
    least: float
    most: float


WIDE, NARROW = Sheet(32, 4.6, 10.5), Sheet(16, 3.8, 3.8)
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


def svg_bytes(figure: Figure) -> bytes:
    """A figure as SVG, the same bytes for the same figure."""
    with mpl.rc_context(STYLE):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue().encode()


def png_bytes(figure: Figure, dots: int = 200) -> bytes:
    """A figure as PNG, so many dots an inch."""
    with mpl.rc_context(STYLE):
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dots, metadata={"Software": None})
    return file.getvalue()


def svg_uri(figure: Figure) -> str:
    """A figure as a `data:` address of SVG."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg_bytes(figure)).decode()


def png_uri(picture: np.ndarray) -> str:
    """A `(height, width, 3)` uint8 picture as a `data:` address of PNG."""
    file = io.BytesIO()
    image.imsave(file, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def width_for(layers: float, least: float = 5.2, most: float = 11.0) -> float:
    """Inches of a figure with so many layers side by side."""
    return float(np.clip(1.1 + 0.56 * layers, least, most))


def in_rows(layers: int, sheet: Sheet) -> list[np.ndarray]:
    """The numbers of the layers in each row of a figure."""
    return np.array_split(np.arange(layers), -(-layers // sheet.per_row))


def layer_panels(
    space: ProbabilitySpace,
    sheet: Sheet,
    height: float,
    *,
    has_start: bool,
    boxed: bool = False,
) -> tuple[Figure, list[tuple[Any, np.ndarray]]]:
    """A figure of panels, one below the other, with the layers in each and their names."""
    chunks = in_rows(len(space), sheet)
    per_row = len(chunks[0]) + 1.4 * has_start
    width = width_for(per_row, sheet.least, sheet.most)
    names = short_names(space)
    room = height + 0.07 * max(map(len, names))
    figure = Figure(figsize=(width, len(chunks) * room), layout="constrained")
    if len(chunks) > 1 or boxed:  # boxes of units reach out of the text that the layout keeps clear
        figure.get_layout_engine().set(h_pad=0.1)
    panels = list(figure.subplots(len(chunks), 1, squeeze=False)[:, 0])
    for axes, chunk in zip(panels, chunks, strict=True):
        name_layers(axes, [names[n] for n in chunk], (width - 0.8) / per_row)
        axes.set_xlim(-2.0 if has_start else -0.6, len(chunks[0]) - 0.4)
    return figure, list(zip(panels, chunks, strict=True))


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
            if start[unit] >= 0.08:  # room for its name, so that no reader needs the colours
                upright = {"rotation": 90 if len(unit) > 2 else 0, "fontsize": 6.5, "color": INK}
                middle = first + start[unit] / 2
                axes.text(-1.4, middle, unit, ha="center", va="center", **upright)
            first += start[unit]
    if start is not None:
        axes.text(-1.4, 1.02, "start", ha="center", va="bottom", fontsize=8, color=SOFT)


def name_layers(axes: Any, names: list[str], each: float = 0.45) -> None:
    """Writes the layers' names below the bars, upright where they would touch in `each` inches."""
    crowded = max(map(len, names)) * 0.085 > each
    axes.set_xticks(np.arange(len(names)), names, fontsize=8, rotation=90 if crowded else 0)
    axes.tick_params(axis="x", length=0)


def write_units(axes: Any, units: Sequence[str]) -> None:
    """Writes a strategy's units above the bars."""
    labels = [unit_label(unit) for unit in units]
    per_inch = (axes.get_xlim()[1] - axes.get_xlim()[0]) / axes.figure.get_figwidth()
    crowded = per_inch > 2 or max(map(len, labels)) > SHORT
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
