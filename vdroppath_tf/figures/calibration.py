"""The figure of a space's calibration: accuracy over log-probability."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.figures.style import GRID, NARROW, STYLE, reach
from vdroppath_tf.names import named
from vdroppath_tf.scoring.intervals import wilson
from vdroppath_tf.scoring.scores import StrategyScore
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
def figure_calibration(
    space: ProbabilitySpace, scores: Sequence[StrategyScore], *, narrow: bool = False
) -> Figure:
    """Draws the accuracy of strategies over their log-probability in the space.

    Args:
        space: `ProbabilitySpace`, the learned space.
        scores: Sequence of `StrategyScore`, draws from the space; those with probability 0 are left
            out.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    figure_calibration(space, [*scores]).savefig("calibration.png")
    ```
    """
    pairs = [(space.log_prob(score.strategy), score) for score in scores]
    pairs = [(log, score) for log, score in pairs if np.isfinite(log)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(NARROW.most if narrow else 5.2, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for log, score in pairs:
            sides = 100 * reach(score.top1, *wilson(score.top1, score.clips))
            style = {"marker": "o", "markersize": 4.5, "elinewidth": 0.7, "linestyle": "none"}
            axes.errorbar(log, 100 * score.top1, sides, color="#486581", alpha=0.8, **style)
        axes.set(xlabel="log-probability of a draw, nats", ylabel="top-1 accuracy, %")
        axes.grid(color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
    return figure
