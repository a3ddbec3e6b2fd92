"""Train a template (warm-up, then v-DropPath), or with --strategy one network on its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import flags, logging

from ..data.catalog import Manifest
from ..files import write_text
from ..space import ProbabilitySpace
from ..training import Clips, Phase, Recipe, build_derived, build_template, template_from
from ..training import train as run_training
from .files import define_faults, define_string, load_network, open_videos, save_model
from .recipe_flags import define_recipe, recipe_of_flags

EXAMPLE = (
    "vdroppath train --recipe=small --data=clips/train.txt --validation=clips/val.txt --out=run"
)


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "data", "training videos: list file or class folders", needed=True)
    define_string(values, "validation", "validation videos: list file or class folders")
    define_string(
        values, "out", "folder for checkpoints, logs, model, space and recipe", needed=True
    )
    define_faults(values)
    define_recipe(values)
    define_string(values, "strategy", "train this strategy's network on its own, e.g. 'S ST ...'")
    text = "a trained template, .keras, to start from; other classes get a new classifier"
    define_string(values, "init_from", text)
    flags.DEFINE_boolean(
        "mirrored", False, "train on all GPUs (MirroredStrategy)", flag_values=values
    )


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """A template, or one strategy's network, from videos to a model file."""
    recipe, out = recipe_of_flags(values), Path(values.out)
    videos = open_videos(values.data, quarantine=values.quarantine)
    validation = None
    if values.validation is not None:
        validation = open_videos(values.validation, videos.labels, values.quarantine)
    clips = Clips(videos, validation, max_bad_fraction=values.max_bad_fraction)
    devices = tf.distribute.MirroredStrategy() if values.mirrored else tf.distribute.get_strategy()
    with devices.scope():
        model, phases = _model(values, recipe, clips)
    logging.info("%s: %d videos of %d classes", model.name, len(videos), videos.num_classes)
    history = run_training(model, phases, recipe, clips, folder=out, verbose=1)
    write_text(out / "history.json", json.dumps(history, indent=1) + "\n")
    _write(model, out, recipe, videos)


def _model(values: flags.FlagValues, recipe: Recipe, clips: Clips) -> tuple[Any, tuple[Phase, ...]]:
    if values.strategy is not None:
        if values.init_from is not None:
            raise ValueError("--init_from starts a template, --strategy a network without gates.")
        return build_derived(recipe, clips, values.strategy), recipe.alone_phases()
    if values.init_from is None:
        return build_template(recipe, clips), recipe.template_phases()
    trained, labels = load_network(values.init_from)
    same = labels == clips.train.labels
    model, report = template_from(trained, recipe, clips, keep_classifier=same)
    logging.info("From %s: %s", values.init_from, report)
    return model, recipe.template_phases()


def _write(model: Any, out: Path, recipe: Recipe, videos: Manifest) -> None:
    if not model.gates:
        save_model(model, out / "network.keras", recipe, videos.labels)
        return
    save_model(model, out / "template.keras", recipe, videos.labels)
    ProbabilitySpace.from_model(model).save(out / "space.json")
    logging.info("Wrote %s", out / "space.json")
