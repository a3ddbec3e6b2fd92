"""The figure of a probability space: the paper's Fig. 4."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.figures.panels import (
    SHORT,
    layer_panels,
    stack_start,
    stack_units,
    unit_legend,
    write_units,
)
from vdroppath_tf.figures.style import NARROW, STYLE, WIDE
from vdroppath_tf.figures.units import label_note, unit_label
from vdroppath_tf.names import named
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import s_first


@named
def figure_marginals(
    space: ProbabilitySpace, strategy: FusionStrategy | None = None, *, narrow: bool = False
) -> Figure:
    """Draws the unit marginals of every layer as stacked bars: the paper's Fig. 4.

    The bars have the form of Eq. 7 (a path is on with `1 - sqrt(p)`). If it is known (`diagnose`),
    layers that the prior moved and not the data are hatched. If all gates started from the same
    values, a bar named "start" shows these. Many layers are drawn in several rows.

    Args:
        space: `ProbabilitySpace`, the learned space; with gates per input, the means over
            each layer's inputs are drawn.
        strategy: `FusionStrategy`, whose units are written above the bars; `S*` if some of the
            layer's inputs have S. Defaults to `None`, which writes none.
        narrow: bool, whether the figure is for a small screen, with fewer layers in each row.
            Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If the strategy does not fit the space.

    Example:
    ```python
    space = vdroppath_tf.zoo.published_space("ucf101")
    figure_marginals(space, space.mode()).savefig("marginals.png")
    ```
    """
    if strategy is not None:
        strategy.check(len(space), space.architecture, space.branches)
    now, start = s_first(space.marginals()), _common_start(space)
    movers = diagnose(space).moved_by
    longest = max(map(len, map(unit_label, strategy or ["-"])))
    height = (2.3 if narrow else 2.9) + 0.07 * max(longest - SHORT, 0)
    mean = ", mean over inputs" if space.per_input else ""
    with mpl.rc_context(STYLE):
        figure, panels = layer_panels(
            space,
            NARROW if narrow else WIDE,
            height,
            has_start=start is not None,
            boxed=longest > SHORT,
        )
        for axes, chunk in panels:
            own = [movers[n] for n in chunk] if movers else []
            stack_units(axes, {unit: values[chunk] for unit, values in now.items()}, own)
            if start is not None:
                stack_start(axes, start)
            if strategy is not None:
                write_units(axes, [strategy[int(n)] for n in chunk])
            axes.set(ylabel=f"probability{mean}", ylim=(0, 1))
        note = None if strategy is None else label_note(strategy)
        unit_legend(figure, now, note=note, movers=movers)
    return figure


def _common_start(space: ProbabilitySpace) -> dict[str, float] | None:
    """Returns the initial marginals if all layers with every branch share them, else None."""
    whole = space.gated.all(axis=1)
    started = s_first(space.started().marginals())
    found = {unit: values[whole] for unit, values in started.items()}
    if not whole.any() or any(np.ptp(values) > 1e-9 for values in found.values()):
        return None
    return {unit: float(values[0]) for unit, values in found.items()}
