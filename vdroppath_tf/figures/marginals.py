"""The picture of a probability space: the paper's Fig. 4."""

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

    The bars have Eq. 7's form (a path is on with `1 - sqrt(p)`). Those of layers that the prior
    moved, not the data, are hatched, where that is known (`diagnose`). Where all gates have started
    from the same values, a bar named "start" shows these. Many layers are drawn in several rows.

    Args:
        space: `ProbabilitySpace`, the learned space; with gates per input, the means over
            each layer's inputs are drawn.
        strategy: `FusionStrategy`, units to write above the bars; `S*` where some of the layer's
            inputs have S. Defaults to `None`, which writes none.
        narrow: bool, whether it is for a small screen: more rows of fewer layers. Defaults to
            `False`.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If the strategy does not fit the space.
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
    """The starting marginals, where all layers that have every branch started with the same."""
    whole = space.gated.all(axis=1)
    started = s_first(space.started().marginals())
    found = {unit: values[whole] for unit, values in started.items()}
    if not whole.any() or any(np.ptp(values) > 1e-9 for values in found.values()):
        return None
    return {unit: float(values[0]) for unit, values in found.items()}
