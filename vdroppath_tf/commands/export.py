"""Export a network to the formats of one or more runtimes, independent of this package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from vdroppath_tf import data, experiments, serving, training
from vdroppath_tf.commands.choices import EXPORT_FORMATS
from vdroppath_tf.commands.flag_kinds import define_string, only_with
from vdroppath_tf.commands.next_step import say_next, say_or_serve
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.sources import KINDS
from vdroppath_tf.files import sha256_of

if TYPE_CHECKING:
    import numpy as np

    from vdroppath_tf.models.fusion_model import FusionModel

EXAMPLE = "vdroppath export --model=run/derived.keras --labels=clips/labels.txt --out=served/1"
CLIPS = 48
"""The default number of videos of --data that are used."""


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a derived network, .keras", needed=True)
    define_string(values, "labels", "text file with a class in each line (default: as in training)")
    text = "folder to write, such as served/1 (TensorFlow Serving needs a number)"
    define_output(values, "out", text, mark=None, folder=True, needed=True)
    flags.DEFINE_boolean("overwrite", False, "replace an existing output", flag_values=values)
    text = f"formats, with commas between them: {', '.join(EXPORT_FORMATS)}"
    flags.DEFINE_list("format", [EXPORT_FORMATS[0]], text, flag_values=values)
    text = "fold batch norms and merge paths; --nofold writes the network as it is"
    flags.DEFINE_boolean("fold", True, text, flag_values=values)
    text = "videos to compare network and file on, and to set the ranges of 8 bits with"
    define_string(values, "data", f"{text}: {KINDS} (default: random clips)")
    define_string(values, "data_root", "folder of the videos of --data")
    text = "number of videos of --data to use, evenly spaced"
    flags.DEFINE_integer("clips", CLIPS, text, lower_bound=2, flag_values=values)
    only_with(values, "data_root", "data")
    only_with(values, "clips", "data")


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Exports the network."""
    if not values.fold and values.format != [EXPORT_FORMATS[0]]:
        raise ValueError("--nofold is for --format=saved_model: all other formats are folded.")
    network, recipe, labels = training.load_model(values.model)
    if values.labels is not None:
        labels = training.read_labels(values.labels)
    elif warning := numbers_for_names(values.model, labels):
        logging.warning("%s", warning)
    clips = None if values.data is None else _clips(values, recipe, labels)
    _write(values, network, recipe, labels, clips)
    say_next("predict", "VIDEO ...", model=str(values.out))
    if EXPORT_FORMATS[0] in values.format:  # what serve takes unless it is asked for another
        say_or_serve(values.out)


def numbers_for_names(model: str, labels: Sequence[str]) -> str | None:
    """Returns a warning if the classes of a model have no names but their numbers, else None.

    Not an error, since a network that was trained on a list without names has none to give.
    """
    if list(labels) != [str(k) for k in range(len(labels))]:
        return None
    file = Path(model).with_name(training.LABELS_FILE)
    fault = "only has the numbers of the classes" if file.is_file() else "is missing"
    return (
        f"{file} {fault}, so the exported network names its classes 0 to {len(labels) - 1}. "
        "Pass --labels, a text file with the name of a class in each line, to export their names."
    )


def _write(
    values: flags.FlagValues,
    network: FusionModel,
    recipe: training.Recipe,
    labels: tuple[str, ...],
    clips: np.ndarray | None,
) -> None:
    about, replace = _about(values, recipe), values.overwrite
    options: dict[str, Any] = {"clips": clips, "about": about, "overwrite": replace}
    if values.fold:
        sampling = recipe.evaluation
        given: dict[str, Any] = {"labels": labels, "sampling": sampling, **options}
        for one in serving.export_formats(network, values.out, values.format, **given):
            logging.info("Wrote %s: %s%s", one.path, _how_close(one), _rate(recipe))
        return
    path = experiments.export_network(network, values.out, recipe, labels, fold=False, **options)
    logging.info("Wrote %s%s", path, _rate(recipe))


def _how_close(one: serving.formats.Written) -> str:
    found = one.difference
    text = (
        f"{one.format}, logits within {found.largest:.1e} of the network's on {found.clips} clips"
    )
    if found.source == "generated":
        return f"{text} that were made up"
    return text if one.same_answers == 1.0 else f"{text}, {one.same_answers:.1%} same answers"


def _rate(recipe: training.Recipe) -> str:
    rate = recipe.sampling.fps
    return "" if rate is None else f". It sees {rate:g} frames a second of each video"


def _clips(
    values: flags.FlagValues, recipe: training.Recipe, labels: tuple[str, ...]
) -> np.ndarray:
    """Returns one clip of each of some videos, sampled as in evaluation."""
    videos = data.open_manifest(values.data, root=values.data_root, labels=labels)
    videos = data.lists.flow_manifest(videos) if recipe.modality == "flow" else videos
    count = min(values.clips, len(videos))
    some = videos.select(k * len(videos) // count for k in range(count))
    clips = data.evaluation_clips(some, recipe.evaluation, batch_size=count)
    with data.clips.pipeline.video_errors():
        ((batch, _),) = list(clips)
    return batch.numpy()


def _about(values: flags.FlagValues, recipe: training.Recipe) -> dict[str, Any]:
    """Returns the manifest's entries on the origin of the network."""
    model = Path(values.model)
    space = model.with_name("space.json")
    files = {"model": model, **({"space": space} if space.is_file() else {})}
    found: dict[str, Any] = {
        name: {"file": path.name, "sha256": sha256_of(path)}
        for name, path in files.items()
        if path.is_file()
    }
    found["recipe"] = json.loads(recipe.to_json())
    return found if values.data is None else {**found, "clips": str(values.data)}
