"""The figure of the entropy of each layer."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.figures.panels import DASHED, layer_bars
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
def figure_entropy(space: ProbabilitySpace, *, narrow: bool = False) -> Figure:
    """Draws each layer's entropy in nats, and its initial value (sampling form).

    Args:
        space: `ProbabilitySpace`, the learned space.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Example:
    ```python
    figure_entropy(vdroppath_tf.zoo.published_space("ucf101")).savefig("entropy.png")
    ```
    """
    entropy, start = space.entropy(), space.started().entropy()
    top = 1.15 * max(float(entropy.max()), float(start.max()), 0.1)
    figure, panels = layer_bars(space, entropy, top, "#829AB1", narrow)
    for axes, chunk in panels:
        positions = np.arange(len(chunk))
        axes.set_ylabel("entropy, nats")
        axes.hlines(start[chunk], positions - 0.42, positions + 0.42, **DASHED)
    return figure
