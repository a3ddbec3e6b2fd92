"""Show where S and ST find evidence in videos: Grad-CAM for each branch, layer and time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf import analysis, data, figures, report, scoring, training
from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.commands.choices import METHODS
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.sources import (
    define_formats,
    define_source,
    open_source,
    say_not_recalibrated,
)
from vdroppath_tf.commands.space_files import write_picture
from vdroppath_tf.commands.strategy_flag import define_strategy, set_strategy_of
from vdroppath_tf.names import unknown_name

EXAMPLE = "vdroppath explain --model=run/derived.keras --out=explained a.mp4 b.avi"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a network or a template, .keras", needed=True)
    define_strategy(values)
    text = "class to explain, by its name or its number from 0; default: the predicted class"
    define_string(values, "class", text)
    text = "grad-cam: averages gradients over all positions; hires-cam: uses each position's"
    flags.DEFINE_enum("method", "grad-cam", METHODS, text, flag_values=values)
    text = "name of a layer to draw; may be repeated; default: a few, evenly spaced"
    flags.DEFINE_multi_string("layer", [], text, flag_values=values)
    flags.DEFINE_integer("frames", 6, "number of frames to draw", lower_bound=1, flag_values=values)
    text = "training videos, for batch-norm recalibration of a template (recommended)"
    define_source(values, "train_data", text)
    define_formats(values, "train_data")
    text = "folder for a picture (.png) and the maps (.npz) of each video, and explained.json"
    define_output(values, "out", text, mark="explained.json", needed=True, folder=True)


def run(values: flags.FlagValues, videos: Sequence[str]) -> None:
    """Writes a picture and the maps of each video, and prints each branch's share."""
    if not videos:
        raise ValueError("Name at least one video file.")
    model, recipe, labels = training.load_model(values.model)
    _prepare(values, model, recipe, labels)
    label = None if values["class"].value is None else class_of(values["class"].value, labels)
    clips = training.RecipeClips(recipe)
    out, entries = Path(values.out), []
    for video, name in zip(videos, names_of(videos), strict=True):
        clip = _clip(values, video, clips, labels)
        found = analysis.explain_clip(model, clip, label, method=values.method)
        shown = found.of_layers(values.layer) if values.layer else found
        entry = report.Explained(video, labels, shown)
        out.mkdir(parents=True, exist_ok=True)
        few = shown if values.layer else shown.some_layers(figures.MOST_LAYERS)
        picture = figures.figure_maps(few, entry.title, frames=values.frames)
        write_picture(out / f"{name}.png", picture)
        found.save(out / f"{name}.npz")
        entries.append(entry.fields(f"{name}.npz"))
        print("\n".join(lines(entry)), flush=True)
    report.write_explained(out, entries, model=values.model, labels=labels)
    logging.info("Wrote a picture and the maps of %d videos to %s", len(entries), out)


def lines(entry: report.Explained) -> list[str]:
    """Returns a line for the video, then one for each layer with the shares of its branches."""
    found = entry.found
    table: dict[str, list[str]] = {}
    for one in found.maps:
        table.setdefault(one.layer, []).append(f"{one.branch} {percent(one.share, 0)}")
    width = max(map(len, table), default=0)
    return [
        f"{entry.video}: {entry.title}",
        *(f"  {layer:{width}s}  {', '.join(shares)}" for layer, shares in table.items()),
    ]


def class_of(text: str, labels: Sequence[str]) -> int:
    """Returns the number of a class, given its name or, if no class has that name, its number.

    Raises:
        ValueError: If there is no such class.
    """
    if text in labels:
        return list(labels).index(text)
    if text.isdecimal():
        if int(text) < len(labels):
            return int(text)
        raise ValueError(
            f"--class={text}: expected a number from 0 to {len(labels) - 1}, or a class's name."
        )
    raise ValueError(f"--class: {unknown_name('class', text, labels)}")


def names_of(videos: Sequence[str]) -> Iterator[str]:
    """Yields a unique name for the files of each video, with a number if necessary."""
    taken: set[str] = set()
    for video in videos:
        stem = Path(os.path.abspath(video)).stem
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name)
        yield name


def _prepare(
    values: flags.FlagValues, model: Any, recipe: training.Recipe, labels: tuple[str, ...]
) -> None:
    """Sets a template to a strategy, and recalibrates its batch norm."""
    set_strategy_of(values, model)
    if not model.gates:
        if values.train_data is not None:
            raise ValueError(f"--train_data is for a template; {values.model} has no gates.")
        return
    if values.train_data is None:
        say_not_recalibrated()
        return
    train = open_source(values, "train_data", labels, part="train", modality=recipe.modality)
    scoring.recalibrate(model, training.RecipeClips(recipe).recalibration(train))


def _clip(
    values: flags.FlagValues, video: str, clips: training.RecipeClips, labels: tuple[str, ...]
) -> Any:
    """Returns the clip from the centre of a video, sampled as in a test."""
    from vdroppath_tf.data.lists.one_video import one_video  # FFmpeg, not needed for --help

    manifest = one_video(
        video,
        labels,
        flow=clips.recipe.modality == "flow",
        video_stream=values.video_stream,
        source_fps=values.source_fps,
        allow_open_end=values.allow_open_end,
    )
    faults = data.FaultLog(0.0)  # an unreadable video is an error here
    own = training.RecipeClips(clips.recipe, clips.cache, faults)
    ((batch, _),) = list(own.evaluation(manifest))
    return batch[0].numpy()
