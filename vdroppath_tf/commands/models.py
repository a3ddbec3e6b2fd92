"""List the networks of the zoo: fusion layers, gates, parameters and multiply-adds."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from absl import flags

from vdroppath_tf.commands.flag_kinds import clip_shape_of, define_clip_shape, define_string
from vdroppath_tf.names import unknown_name
from vdroppath_tf.zoo.table import CLASSES, CLIP_SHAPE, UNITS, NetworkFacts, facts, recorded

EXAMPLE = "vdroppath models --name='*resnet*' --clip_shape=16,112,112"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "name", "networks to show, with * and ?", "*")
    define_clip_shape(values, "MACs are", CLIP_SHAPE)
    flags.DEFINE_integer(
        "num_classes", CLASSES, "logits of the classifier", lower_bound=1, flag_values=values
    )


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """A line for each network: from the table, or as soon as it is built and counted."""
    known = recorded()
    names = sorted(fnmatch.filter(known, values.name))
    if not names:
        raise unknown_name("network", values.name, known)
    shape = clip_shape_of(values) or CLIP_SHAPE
    units = "".join(f" {f'M {what} {u}':>13s}" for what in ("par.", "MACs") for u in UNITS)
    print(f"{'network':14s} {'layers':>6s} {'gates':>5s}{units}")
    as_recorded = (shape, values.num_classes) == (CLIP_SHAPE, CLASSES)
    for name in names:
        row = known[name] if as_recorded else facts(name, shape, values.num_classes)
        print(_line(row), flush=True)


def _line(row: NetworkFacts) -> str:
    costs = "".join(f" {n / 1e6:13,.2f}" for n in (*row.parameters, *row.macs))
    return f"{row.name:14s} {row.layers:6d} {row.gates:5d}{costs}"
