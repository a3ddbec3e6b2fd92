"""Derive the network of one strategy from a template, with its trained weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf import data, experiments, report, scoring, spaces, training
from vdroppath_tf.commands.choosing import costs_of, define_choose
from vdroppath_tf.commands.diagnosis import diagnosis_of, log_diagnosis
from vdroppath_tf.commands.flag_kinds import check_suffix, define_string, only_with
from vdroppath_tf.commands.next_step import say_next
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import verbosity_of_training
from vdroppath_tf.commands.sources import (
    OF_FILES,
    define_faults,
    define_formats,
    define_source,
    open_source,
)

EXAMPLE = (
    "vdroppath derive --model=run/template.keras --scores=run/scores.json "
    "--train_data=clips/train.txt --finetune --out=run/derived.keras"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    text = "the strategy, e.g. 'S ST ...'; default: the selected one of --scores"
    define_string(values, "strategy", text)
    text = "JSON file of vdroppath evaluate, with a selected strategy; default: the space's mode"
    define_string(values, "scores", text)
    define_choose(values, None)
    define_source(values, "train_data", "training videos, for batch norm and fine-tuning")
    define_source(
        values, "validation", "validation videos; fine-tuning that lowers their top-1 is undone"
    )
    define_formats(values, "train_data")
    text = "fine-tune the derived network with the recipe (needs --train_data)"
    flags.DEFINE_boolean("finetune", False, text, flag_values=values)
    define_faults(values)
    for name in ("finetune", "quarantine", "max_bad_fraction", *OF_FILES):
        only_with(values, name, "train_data")
    only_with(values, "validation", "finetune")
    only_with(values, "choose", "scores")
    define_output(values, "out", "the derived network, .keras", mark=None, needed=True)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Derives, fine-tunes and saves the network."""
    check_suffix(values, "out", ".keras")
    if values.choose is not None and values.strategy is not None:
        raise ValueError("--choose and --strategy both choose a strategy: pass one of them.")
    out = Path(values.out)
    model, recipe, labels = training.load_model(values.model)
    training.check_beside(out, recipe, labels)
    if values.finetune and recipe.finetune is None:
        raise ValueError(f"--finetune: the recipe of {values.model} has no phase finetune.")
    videos = None
    if values.train_data is not None:
        videos = open_source(values, "train_data", labels, part="train", modality=recipe.modality)
    validation = None
    if values.validation is not None:
        how: Any = {"part": "validation", "modality": recipe.modality}
        validation = open_source(values, "validation", labels, **how)
    if model.gates:
        log_diagnosis(diagnosis_of(model, values.model))
    strategy = _chosen(values, model)
    logging.info("Strategy: %s", strategy)
    faults = data.FaultLog(values.max_bad_fraction)
    clips = None
    if videos is not None:
        clips = training.Clips(videos, max_bad_fraction=values.max_bad_fraction)
    network = experiments.derive_network(
        model,
        strategy,
        training.RecipeClips(recipe, faults=faults),
        clips,
        finetune_in=out.with_suffix(".run") if values.finetune else None,
        validation=validation,
        on_tuned=lambda tuning: logging.info("%s", tuning),
        verbose=verbosity_of_training(),
    )
    training.save_model(network, out, recipe, labels)
    say_next("export", model=str(out), out=str(out.parent / "served" / "1"))


def _chosen(values: flags.FlagValues, model: Any) -> spaces.FusionStrategy:
    if values.strategy is not None:
        return spaces.FusionStrategy.parse(values.strategy, model.architecture["name"])
    if values.scores is None:
        return spaces.ProbabilitySpace.from_model(model).mode()
    if values.choose is None:
        return report.read_selected(values.scores)
    scored = report.read_scores(values.scores)
    report.check_scores(scored, spaces.ProbabilitySpace.from_model(model))
    may_be = set(scored.selection.confidence_set)
    kept = [score for score in scored.scores if score.strategy in may_be]
    if values.choose == "accurate" or not kept:
        return scoring.StrategyScores(scored.scores, scored.recalibrated).best.strategy
    return scoring.cheapest(kept, costs_of(model, scored.clip_shape)).strategy
