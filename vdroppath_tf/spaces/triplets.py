"""The paper's triplets `(l, v, u)`: of a layer's unit, and back to the text of every layer.

Reference: Zhou et al., CVPR 2020, section 3 and Fig. 2.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from vdroppath_tf.spaces.unit import NONE, FusionUnit

Triplet: TypeAlias = tuple[int, Sequence[int], str]
# v and unit of each triplet of one layer
LayerTriplets: TypeAlias = Sequence[tuple[tuple[int, ...], str]]


def layer_triplets(layer: int, unit: FusionUnit) -> Iterator[tuple[FusionUnit, tuple[int, ...]]]:
    """Unit `u` and vector `v` of every triplet of one layer; none where it has no path."""
    if unit == NONE:
        return
    if not unit.inputs:
        yield unit, (1,) * (layer - 1)
        return
    columns = zip(*unit.inputs.values(), strict=True)
    texts = ["+".join(b for b, bit in zip(unit.inputs, c, strict=True) if bit) for c in columns]
    for used in {text for text in texts if text}:
        yield FusionUnit(used), tuple(int(text == used) for text in texts)


def layer_texts(
    triplets: Iterable[Triplet], length: int | None, branches: Sequence[str]
) -> tuple[str, ...]:
    """Text of the unit of every layer, first layer first.

    Args:
        triplets: Layer number from 1, 0/1 vector `v` of its inputs, canonical unit without masks.
        length: Number of layers; None for the highest layer that a triplet names.
        branches: All branches, in the order of a unit's text.

    Returns:
        One text per layer, `"-"` where no triplet names it.

    Raises:
        ValueError: If triplets contradict each other or `length`; the message names the layer.
    """
    layers: dict[int, list[tuple[tuple[int, ...], str]]] = {}
    for layer, v, unit in triplets:
        _check_triplet(layer, v, unit)
        layers.setdefault(int(layer), []).append((tuple(map(int, v)), unit))
    length = _length(layers, length)
    return tuple(
        _layer_text(layer, layers[layer], branches) if layer in layers else "-"
        for layer in range(1, length + 1)
    )


def _check_triplet(layer: int, v: Sequence[int], unit: str) -> None:
    said = f"Received: {(layer, tuple(v), str(unit))!r}"
    if isinstance(layer, bool) or not isinstance(layer, numbers.Integral) or layer < 1:
        raise ValueError(f"Expected layer numbers from 1 on. {said}")
    if any(bit not in (0, 1) for bit in v):
        raise ValueError(f"Layer {layer}: expected a vector v of 0s and 1s. {said}")
    if unit == "-" or "@" in unit:
        raise ValueError(
            f"Layer {layer}: expected a unit such as 'S+ST', without masks, since v says which "
            f"inputs it takes; leave triplets without a path out. {said}"
        )
    if not any(v) and (layer > 1 or len(v)):
        raise ValueError(
            f"Layer {layer}: v marks no input. Expected a 1 for each input that the unit takes; "
            f"leave triplets without an input out. {said}"
        )


def _length(layers: Mapping[int, object], length: int | None) -> int:
    highest = max(layers, default=0)
    if length is None and not highest:
        raise ValueError("No triplet says how many layers there are. Pass length=.")
    if length is not None and highest > length:
        raise ValueError(
            f"A triplet names layer {highest}, and there are {length} layers. Expected layer "
            f"numbers from 1 to length."
        )
    return highest if length is None else length


def _layer_text(layer: int, found: LayerTriplets, branches: Sequence[str]) -> str:
    units = _units_of_inputs(layer, found)
    # Fig. 2's v has one entry per earlier layer, so this is the unit that all inputs share.
    if len(units) == layer - 1 and len(set(units)) <= 1:
        return found[0][1]
    rows = ("".join(str(int(b in unit.split("+"))) for unit in units) for b in branches)
    return "+".join(f"{b}@{row}" for b, row in zip(branches, rows, strict=True))


def _units_of_inputs(layer: int, found: LayerTriplets) -> list[str]:
    """The unit of each input of one layer; empty text where it has none."""
    lengths = {len(v) for v, _ in found}
    if len(lengths) > 1:
        raise ValueError(
            f"Layer {layer}: its triplets have vectors v of different lengths. Expected one entry "
            f"per input of the layer in each. Received: {sorted(lengths)}"
        )
    units = [""] * lengths.pop()
    if not units and len({unit for _, unit in found}) > 1:
        raise _two_units(layer, "the clip", sorted(unit for _, unit in found))
    for v, unit in found:
        for place in (place for place, bit in enumerate(v) if bit):
            if units[place] not in ("", unit):
                raise _two_units(layer, f"input {place + 1}", [units[place], unit])
            units[place] = unit
    return units


def _two_units(layer: int, what: str, units: Sequence[str]) -> ValueError:
    return ValueError(
        f"Layer {layer}: {what} is given two units. Expected one triplet per input, whose unit "
        f"has all its branches, such as 'S+ST'. Received: {' and '.join(map(repr, units))}"
    )
