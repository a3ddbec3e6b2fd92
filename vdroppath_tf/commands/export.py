"""Export a network as a SavedModel that needs TensorFlow alone."""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags, logging

from vdroppath_tf import experiments, training
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.commands.next_step import say_next
from vdroppath_tf.commands.places import define_output

EXAMPLE = "vdroppath export --model=run/derived.keras --labels=clips/labels.txt --out=served/1"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "model", "a derived network, .keras", needed=True)
    define_string(values, "labels", "text file, one class a line (default: as in training)")
    text = "folder to write, such as served/1"
    define_output(values, "out", text, mark=None, folder=True, needed=True)
    flags.DEFINE_boolean("overwrite", False, "replace what is there", flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """A network to a SavedModel."""
    network, recipe, labels = training.load_model(values.model)
    if values.labels is not None:
        labels = training.read_labels(values.labels)
    path = experiments.export_network(
        network, values.out, recipe, labels, overwrite=values.overwrite
    )
    rate = recipe.sampling.fps
    taken = "" if rate is None else f". It sees {rate:g} frames a second of each video"
    logging.info("Wrote %s%s", path, taken)
    say_next("predict", "VIDEO ...", model=str(values.out))
