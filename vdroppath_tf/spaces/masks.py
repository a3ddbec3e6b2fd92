"""Units as 0/1 masks over a layer's paths, and back."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from vdroppath_tf.spaces.unit import FusionUnit


@cache
def unit_table(
    branches: tuple[str, ...],
) -> tuple[tuple[FusionUnit, ...], tuple[tuple[int, ...], ...]]:
    """All `2 ** len(branches)` units, from all branches on down to `-`, with their 0/1 masks."""
    masks = tuple(itertools.product((1, 0), repeat=len(branches)))
    names = ("+".join(b for b, on in zip(branches, row, strict=True) if on) for row in masks)
    return tuple(FusionUnit(name or "-") for name in names), masks


def unit_of(mask: np.ndarray, branches: tuple[str, ...], *, per_input: bool) -> FusionUnit:
    """The unit of a flat `(inputs * branches,)` mask: the inverse of `flat_mask`.

    Args:
        mask: Boolean or 0/1, input by input.
        branches: Branches of the layer.
        per_input: Whether the unit has masks over inputs, `S@1+ST@1`; else there is one input,
            which stands for all.
    """
    table = np.reshape(mask, (-1, len(branches)))
    if per_input:
        return FusionUnit.from_masks(dict(zip(branches, table.T, strict=True)))
    units, masks = unit_table(branches)
    return units[masks.index(tuple(int(bit) for bit in table[0]))]


def flat_mask(
    unit: FusionUnit, inputs: int, branches: tuple[str, ...], name: str, *, shared: bool = False
) -> np.ndarray:
    """Flat `(inputs * branches,)` boolean mask of a unit, input by input.

    Args:
        unit: Without masks it means the same for all inputs.
        inputs: Number of inputs that have gates of their own.
        branches: Branches of the layer.
        name: Of the layer, for errors.
        shared: Whether all inputs share the gates, so that a unit with masks is an error.

    Raises:
        ValueError: If the unit has masks of another length, or any where inputs share their gates.
    """
    if shared and unit.inputs:
        raise ValueError(
            f"Layer {name!r} uses its inputs differently; expected a unit that all of its inputs "
            f"share, such as 'S+ST'. Received: {str(unit)!r}"
        )
    rows = unit.inputs or dict.fromkeys(unit.branches, (1,) * inputs)
    if any(len(row) != inputs for row in rows.values()):
        raise ValueError(
            f"Layer {name!r} has {inputs} inputs. Expected masks of that length. "
            f"Received: {str(unit)!r}"
        )
    columns = [rows.get(branch, (0,) * inputs) for branch in branches]
    return np.array(columns, dtype=bool).T.ravel()
