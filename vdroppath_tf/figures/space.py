"""Pictures of a probability space: matplotlib figures that need no display."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import patches
from matplotlib.figure import Figure

from vdroppath_tf.figures.parts import (
    NARROW,
    SHORT,
    SOFT,
    STYLE,
    WIDE,
    layer_panels,
    legend_name,
    png_uri,
    stack_units,
    write_units,
)
from vdroppath_tf.figures.units import COLORS, label_note, unit_label
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

_DASHED: dict[str, Any] = {"color": SOFT, "linewidth": 0.9, "linestyle": (0, (4, 3))}


def figure_marginals(
    space: ProbabilitySpace, strategy: FusionStrategy | None = None, *, narrow: bool = False
) -> Figure:
    """Draw the unit marginals of every layer as stacked bars: the paper's Fig. 4.

    The bars have Eq. 7's form (a path is on with `1 - sqrt(p)`). Where all gates have started
    from the same values, a bar named "start" shows these. Many layers are drawn in several rows.

    Args:
        space: The learned space; of a ragged one, the means over each layer's inputs.
        strategy: Units to write above the bars; `S*` where some of the layer's inputs have S.
        narrow: For a small screen: more rows of fewer layers.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If the strategy does not fit the space.
    """
    if strategy is not None:
        strategy.check(len(space), space.architecture, space.branches)
    now, start = space.mean_marginals(), _common_start(space)
    with mpl.rc_context(STYLE):
        longest = max(map(len, map(unit_label, strategy or ["-"])))
        height = (2.3 if narrow else 2.9) + 0.07 * max(longest - SHORT, 0)
        sheet = NARROW if narrow else WIDE
        boxed = longest > SHORT
        figure, panels = layer_panels(
            space, sheet, height, has_start=start is not None, boxed=boxed
        )
        for axes, chunk in panels:
            stack_units(axes, {unit: values[chunk] for unit, values in now.items()}, start)
            if strategy is not None:
                write_units(axes, [strategy[int(n)] for n in chunk])
            mean = ", mean over inputs" if space.ragged else ""
            axes.set(ylabel=f"probability{mean}", ylim=(0, 1))
        handles = [patches.Patch(color=COLORS[u], label=legend_name(u)) for u in now]
        note = None if strategy is None else label_note(strategy)
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=min(4, len(handles)),
            handlelength=1.2,
            columnspacing=1.2,
            **({} if note is None else {"title": note, "title_fontsize": 8}),
        )
    return figure


def figure_distance(space: ProbabilitySpace, near: float, *, narrow: bool = False) -> Figure:
    """Draw how far each layer's marginals are from their starting values.

    Args:
        space: The learned space.
        near: Total variation below which a layer counts as near its start: a dashed line.
        narrow: For a small screen.
    """
    distance = space.distance_from_start()
    mean = ",\nmean over inputs" if space.ragged else ""
    top = min(max(0.3, float(distance.max()) * 1.2), 1.1)
    figure, panels = _bars(space, distance, top, "#486581", narrow)
    for axes, _ in panels:
        axes.set_ylabel(f"total variation{mean}")
        axes.axhline(near, **_DASHED)
    return figure


def figure_entropy(space: ProbabilitySpace, *, narrow: bool = False) -> Figure:
    """Draw the entropy of each layer's draw, in nats, over its start (sampling form).

    Args:
        space: The learned space.
        narrow: For a small screen.
    """
    started = replace(space, drop=space.initial, layer_drop=space.initial_layer_drop)
    entropy, start = space.entropy(), started.entropy()
    top = 1.15 * max(float(entropy.max()), float(start.max()), 0.1)
    figure, panels = _bars(space, entropy, top, "#829AB1", narrow)
    for axes, chunk in panels:
        places = np.arange(len(chunk))
        axes.set_ylabel("entropy, nats")
        axes.hlines(start[chunk], places - 0.42, places + 0.42, **_DASHED)
    return figure


def _bars(
    space: ProbabilitySpace, values: np.ndarray, top: float, color: str, narrow: bool
) -> tuple[Figure, list[tuple[Any, np.ndarray]]]:
    """A bar a layer, up to `top`; with the panels, and the numbers of the layers in each."""
    with mpl.rc_context(STYLE):
        sheet = NARROW if narrow else WIDE
        figure, panels = layer_panels(space, sheet, 1.9, has_start=False)
        for axes, chunk in panels:
            bars = axes.bar(np.arange(len(chunk)), values[chunk], 0.62, color=color)
            if len(space) <= (8 if narrow else 16):
                axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
            axes.set(ylim=(0, top))
    return figure, panels


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
    found = {unit: values[whole] for unit, values in started.mean_marginals().items()}
    if not whole.any() or any(np.ptp(values) > 1e-9 for values in found.values()):
        return None
    return {unit: float(values[0]) for unit, values in found.items()}
