"""Parts of figures with a bar position for each layer: panels, bars, names, legends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import patches
from matplotlib.figure import Figure

from vdroppath_tf.figures.style import MOVERS, NARROW, SOFT, STYLE, WIDE, Sheet, plain
from vdroppath_tf.figures.units import COLORS, INK, unit_color, unit_ink, unit_label
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace

SHORT = 4  # the largest length of units that are written side by side
DASHED: dict[str, Any] = {"color": SOFT, "linewidth": 0.9, "linestyle": (0, (4, 3))}
_START = -1.4  # the position of the bar of the start


@named
def short_names(space: ProbabilitySpace) -> list[str]:
    """Returns layer names without their common ending."""
    names = list(space.layers)
    endings = {name.rpartition("_")[2] for name in names}
    if len(names) > 1 and len(endings) == 1 and all("_" in name for name in names):
        names = [name.rpartition("_")[0] for name in names]
    return [plain(name if len(name) <= 18 else name[:8] + "…" + name[-9:]) for name in names]


@named
def width_for(layers: float, least: float = 5.2, most: float = 11.0) -> float:
    """Returns the width in inches of a figure with this number of layers side by side."""
    return float(np.clip(1.1 + 0.56 * layers, least, most))


@named
def layer_panels(
    space: ProbabilitySpace,
    sheet: Sheet,
    height: float,
    *,
    has_start: bool,
    boxed: bool = False,
) -> tuple[Figure, list[tuple[Any, np.ndarray]]]:
    """Creates a figure of panels below each other; returns it with each panel's layer numbers."""
    chunks = np.array_split(np.arange(len(space)), -(-len(space) // sheet.per_row))
    per_row = len(chunks[0]) + 1.4 * has_start
    width = width_for(per_row, sheet.least, sheet.most)
    names = short_names(space)
    room = height + 0.07 * max(map(len, names))
    figure = Figure(figsize=(width, len(chunks) * room), layout="constrained")
    if len(chunks) > 1 or boxed:  # boxes of units exceed the space that the layout reserves
        figure.get_layout_engine().set(h_pad=0.1)
    panels = list(figure.subplots(len(chunks), 1, squeeze=False)[:, 0])
    for axes, chunk in zip(panels, chunks, strict=True):
        name_layers(axes, [names[n] for n in chunk], (width - 0.8) / per_row)
        axes.set_xlim(-2.0 if has_start else -0.6, len(chunks[0]) - 0.4)
    return figure, list(zip(panels, chunks, strict=True))


@named
def layer_bars(
    space: ProbabilitySpace, values: np.ndarray, top: float, color: str, narrow: bool
) -> tuple[Figure, list[tuple[Any, np.ndarray]]]:
    """Draws a bar for each layer, up to `top`; returns the same as `layer_panels`."""
    with mpl.rc_context(STYLE):
        sheet = NARROW if narrow else WIDE
        figure, panels = layer_panels(space, sheet, 1.9, has_start=False)
        for axes, chunk in panels:
            bars = axes.bar(np.arange(len(chunk)), values[chunk], 0.62, color=color)
            if len(space) <= (8 if narrow else 16):
                axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
            axes.set(ylim=(0, top))
    return figure, panels


@named
def stack_units(axes: Any, units: dict[str, np.ndarray], movers: Sequence[str] = ()) -> None:
    """Stacks the probabilities of units for each layer, hatched if the prior moved the layer."""
    base: Any = 0.0
    for unit, values in units.items():
        axes.bar(np.arange(len(values)), values, bottom=base, **_bar(unit))
        base = base + values
    hatched = [n for n, mover in enumerate(movers) if MOVERS[mover][2]]
    for n in hatched:
        look = {"width": 0.78, "color": "none", "edgecolor": INK, "linewidth": 0.0, "alpha": 0.55}
        axes.bar([n], [base[n]], hatch=MOVERS[movers[n]][2], **look)


@named
def stack_start(axes: Any, start: dict[str, float]) -> None:
    """Stacks the initial probabilities of units in one faded bar before those of the layers."""
    base = 0.0
    for unit, value in start.items():
        axes.bar([_START], [value], bottom=[base], alpha=0.55, **_bar(unit))
        if value >= 0.08:  # enough room for the name, so that colours are not needed
            upright = {"rotation": 90 if len(unit) > 2 else 0, "fontsize": 6.5, "color": INK}
            axes.text(_START, base + value / 2, unit, ha="center", va="center", **upright)
        base += value
    axes.text(_START, 1.02, "start", ha="center", va="bottom", fontsize=8, color=SOFT)


def _bar(unit: str) -> dict[str, Any]:
    return {"width": 0.78, "color": COLORS[unit], "edgecolor": "white", "linewidth": 0.5}


@named
def mover_patches(movers: Sequence[str], color: str | None = None) -> list[patches.Patch]:
    """Returns the legend entries for what moved the layers.

    Args:
        movers: `"data"`, `"prior"` or `"neither"` of each layer.
        color: One colour for all entries, if bars are only distinguished by hatching. Defaults to
            None: each entry has its own colour.
    """
    return [
        patches.Patch(
            facecolor=color or own, hatch=hatch, edgecolor=INK, linewidth=0.4, label=label
        )
        for mover, (label, own, hatch) in MOVERS.items()
        if mover in movers and (color is None or hatch)
    ]


@named
def name_layers(axes: Any, names: list[str], each: float = 0.45) -> None:
    """Writes the layers' names below the bars, vertically if they would touch in `each` inches."""
    crowded = max(map(len, names)) * 0.085 > each
    axes.set_xticks(np.arange(len(names)), names, fontsize=8, rotation=90 if crowded else 0)
    axes.tick_params(axis="x", length=0)


@named
def write_units(axes: Any, units: Sequence[str]) -> None:
    """Writes a strategy's units above the bars."""
    labels = [unit_label(unit) for unit in units]
    per_inch = (axes.get_xlim()[1] - axes.get_xlim()[0]) / axes.figure.get_figwidth()
    crowded = per_inch > 2 or max(map(len, labels)) > SHORT
    for position, unit in enumerate(units):
        axes.text(
            position,
            1.035,
            labels[position],
            transform=axes.get_xaxis_transform(),  # above the panel, independently of its scale
            ha="center",
            va="bottom",
            fontsize=7.5,
            fontweight="bold",
            rotation=90 if crowded else 0,
            color=unit_ink(unit),
            bbox={"boxstyle": "round,pad=0.22", "facecolor": unit_color(unit), "edgecolor": "none"},
        )


@named
def unit_legend(
    figure: Figure, units: Iterable[str], *, note: str | None = None, movers: Sequence[str] = ()
) -> None:
    """Adds a legend of the units below a figure, with a note above it."""
    names = {unit: "P(none)" if unit == "-" else f"P({unit})" for unit in units}
    handles = [patches.Patch(color=COLORS[unit], label=name) for unit, name in names.items()]
    handles += mover_patches(movers, "white")
    columns = 4 if figure.get_figwidth() > NARROW.most or len(handles) == len(names) else 3
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(columns, len(handles)),
        handlelength=1.2,
        columnspacing=1.2,
        **({} if note is None else {"title": note, "title_fontsize": 8}),
    )
