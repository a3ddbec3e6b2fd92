"""Pictures of a probability space: matplotlib figures that need no display."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import cm, colors, patches, ticker
from matplotlib.figure import Figure

from ..gate_arrays import LayerArrays
from ..space import ProbabilitySpace
from ..strategy import FusionStrategy
from .figure_parts import (
    ACCENT,
    MOST_PER_ROW,
    SHORT,
    SOFT,
    STYLE,
    layer_panels,
    legend_name,
    magnitude,
    mean_marginals,
    name_layers,
    plain,
    png_uri,
    short_names,
    stack_units,
    write_units,
)
from .fronts import front_of
from .unit_looks import COLORS, label_note, unit_label

_ROW_COLORS = (COLORS["S"], COLORS["ST"], COLORS["S+ST"], COLORS["T"], COLORS["T+ST"])
_DASHED: dict[str, Any] = {"color": SOFT, "linewidth": 0.9, "linestyle": (0, (4, 3))}


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
    chunks = np.array_split(np.arange(len(space)), -(-len(space) // MOST_PER_ROW))
    with mpl.rc_context(STYLE):
        longest = max(map(len, map(unit_label, strategy or ["-"])))
        height = 2.9 + 0.07 * max(longest - SHORT, 0)
        figure, panels = layer_panels(
            space, len(chunks), height, has_start=start is not None, boxed=longest > SHORT
        )
        for axes, chunk in zip(panels, chunks, strict=True):
            stack_units(axes, {unit: values[chunk] for unit, values in now.items()}, start)
            name_layers(axes, [short_names(space)[n] for n in chunk])
            if strategy is not None:
                write_units(axes, [strategy[int(n)] for n in chunk])
            mean = ", mean over inputs" if space.ragged else ""
            axes.set(ylabel=f"probability{mean}", ylim=(0, 1))
        handles = [patches.Patch(color=COLORS[u], label=legend_name(u)) for u in now]
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
    mean = ",\nmean over inputs" if space.ragged else ""
    top = min(max(0.3, float(distance.max()) * 1.2), 1.1)
    figure, panels = _bars(space, distance, f"total variation{mean}", top, "#486581")
    for axes, _ in panels:
        axes.axhline(near, **_DASHED)
    return figure


def figure_entropy(space: ProbabilitySpace) -> Figure:
    """Draw the entropy of each layer's draw, in nats, over its start (sampling form)."""
    started = replace(space, drop=space.initial, layer_drop=space.initial_layer_drop)
    entropy, start = space.entropy(), started.entropy()
    top = 1.15 * max(float(entropy.max()), float(start.max()), 0.1)
    figure, panels = _bars(space, entropy, "entropy, nats", top, "#829AB1")
    for axes, chunk in panels:
        places = np.arange(len(chunk))
        axes.hlines(start[chunk], places - 0.42, places + 0.42, **_DASHED)
    return figure


def _bars(
    space: ProbabilitySpace, values: np.ndarray, label: str, top: float, color: str
) -> tuple[Figure, list[tuple[Any, np.ndarray]]]:
    """A bar a layer, up to `top`; with the panels, and the numbers of the layers in each."""
    chunks = np.array_split(np.arange(len(space)), -(-len(space) // MOST_PER_ROW))
    with mpl.rc_context(STYLE):
        figure, panels = layer_panels(space, len(chunks), 1.9, has_start=False)
        for axes, chunk in zip(panels, chunks, strict=True):
            bars = axes.bar(np.arange(len(chunk)), values[chunk], 0.62, color=color)
            if len(space) <= 16:
                axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
            name_layers(axes, [short_names(space)[n] for n in chunk])
            axes.set(ylabel=label, ylim=(0, top))
    return figure, list(zip(panels, chunks, strict=True))


def figure_draws(
    draws: Sequence[tuple[float, float, float]],
    rows: Sequence[tuple[str, float, float, float]],
    chance: float,
) -> Figure:
    """Draw accuracy over cost, for the draws from the space and for the table's rows.

    Args:
        draws: `(MACs, top-1, standard error)` of every draw; a line joins their Pareto front.
        rows: `(name, MACs, top-1, standard error)` of the table's rows.
        chance: Top-1 of guessing: a dotted line.
    """
    macs = [draw[0] for draw in draws] + [row[1] for row in rows]
    scale, unit = magnitude(max(macs))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(chance * 100, color=SOFT, linewidth=0.9, linestyle=":", label="chance")
        if draws:
            _draws(axes, np.array(draws) / [scale, 0.01, 0.01])
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
                label=plain(name),
            )
        axes.set(
            xlabel=f"MACs a clip ({unit})" if unit else "MACs a clip", ylabel="top-1 accuracy, %"
        )
        axes.set_ylim(min(axes.get_ylim()[0], chance * 100 - 5), None)
        axes.grid(axis="y", color="#E4E7EB", linewidth=0.6)
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8.5)
    return figure


def _draws(axes: Any, draws: np.ndarray) -> None:
    costs, scores, errors = draws.T
    look = {"linestyle": "none", "color": "#9FB3C8", "alpha": 0.75}
    axes.errorbar(costs, scores, errors, marker="o", markersize=4, elinewidth=0.7, **look)
    best = front_of(costs, scores)
    axes.plot(costs[best], scores[best], color="#627D98", linewidth=1.1, label="front of the draws")
    axes.plot([], [], "o", color="#9FB3C8", markersize=4, label="draws from the space")


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
    with mpl.rc_context(STYLE):
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
