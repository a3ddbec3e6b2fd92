"""The figure of Pareto fronts: the probability that a smaller network costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from vdroppath_tf.figures.style import NARROW, STYLE, magnitude, plain
from vdroppath_tf.figures.units import COLORS
from vdroppath_tf.names import named

if TYPE_CHECKING:
    from vdroppath_tf.budget.choices import Choice

_COLORS = (COLORS["S"], COLORS["ST"], COLORS["S+ST"], COLORS["T"])


@named
def figure_pareto(
    fronts: Mapping[str, Sequence[Choice]],
    *,
    by: str = "macs",
    whole: float | None = None,
    narrow: bool = False,
) -> Figure:
    """Draws fronts as lines: the cost horizontally, the loss in log-probability vertically.

    Args:
        fronts: Mapping from names to results of `pareto`.
        by: str, the cost of these fronts. Defaults to `"macs"`.
        whole: float, the cost that is drawn as 100 %, such as that of S+ST everywhere. Defaults to
            `None`, which draws the cost itself.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If `by` is unknown.

    Example:
    ```python
    space = vdroppath_tf.zoo.transfer(vdroppath_tf.zoo.published_space("ucf101"), "micro")
    front = vdroppath_tf.budget.pareto(space, clip_shape=(8, 32, 32))
    figure_pareto({"micro": front}).savefig("pareto.png")
    ```
    """
    # This imports Keras, which other figures do not need.
    from vdroppath_tf.budget.tables import UNITS_OF, check_cost_name

    check_cost_name(by)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(NARROW.most if narrow else 6.4, 3.4), layout="constrained")
        axes = figure.add_subplot()
        most = max(getattr(choice, by) for front in fronts.values() for choice in front)
        times, over, prefix = (1, *magnitude(most)) if whole is None else (100, whole, "")
        for k, (name, front) in enumerate(fronts.items()):
            cost = [times * getattr(choice, by) / over for choice in front]
            short = [choice.log_prob - front[-1].log_prob for choice in front]
            color = _COLORS[k % len(_COLORS)]
            axes.plot(cost, short, color=color, label=plain(name), drawstyle="steps-post")
        unit = f"{prefix} {UNITS_OF[by]}".strip()
        share = unit if whole is None else f"{unit}, % of S+ST everywhere"
        axes.set(xlabel=share, ylabel="log-probability, the mode's = 0")
        if len(fronts) > 1:
            axes.legend(loc="lower right")
    return figure
