"""List the networks of the zoo: fusion layers, gates, parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from vdroppath_tf.commands.files import define_string
from vdroppath_tf.commands.shape_flag import clip_shape_of, define_clip_shape
from vdroppath_tf.names import unknown_name
from vdroppath_tf.zoo import NETWORKS, list_models
from vdroppath_tf.zoo.table import CLASSES, CLIP_SHAPE, UNITS, facts

EXAMPLE = "vdroppath models --name='*resnet*' --clip_shape=16,112,112"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "name", "networks to show, with * and ?", "*")
    define_clip_shape(values, "MACs are", CLIP_SHAPE)
    flags.DEFINE_integer(
        "num_classes", CLASSES, "logits of the classifier", lower_bound=1, flag_values=values
    )


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """A line for each network as soon as it is counted."""
    names = [n.removeprefix("template_") for n in list_models(f"template_{values.name}")]
    if not names:
        raise unknown_name("network", values.name, NETWORKS)
    shape = clip_shape_of(values)
    assert shape is not None  # there is a default
    units = "".join(f" {f'M {what} {u}':>13s}" for what in ("par.", "MACs") for u in UNITS)
    print(f"{'network':14s} {'layers':>6s} {'gates':>5s}{units}")
    for name in names:
        row = facts(name, shape, values.num_classes)
        costs = "".join(f" {n / 1e6:13,.2f}" for n in (*row.parameters, *row.macs))
        print(f"{name:14s} {row.layers:6d} {row.gates:5d}{costs}", flush=True)
