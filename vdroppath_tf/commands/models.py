"""List the networks of the zoo: fusion layers, gates, parameters and multiply-adds."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

from absl import flags

from vdroppath_tf.commands.flag_kinds import clip_shape_of, define_clip_shape, define_string
from vdroppath_tf.names import unknown_name
from vdroppath_tf.zoo.table import CLASSES, CLIP_SHAPE, UNITS, NetworkFacts, facts, recorded

EXAMPLE = "vdroppath models --name='*resnet*' --clip_shape=16,112,112"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "name", "network names, with * and ?, or the JSON file of a row", "*")
    define_clip_shape(values, "MACs are", CLIP_SHAPE)
    flags.DEFINE_integer(
        "num_classes", CLASSES, "number of classes", lower_bound=2, flag_values=values
    )


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Prints a line for each network, from a table or computed from the built network."""
    shape = clip_shape_of(values) or CLIP_SHAPE
    rows = _rows(values.name, shape, values.num_classes)
    units = "".join(f" {f'M {what} {u}':>13s}" for what in ("par.", "MACs") for u in UNITS)
    print(f"{'network':14s} {'layers':>6s} {'gates':>5s}{units}")
    for row in rows:
        print(_line(row), flush=True)


def _rows(name: str, shape: tuple[int, int, int], num_classes: int) -> Iterable[NetworkFacts]:
    """Yields the networks that match a pattern, or the one in a row's file."""
    if name.endswith(".json"):
        from vdroppath_tf.zoo.rows import load_row  # imports TensorFlow

        return [facts(load_row(name), shape, num_classes)]
    known = recorded()
    names = sorted(fnmatch.filter(known, name))
    if not names:
        raise unknown_name("network", name, known)
    if (shape, num_classes) == (CLIP_SHAPE, CLASSES):
        return [known[name] for name in names]
    return (facts(name, shape, num_classes) for name in names)


def _line(row: NetworkFacts) -> str:
    costs = "".join(f" {n / 1e6:13,.2f}" for n in (*row.parameters, *row.macs))
    return f"{row.name:14s} {row.layers:6d} {row.gates:5d}{costs}"
