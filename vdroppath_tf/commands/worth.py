"""Measure what each layer's choice is worth: the cost in accuracy of swapping its unit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf import analysis, data, experiments, figures, report, spaces, training
from vdroppath_tf.analysis.numbers import percent, points
from vdroppath_tf.commands.choices import PROTOCOLS
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.commands.places import PICTURE, define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.sources import (
    define_faults,
    define_formats,
    define_source,
    open_source,
    say_not_recalibrated,
    say_trained_on,
)
from vdroppath_tf.commands.space_files import check_figure, write_picture

EXAMPLE = (
    "vdroppath worth --model=run/template.keras --scores=run/scores.json --data=clips/test.txt "
    "--train_data=clips/train.txt --out=run/worth.json --figure=run/worth.png"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    text = "videos that were not used to choose the strategy"
    define_source(values, "data", text, needed=True)
    text = "training videos, for batch-norm recalibration (recommended)"
    define_source(values, "train_data", text)
    define_formats(values)
    define_faults(values)
    define_string(values, "strategy", "the strategy, e.g. 'S ST ...'; default: the space's mode")
    define_string(values, "scores", "JSON file of vdroppath evaluate, for its selected strategy")
    text = "test protocol, the views of a video that are scored"
    flags.DEFINE_enum("protocol", "paper-1clip", PROTOCOLS, text, flag_values=values)
    define_output(values, "out", "JSON file for the result", mark="vdroppath_tf.worth/")
    define_output(values, "figure", "picture to write: .png, .svg or .pdf", mark=PICTURE)
    text = "memory for activations, in MiB"
    flags.DEFINE_integer("memory_mib", 1024, text, lower_bound=1, flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Prints the cost of every swap, the worth of every layer, and the space's calibration."""
    check_figure(values)
    model, recipe, labels = training.load_model(values.model)
    space = spaces.ProbabilitySpace.from_model(model)
    strategy = _strategy(values, space)
    modality, train = recipe.modality, None
    videos = open_source(values, "data", labels, part="test", modality=modality)
    if values.train_data is not None:
        train = open_source(values, "train_data", labels, part="train", modality=modality)
    say_trained_on("data", videos, train)
    if train is None:
        say_not_recalibrated()
    clips = training.RecipeClips(recipe, faults=data.FaultLog(values.max_bad_fraction))
    protocol = data.PROTOCOLS[values.protocol]
    scorer = experiments.Scorer(
        model, clips, train, protocol=protocol, memory_bytes=values.memory_mib * 2**20
    )
    progress = None if values.out is None else Path(f"{values.out}.progress")
    with bar("one-layer swaps", "passes") as shown:
        found = scorer.worth(strategy, videos, resume=progress, on_strategy=lambda: shown.update(1))
    known = analysis.calibration(space, worth=found)
    print("\n".join(lines(found, known)))
    print(f"{values.protocol}: {clips.faults.account(videos, 'test')}")
    if values.figure:
        write_picture(Path(values.figure), figures.figure_worth(found, space))
        logging.info("Wrote %s", values.figure)
    if values.out:
        source = {"source": videos.source, "hash": videos.digest(), "listed": len(videos)}
        report.write_worth(values.out, found, protocol=values.protocol, data=source)
        logging.info("Wrote %s", values.out)
        shutil.rmtree(f"{values.out}.progress", ignore_errors=True)


def _strategy(values: flags.FlagValues, space: spaces.ProbabilitySpace) -> spaces.FusionStrategy:
    if values.strategy is not None and values.scores is not None:
        raise ValueError("--strategy and --scores both name a strategy: pass one of them.")
    if values.scores is not None:
        return report.read_selected(values.scores)
    if values.strategy is not None:
        return spaces.FusionStrategy.parse(values.strategy, space.architecture)
    return space.mode()


def lines(found: analysis.LayerWorth, known: analysis.Calibration) -> list[str]:
    """Returns the result as lines: the strategy, a line for each layer, the calibration."""
    table = [("layer", "unit", "worth, points [95 %]", "cost of each other unit")]
    for n, name in enumerate(found.layers):
        costs = (f"{s.unit} {points(found.cost(s).value)}" for s in found.of_layer(n))
        table.append((name, found.strategy[n], _interval(found.worth[n]), ", ".join(costs)))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    shown = [
        "  ".join(f"{cell:{width}s}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    said = [f"{found.strategy}: top-1 {percent(found.top1)} of {found.clips:,} clips"]
    return [*said, *shown, found.verdict, *told(known)]


def told(known: analysis.Calibration) -> list[str]:
    """Describes in lines how well the space predicts the worth."""
    said = []
    if known.layers is not None:
        said.append(f"tau of a layer's worth with its negative entropy: {known.layers}")
    for form, tau in known.swaps.items():
        name = {"sampling": "as sampled (p)", "paper": "by Eq. 7 (sqrt p)"}[form]
        said.append(f"tau of a swap's cost with the log-odds of its unit, {name}: {tau}")
    return said


def _interval(worth: Any) -> str:
    if worth.value != worth.value:
        return "one unit only"
    return f"{points(worth.value)} [{points(worth.low)}, {points(worth.high)}]"
