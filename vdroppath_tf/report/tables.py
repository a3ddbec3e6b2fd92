"""The tables of a report as plain values, for its pages and CSV files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vdroppath_tf.names import named
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.trial_words import trial_rows
from vdroppath_tf.scoring.listed import Row
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.unit import s_first

Table: TypeAlias = "tuple[list[str], list[list[Any]]]"


@named
@dataclass(frozen=True)
class TextTable:
    """A table with text cells, for a page; the first cell of a line is its heading."""

    caption: str
    heads: list[str]
    lines: list[list[str]]


@named
def layer_table(task: TaskReport) -> Table:
    """Returns headings, and for each layer: unit, marginals, P(on), distance, entropy, mover.

    With gates per input, values are means over each layer's inputs.
    """
    space = task.space
    marginals, on = s_first(space.marginals()), space.path_on(form="sampling")
    units = [f"P({'none' if unit == '-' else unit})" for unit in marginals]
    unit = "Mode" if task.chosen is None else "Chosen"
    movers = diagnose(space).moved_by or ("unknown",) * len(space)
    heads = ["Layer", unit, *units, *(f"{b} on in a draw" for b in on), "Distance", "Entropy"]
    heads.append("Moved by")
    columns = [
        *marginals.values(),
        *on.values(),
        space.distance_from_start(),
        space.entropy(),
    ]
    lines = [
        [name, str(task.shown[n]), *(float(column[n]) for column in columns), movers[n]]
        for n, name in enumerate(space.layers)
    ]
    return heads, lines


@named
def row_table(task: TaskReport) -> Table:
    """Returns the compared strategies, with intervals and differences if there are any."""
    heads = ["name", "strategy", "top1", "low", "high", "top5", "difference", "difference_low"]
    heads += ["difference_high", "parameters", "macs", "note"]
    return heads, [_row(row, task.clips) for row in task.rows]


def _row(row: Row, clips: int | None) -> list[Any]:
    apart = row.difference
    three = [None] * 3 if apart is None else [apart.value, apart.low, apart.high]
    costs = [row.parameters, row.macs]
    return [row.name, row.strategy, row.top1, *row.ends(clips), row.top5, *three, *costs, row.note]


@named
def draw_table(task: TaskReport) -> Table:
    """Returns every draw that was scored."""
    heads = ["strategy", "top1", "low", "high", "top5", "macs", "clips", "in_confidence_set"]
    return heads, [
        [d.strategy, d.top1, *d.ends, d.top5, d.macs, d.clips, d.in_confidence_set]
        for d in task.draws
    ]


@named
def tested_table(task: TaskReport) -> Table:
    """Returns the tested networks."""
    heads = ["model", "network", "strategy", "top1", "low", "high", "top5", "parameters", "macs"]
    heads += ["protocol", "scored", "listed", "source", "hash"]
    lines = []
    for one in task.tested:
        row, data = one.row, one.data
        lines.append(
            [
                *(row.name, one.network, row.strategy or None, row.top1, *row.ends(data.scored)),
                *(row.top5, row.parameters, row.macs, data.protocol, data.scored, data.listed),
                *(data.source, data.digest),
            ]
        )
    return heads, lines


@named
def front_table(task: TaskReport) -> Table:
    """Returns the most probable strategies by MACs."""
    heads = ["strategy", "log_prob", "parameters", "macs"]
    return heads, [[str(c.strategy), c.log_prob, c.parameters, c.macs] for c in task.front]


@named
def history_table(task: TaskReport) -> Table:
    """Returns drop probabilities by epoch, layer, input and branch; epoch 0 is the start."""
    heads = ["epoch", "layer", "input", "branch", "drop"]
    return heads, [
        [epoch, name, position + 1 if task.space.per_input else None, branch, float(p)]
        for epoch, drop in enumerate([] if task.history is None else task.history)
        for name, layer in zip(task.space.layers, drop, strict=True)
        for position, inputs in enumerate(layer)
        for branch, p in zip(task.space.branches, inputs, strict=True)
    ]


@named
def trial_table(task: TaskReport) -> Table:
    """What was trained stand-alone to choose among it."""
    return ([], []) if task.trials is None else trial_rows(task.trials)


@named
def data_table(task: TaskReport) -> Table:
    """Returns the videos that were used, with their use."""
    heads = ["use", "protocol", "scored", "listed", "source", "hash"]
    return heads, [[d.use, d.protocol, d.scored, d.listed, d.source, d.digest] for d in task.data]


TABLES: dict[str, Callable[[TaskReport], Table]] = {
    "layers": layer_table,
    "history": history_table,
    "front": front_table,
    "draws": draw_table,
    "strategies": row_table,
    "trials": trial_table,
    "tested": tested_table,
    "data": data_table,
}


@named
def as_records(table: Table) -> Sequence[dict[str, Any]]:
    """Converts a table's lines to dicts by the names of its columns."""
    heads, lines = table
    return [dict(zip(heads, line, strict=True)) for line in lines]
