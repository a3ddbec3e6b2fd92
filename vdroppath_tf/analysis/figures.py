"""Pictures of a probability space: matplotlib figures that need no display."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import cm, colors, image, patches, ticker
from matplotlib.figure import Figure

from ..gate_arrays import LayerArrays
from ..space import ProbabilitySpace
from ..strategy import FusionStrategy
from .unit_looks import COLORS, INK, label_note, unit_color, unit_ink, unit_label

SOFT, ACCENT = "#7B8794", "#B23A48"
_ROW_COLORS = (COLORS["S"], COLORS["ST"], COLORS["S+ST"], COLORS["T"], COLORS["T+ST"])
_MOST_PER_ROW = 32
_SHORT = 4  # letters that units have at most which stand side by side
PICTURE_STYLE: dict[str, Any] = {
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


def figure_marginals(space: ProbabilitySpace, strategy: FusionStrategy | None = None) -> Figure:
    """Draw the unit marginals of every layer as stacked bars: the paper's Fig. 4.

    The bars have Eq. 7's form (a path is on with `1 - sqrt(p)`). Where all gates have started
    from the same values, a bar named "start" shows these. Many layers are drawn in several rows.

    Args:
        space: The learned space; of a ragged one, the means over each layer's inputs.
        strategy: Units to write above the bars; `S*` where some of the layer's inputs have S.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If the strategy does not fit the space.
    """
    if strategy is not None:
        strategy.check(len(space), space.architecture, space.branches)
    now, start = mean_marginals(space), _common_start(space)
    chunks = np.array_split(np.arange(len(space)), -(-len(space) // _MOST_PER_ROW))
    with mpl.rc_context(PICTURE_STYLE):
        longest = max(map(len, map(unit_label, strategy or ["-"])))
        height = 2.9 + 0.07 * max(longest - _SHORT, 0)
        figure, panels = _panels(
            space, len(chunks), height, has_start=start is not None, boxed=longest > _SHORT
        )
        for axes, chunk in zip(panels, chunks, strict=True):
            _stack(axes, {unit: values[chunk] for unit, values in now.items()}, start)
            _name_layers(axes, [short_names(space)[n] for n in chunk])
            if strategy is not None:
                _write_units(axes, [strategy[int(n)] for n in chunk])
            mean = ", mean over inputs" if space.ragged else ""
            axes.set(ylabel=f"probability{mean}", ylim=(0, 1))
        handles = [patches.Patch(color=COLORS[u], label=_legend_name(u)) for u in now]
        note = None if strategy is None else label_note(strategy)
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=4,
            handlelength=1.2,
            **({} if note is None else {"title": note, "title_fontsize": 8}),
        )
    return figure


def figure_distance(space: ProbabilitySpace, near: float) -> Figure:
    """Draw how far each layer's marginals are from their starting values.

    Args:
        space: The learned space.
        near: Total variation below which a layer counts as near its start: a dashed line.
    """
    distance = space.distance_from_start()
    chunks = np.array_split(np.arange(len(space)), -(-len(space) // _MOST_PER_ROW))
    top = max(0.3, float(distance.max()) * 1.2)
    mean = ",\nmean over inputs" if space.ragged else ""
    with mpl.rc_context(PICTURE_STYLE):
        figure, panels = _panels(space, len(chunks), 1.9, has_start=False)
        for axes, chunk in zip(panels, chunks, strict=True):
            bars = axes.bar(np.arange(len(chunk)), distance[chunk], 0.62, color="#486581")
            if len(space) <= 16:
                axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
            axes.axhline(near, color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)))
            _name_layers(axes, [short_names(space)[n] for n in chunk])
            axes.set(ylabel=f"total variation{mean}", ylim=(0, min(top, 1.1)))
    return figure


def figure_draws(
    draws: Sequence[tuple[float, float]],
    rows: Sequence[tuple[str, float, float, float]],
    chance: float,
) -> Figure:
    """Draw accuracy over cost, for the draws from the space and for the table's rows.

    Args:
        draws: `(MACs, top-1)` of every draw.
        rows: `(name, MACs, top-1, standard error)` of the table's rows.
        chance: Top-1 of guessing: a dotted line.
    """
    macs = [m for m, _ in draws] + [row[1] for row in rows]
    scale, unit = magnitude(max(macs))
    with mpl.rc_context(PICTURE_STYLE):
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(chance * 100, color=SOFT, linewidth=0.9, linestyle=":", label="chance")
        if draws:
            costs, scores = np.array(draws).T
            label = "draws from the space"
            axes.scatter(
                costs / scale, scores * 100, 22, "#9FB3C8", alpha=0.75, linewidths=0, label=label
            )
        for n, (name, cost, top1, error) in enumerate(rows):
            color = ACCENT if n == len(rows) - 1 else _ROW_COLORS[n % len(_ROW_COLORS)]
            axes.errorbar(
                cost / scale,
                top1 * 100,
                error * 100,
                color=color,
                marker="osD^vPX*"[n % 8],
                markersize=6.5,
                linestyle="none",
                capsize=2.5,
                label=_plain(name),
            )
        axes.set(
            xlabel=f"MACs a clip ({unit})" if unit else "MACs a clip", ylabel="top-1 accuracy, %"
        )
        axes.set_ylim(min(axes.get_ylim()[0], chance * 100 - 5), None)
        axes.grid(axis="y", color="#E4E7EB", linewidth=0.6)
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8.5)
    return figure


def figure_history(history: Sequence[LayerArrays], space: ProbabilitySpace) -> Figure:
    """Draw drop probabilities over training: a panel per branch, a line per layer.

    Args:
        history: `drop` of the space after each epoch, the starting values first; of a ragged one
            the lines are means over each layer's inputs.
        space: The space they became. A layer that lacks a branch has no line in its panel.
    """
    values = np.array([_mean_over_inputs(drop) for drop in history])
    branches, layers = space.branches, len(space)
    shades = mpl.colormaps["cividis"](np.linspace(0, 0.92, layers))
    with mpl.rc_context(PICTURE_STYLE):
        figure = Figure(figsize=(2.6 * max(len(branches), 2), 3.2), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, len(branches), sharey=True))
        for n, axes in enumerate(panels):
            for layer in np.flatnonzero(space.gated[:, n]):
                axes.plot(values[:, layer, n], color=shades[layer], linewidth=1.4)
            axes.set(xlabel="epoch with gates", ylim=(-0.02, 1.02), title=f"path {branches[n]}")
            axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, nbins=6))
            axes.grid(axis="y", color="#E4E7EB", linewidth=0.6)
        mean = ", mean over inputs" if space.ragged else ""
        panels[0].set_ylabel(f"drop probability p{mean}")
        scale = cm.ScalarMappable(
            colors.BoundaryNorm(np.arange(layers + 1) + 0.5, layers),
            colors.ListedColormap(shades),
        )
        ticks = np.unique(np.linspace(1, layers, min(layers, 8)).round())
        bar = figure.colorbar(scale, ax=list(panels), label="layer", ticks=ticks, aspect=30)
        bar.minorticks_off()
    return figure


def _mean_over_inputs(drop: LayerArrays) -> list[np.ndarray]:
    """`(branches,)` of each layer."""
    return [np.mean(np.atleast_2d(layer), axis=0) for layer in drop]


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
    return [_plain(name if len(name) <= 18 else name[:8] + "…" + name[-9:]) for name in names]


def magnitude(value: float) -> tuple[float, str]:
    """Scale and prefix in which `value` has one to three digits before the point."""
    steps = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
    return next(((scale, unit) for scale, unit in steps if value >= scale), (1.0, ""))


def svg_uri(figure: Figure) -> str:
    """A figure as a `data:` address of SVG, the same bytes for the same figure."""
    with mpl.rc_context(PICTURE_STYLE):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue().encode()).decode()


def png_uri(picture: np.ndarray) -> str:
    """A `(height, width, 3)` uint8 picture as a `data:` address of PNG."""
    file = io.BytesIO()
    image.imsave(file, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def frame_strip(clip: np.ndarray, count: int = 6, height: int = 64) -> str:
    """Show a clip as a strip of frames, evenly spaced in time.

    Args:
        clip: `(time, height, width, 3)`, values 0 to 255.
        count: Most frames to show.
        height: Pixels above which frames are shown with every n-th pixel only.

    Returns:
        A `data:` address of PNG, for `Prediction.frames`.

    Raises:
        ValueError: If the clip has another shape.
    """
    clip = np.asarray(clip)
    if clip.ndim != 4 or clip.shape[-1] != 3 or 0 in clip.shape:
        raise ValueError(
            f"Expected a clip of shape (time, height, width, 3). Received: {clip.shape}"
        )
    times = np.linspace(0, len(clip) - 1, min(count, len(clip))).round().astype(int)
    step = -(-clip.shape[1] // height)
    frames = np.clip(clip[times, ::step, ::step].round(), 0, 255).astype(np.uint8)
    gap = np.full((frames.shape[1], 2, 3), 255, np.uint8)
    columns = [column for frame in frames for column in (frame, gap)][:-1]
    return png_uri(np.concatenate(columns, axis=1))


def _common_start(space: ProbabilitySpace) -> dict[str, float] | None:
    """The starting marginals, where all layers that have every branch started with the same."""
    started = ProbabilitySpace(
        space.initial, branches=space.branches, layer_drop=space.initial_layer_drop
    )
    whole = space.gated.all(axis=1)
    found = {unit: values[whole] for unit, values in mean_marginals(started).items()}
    if not whole.any() or any(np.ptp(values) > 1e-9 for values in found.values()):
        return None
    return {unit: float(values[0]) for unit, values in found.items()}


def _panels(
    space: ProbabilitySpace, rows: int, height: float, *, has_start: bool, boxed: bool = False
) -> tuple[Figure, list[Any]]:
    per_row = -(-len(space) // rows) + 1.4 * has_start
    width = float(np.clip(1.1 + 0.56 * per_row, 4.6, 10.5))
    names = 0.07 * max(map(len, short_names(space)))
    figure = Figure(figsize=(width, rows * (height + names)), layout="constrained")
    if rows > 1 or boxed:  # the boxes of units reach out of the text that the layout keeps clear
        figure.get_layout_engine().set(h_pad=0.1)
    return figure, list(figure.subplots(rows, 1, squeeze=False)[:, 0])


def _stack(axes: Any, units: dict[str, np.ndarray], start: dict[str, float] | None) -> None:
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


def _name_layers(axes: Any, names: list[str]) -> None:
    crowded = max(map(len, names)) > 5
    axes.set_xticks(np.arange(len(names)), names, fontsize=8, rotation=90 if crowded else 0)
    axes.tick_params(axis="x", length=0)


def _write_units(axes: Any, units: Sequence[str]) -> None:
    labels = [unit_label(unit) for unit in units]
    crowded = len(units) > 14 or max(map(len, labels)) > _SHORT
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


def _legend_name(unit: str) -> str:
    return "P(none)" if unit == "-" else f"P({unit})"


def _plain(text: str) -> str:
    """Text without matplotlib's mathematics, whose `$` user strings may hold."""
    return text.replace("$", r"\$")
