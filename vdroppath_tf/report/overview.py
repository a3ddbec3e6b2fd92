"""Compares the tasks of a report, as data for the page's first section."""

from __future__ import annotations

from collections.abc import Sequence

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.names import named
from vdroppath_tf.report.findings import mean_on
from vdroppath_tf.report.formats import score
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.report.tables import TextTable

_UNITS = ("S", "ST", "S+ST")
_CAPTION = (
    "Top-1 accuracy on held-out clips ± standard error; in brackets, at 0 % and 100 %, its 95 % "
    "interval. The last column is the mean over layers of "
    "how much more often a draw keeps the path S than the path ST."
)


@named
def overview(report: Report) -> TextTable:
    """Returns a table with a line for each task with stand-alone rows."""
    uniform = [f"{unit} everywhere" for unit in _UNITS]
    heads = ["Task", "Guessing", *uniform, "Chosen strategy", "P(S on) − P(ST on)"]
    lines = [line for task in report.tasks if (line := _line(task)) is not None]
    return TextTable(_CAPTION, heads, lines)


def _line(task: TaskReport) -> list[str] | None:
    if task.best is None or task.chance is None or task.selection is not None:
        return None
    rows = [task.uniform(unit) for unit in _UNITS]
    cells = [score(row, task.clips) if row else "not trained" for row in rows]
    lean = _lean(task)
    shown = "no such paths" if lean is None else f"{lean:+.2f}".replace("-", "−")
    return [
        task.name,
        percent(task.chance),
        *cells,
        score(task.trained or task.best, task.clips),
        shown,
    ]


def _lean(task: TaskReport) -> float | None:
    on = mean_on(task.space)
    return on["S"] - on["ST"] if {"S", "ST"} <= set(on) else None


@named
def contrast(tasks: Sequence[TaskReport]) -> str | None:
    """Describes the two tasks whose spaces differ most."""
    leans = sorted((lean, task.name) for task in tasks if (lean := _lean(task)) is not None)
    if len(leans) < 2:
        return None
    (low, time), (high, space) = leans[0], leans[-1]
    if high - low < 0.1:
        return f"The spaces of these tasks lean alike (a difference of {high - low:.2f})."
    return f"The space of {space} keeps S over ST by {high - low:.2f} more than that of {time}."
