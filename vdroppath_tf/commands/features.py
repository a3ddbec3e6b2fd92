"""Write the features of videos: the outputs of a layer of a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from absl import flags, logging

from vdroppath_tf import data, scoring, training
from vdroppath_tf.commands.choices import FEATURE_AXES, PROTOCOLS
from vdroppath_tf.commands.flag_kinds import check_suffix, define_string
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.sources import (
    define_faults,
    define_formats,
    define_source,
    open_source,
    say_not_recalibrated,
)
from vdroppath_tf.commands.strategy_flag import define_strategy, set_strategy_of

EXAMPLE = "vdroppath features --model=run/derived.keras --data=clips/test.txt --out=features.npz"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a network or a template, .keras", needed=True)
    define_strategy(values)
    text = "the layer, by its name (default: the input of the classifier)"
    define_string(values, "layer", text)
    text = "axes to keep, separated by commas: views, time, space (the others are averaged)"
    flags.DEFINE_list("keep", [], text, flag_values=values)
    define_source(values, "data", "videos", needed=True)
    define_formats(values)
    define_faults(values)
    text = "which views of a video are taken (default: the recipe's)"
    flags.DEFINE_enum("protocol", None, PROTOCOLS, text, flag_values=values)
    text = "clips in a step of the network"
    flags.DEFINE_integer("batch_size", 8, text, lower_bound=1, flag_values=values)
    text = "file to write, .npz or .h5"
    define_output(values, "out", text, mark="vdroppath_tf.features/", needed=True)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Writes the features of every video that can be read."""
    check_suffix(values, "out", ".npz", ".h5", ".hdf5")
    if unknown := [axis for axis in values.keep if axis not in FEATURE_AXES]:
        raise ValueError(f"--keep={unknown[0]}: expected some of {', '.join(FEATURE_AXES)}.")
    model, recipe, labels = training.load_model(values.model)
    set_strategy_of(values, model)
    if model.gates:
        say_not_recalibrated()
    outputs = scoring.LayerOutputs(model, values.layer, keep=values.keep)
    videos = open_source(values, "data", labels, part="test", modality=recipe.modality)
    faults = data.FaultLog(values.max_bad_fraction)
    protocol = data.PROTOCOLS[values.protocol or recipe.protocol]
    found = scoring.video_features(
        outputs, videos, recipe.evaluation, protocol, batch_size=values.batch_size, faults=faults
    )
    about = {
        "model": values.model,
        "strategy": values.strategy or model.architecture.get("strategy"),
        "layer": outputs.layer,
        "keep": list(outputs.keep),
        "protocol": dataclasses.asdict(protocol),
        "sampling": dataclasses.asdict(protocol.sampling(recipe.evaluation)),
        "data": {"source": videos.source, "hash": videos.digest(), "listed": len(videos)},
    }
    count = scoring.write_features(values.out, _shown(found, len(videos)), videos, about)
    logging.info("Wrote %s: %d of %d videos", values.out, count, len(videos))


def _shown(found: Iterator[Any], total: int) -> Iterator[Any]:
    """Yields the same items, with a progress bar on a terminal."""
    with bar("features", "videos", total) as shown:
        for each in found:
            yield each
            shown.update(1)
