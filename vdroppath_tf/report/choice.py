"""Describes a selection in sentences: the accuracy of the choice, controls, uncertainty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.names import named
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.scoring.listed import Row, without_number
from vdroppath_tf.scoring.selection import Selection

_NEITHER = "not clearly different from"


@named
def confidence_set(task: TaskReport) -> str:
    """Returns the name of the confidence set, with its confidence."""
    level = 0.05 if task.selection is None else task.selection.level
    return f"the {percent(1 - level, 0)} confidence set of the best"


@named
def chosen(task: TaskReport) -> list[str]:
    """Describes the accuracy of the choice on other clips, and how many others may be the best.

    Intervals are those of the selection; a difference is clear if its interval excludes 0.
    """
    found, best = task.selection, task.best
    if found is None or best is None or best.interval is None:
        return []
    between = f"{percent(best.interval.low)} to {percent(best.interval.high)}"
    level = percent(found.confidence, 0)
    bias = "unknown"
    if math.isfinite(found.optimism):
        bias = f"about {round(100 * found.optimism, 1) + 0.0:.1f} points"  # never -0.0
    rule = "the most accurate of all"
    if found.rule == "cheapest":
        rule = f"the cheapest in {confidence_set(task)}"
    subject = "The selected strategy"
    if task.trials is not None:
        subject = "With the template's weights, which trials do not use, the selected strategy"
    reached = (
        f"{subject}, {rule}, reaches {percent(best.top1)} ({level} interval "
        f"{between}) on {found.clips[1]:,} clips that it was not chosen on. On the "
        f"{found.clips[0]:,} it was chosen on it scored {percent(found.top1_chosen_on)}; there the "
        f"selection bias (winner's curse) of the best of {max(len(task.draws), 1)} is {bias}."
    )
    return [reached, *_against_controls(task.rows), _may_be_best(task, found)]


def _against_controls(rows: Sequence[Row]) -> list[str]:
    """Groups the controls by whether the selected strategy is clearly better, worse, or neither."""
    groups: dict[str, list[str]] = {"better than": [], "worse than": [], _NEITHER: []}
    for row in rows[1:]:
        if row.difference is not None:
            low, high = row.difference.low, row.difference.high
            way = "better than" if high < 0 else "worse than" if low > 0 else _NEITHER
            groups[way].append(row.name)
    parts = [f"{way} {', '.join(_counted(names))}" for way, names in groups.items() if names]
    return [f"Clip by clip against the controls it is {'; '.join(parts)}."] if parts else []


def _counted(names: Sequence[str]) -> list[str]:
    """Returns names, with those that differ only in a number replaced by their count."""
    kinds = Counter(map(without_number, names))
    return [f"{count} {kind}s" if count > 1 else kind for kind, count in kinds.items()]


def _may_be_best(task: TaskReport, found: Selection) -> str:
    count, of = len(found.confidence_set), len(task.draws)
    return (
        f"{count} of {of} scored strategies are in {confidence_set(task)}: by these clips, any "
        f"of them may be the best."
    )
