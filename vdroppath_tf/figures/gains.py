"""The figure of which classes gain from temporal paths."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.figure import Figure

from vdroppath_tf.analysis.class_gains import ClassGains
from vdroppath_tf.figures.style import ACCENT, GRID, NARROW, SOFT, STYLE, reach, shortened
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.names import named

MOST = 24  # the largest number of classes; of more, half are drawn from either end
_NAME = 26  # the largest length of a name
_GAINS, _UNCLEAR = COLORS["ST"], "#9FB3C8"


@named
def shown_classes(gains: ClassGains) -> list[int]:
    """Returns the classes to draw, largest gain first: all, or both ends of many."""
    order = gains.order
    if len(order) <= MOST:
        return order
    return [*order[: MOST // 2], *order[-MOST // 2 :]]


@named
def figure_gains(gains: ClassGains, *, narrow: bool = False) -> Figure:
    """Draws the gain of each class in points with its 95 % interval, largest first.

    A marker is filled if the gain or loss is clear over all classes together; the two accuracies
    are written next to it.

    Args:
        gains: `ClassGains`, from `class_gains`.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If no class has a clip.

    Example:
    ```python
    truths, right, other = np.array([0, 0, 1, 1]), np.ones(4, bool), np.array([1, 0, 0, 1], bool)
    gains = vdroppath_tf.analysis.class_gains(["left", "right"], truths, right, other)
    figure_gains(gains).savefig("gains.png")
    ```
    """
    shown = shown_classes(gains)
    if not shown:
        raise ValueError("Expected a class with clips. Received: none")
    ends, clear = 100 * gains.intervals(), gains.clear()
    with mpl.rc_context(STYLE):
        size = (NARROW.most if narrow else 6.4, 0.9 + 0.26 * len(shown))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0, color=SOFT, linewidth=0.9)
        for place, k in enumerate(shown):
            gain = 100 * float(gains.gain[k])
            color = _UNCLEAR if not clear[k] else _GAINS if gain > 0 else ACCENT
            style = {"marker": "o", "markersize": 5, "elinewidth": 1.2, "capsize": 2.5}
            sides = reach(gain, *ends[k])
            fill = color if clear[k] else "white"
            axes.errorbar(gain, place, xerr=sides, color=color, markerfacecolor=fill, **style)
        axes.set_yticks(
            range(len(shown)), [shortened(gains.names[k], _NAME) for k in shown], fontsize=8
        )
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlabel("gain in top-1, points")
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        first, second = 100 * gains.top1
        other = axes.secondary_yaxis("right")
        texts = [f"{second[k]:.0f} → {first[k]:.0f} %" for k in shown]
        other.set_yticks(range(len(shown)), texts, fontsize=7.5, color=SOFT)
        for side in (axes, other):
            side.tick_params(axis="y", length=0)
        other.spines["right"].set_visible(False)
    return figure
