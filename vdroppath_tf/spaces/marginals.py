"""Probabilities of units and of paths, as pure functions of drop probabilities (Eq. 7).

Two forms: `"paper"`, a gate is on with `1 - sqrt(p)` (Eq. 7, S16-S17), and `"sampling"`, with
`1 - p`, as draws have it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from vdroppath_tf.files.shown import ShortTable, ShowsTable
from vdroppath_tf.spaces.gate_arrays import Gates
from vdroppath_tf.spaces.masks import unit_table

Form: TypeAlias = Literal["paper", "sampling"]


class Marginals(ShowsTable, dict[str, np.ndarray]):
    """A dict from the text of a unit to its `(layers,)` probabilities.

    In a notebook it is a table with a line a layer; `to_frame()` gives that to pandas.
    """

    layers: tuple[str, ...] = ()

    def short_table(self) -> ShortTable:
        """A line a layer, a column a unit."""
        columns = [column.tolist() for column in self.values()]
        lines = [list(line) for line in zip(self.layers, *columns, strict=True)]
        return ShortTable(f"P of each unit, {len(lines)} layers", ["layer", *self], lines)


def off(drop: np.ndarray, form: Form) -> np.ndarray:
    """Probability of a gate being off in the given form."""
    if form not in ("paper", "sampling"):
        raise ValueError(f"Expected form 'paper' or 'sampling'. Received: {form!r}")
    return np.sqrt(drop) if form == "paper" else np.asarray(drop)


def unit_probabilities(
    drop: Gates, layer_drop: np.ndarray, branches: tuple[str, ...], form: Form
) -> tuple[np.ndarray, ...]:
    """P of each unit, `(inputs, units)` a layer, from independent gates.

    A layer's D1 gate scales its units, and what it takes goes to `"-"`.

    Args:
        drop: `(inputs, branches)` drop probabilities, one array a layer.
        layer_drop: `(layers,)` probability of dropping the whole layer.
        branches: Branches of each layer; units come in the order of `unit_table`.
        form: See above.
    """
    masks = np.array(unit_table(branches)[1])
    tables = []
    for layer, layer_off in zip(drop, off(layer_drop, form), strict=True):
        path_off = off(layer, form)[:, None, :]
        table = np.prod(np.where(masks, 1 - path_off, path_off), axis=-1) * (1 - layer_off)
        table[:, -1] += layer_off
        tables.append(table)
    return tuple(tables)


def path_probabilities(drop: Gates, layer_drop: np.ndarray, form: Form) -> tuple[np.ndarray, ...]:
    """P of each path being on, `(inputs, branches)` a layer."""
    pairs = zip(drop, off(layer_drop, form), strict=True)
    return tuple((1 - off(layer, form)) * (1 - layer_off) for layer, layer_off in pairs)


def distances(one: Gates, other: Gates) -> np.ndarray:
    """`(layers,)` total variation of two tables of `unit_probabilities`, mean over inputs."""
    pairs = zip(one, other, strict=True)
    return np.array([np.abs(a - b).sum(axis=-1).mean() / 2 for a, b in pairs])


def mean_over_inputs(layers: Gates) -> np.ndarray:
    """`(layers, n)` out of one `(inputs, n)` array a layer."""
    return np.stack([layer.mean(axis=0) for layer in layers])
