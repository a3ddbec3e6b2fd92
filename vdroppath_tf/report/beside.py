"""A task's space beside the one of other data: how far they are from each other."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.analysis.compare import SpaceComparison, compare_spaces
from vdroppath_tf.report.records import TaskReport


def beside(task: TaskReport) -> SpaceComparison | None:
    """The task's space compared with the other one, where both are of one kind of network."""
    if task.other is None:
        return None
    spaces = task.both.values()
    first, second = ([s.architecture, s.branches, *map(np.shape, s.drop)] for s in spaces)
    return compare_spaces(task.both) if first == second else None


def apart(task: TaskReport) -> str | None:
    """How far the space is from the other one."""
    found = beside(task)
    if found is None:
        return None
    layer = int(found.between[0, 1].argmax())
    return (
        f"Its marginals differ from those of {found.names[1]} by {found.distance[0, 1]:.2f} in "
        f"total variation, averaged over layers; most in {found.layers[layer]} "
        f"({found.between[0, 1, layer]:.2f})."
    )
