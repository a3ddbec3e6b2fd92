"""Score strategies of a template (draws from its space, or --strategy), and choose one."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging

from vdroppath_tf import data, experiments, scoring, spaces, training
from vdroppath_tf.commands import scores_file
from vdroppath_tf.commands.choices import PROTOCOLS
from vdroppath_tf.commands.choosing import costs_of, define_choose
from vdroppath_tf.commands.diagnosis import diagnosis_of, log_diagnosis
from vdroppath_tf.commands.flag_kinds import define_string, only_with
from vdroppath_tf.commands.next_step import say_next, source_flags
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.run_folder import prior_of
from vdroppath_tf.commands.sources import (
    define_faults,
    define_formats,
    define_source,
    open_source,
    say_not_recalibrated,
    say_trained_on,
)
from vdroppath_tf.commands.space_files import open_space

EXAMPLE = (
    "vdroppath evaluate --model=run/template.keras --data=clips/validation.txt "
    "--train_data=clips/train.txt --draws=100 --race --out=run/scores.json"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    define_source(values, "data", "validation videos", needed=True)
    text = "videos for the report; default: half of --data, which is then not used for the choice"
    define_source(values, "test_data", text)
    text = "training videos, for batch-norm recalibration (recommended)"
    define_source(values, "train_data", text)
    define_formats(values)
    define_faults(values)
    text = "test protocol, the views of a video that are scored"
    flags.DEFINE_enum("protocol", "paper-1clip", PROTOCOLS, text, flag_values=values)
    text = "JSON file for the result; the answers for each clip go to .npz files next to it"
    answers = [(f"{{stem}}.{part}.npz", "right.npy") for part in ("chosen_on", "reported_on")]
    define_output(values, "out", text, mark="vdroppath_tf.scores/", beside=answers)
    text = "a strategy to score, e.g. 'S ST ...'; may be repeated; default: draws"
    flags.DEFINE_multi_string("strategy", [], text, flag_values=values)
    text = "space.json or published:NAME to draw from; default: the template's space"
    define_string(values, "space", text)
    text = "number of strategies drawn from the space, in addition to its mode"
    flags.DEFINE_integer("draws", 100, text, lower_bound=1, flag_values=values)
    text = "controls drawn from a uniform prior"
    flags.DEFINE_integer("uniform_draws", 5, text, lower_bound=0, flag_values=values)
    flags.DEFINE_integer("seed", 0, "seed of the draws and of the split", 0, flag_values=values)
    flags.DEFINE_boolean(
        "race", False, "drop strategies that can no longer win", flag_values=values
    )
    text = "error level of the race, and of the confidence set of the best"
    flags.DEFINE_float("level", 0.05, text, 0.0, 1.0, flag_values=values)
    define_choose(values)
    text = "difference in accuracy that a race ignores, e.g. 0.01"
    flags.DEFINE_float("margin", 0.0, text, 0.0, 0.99, flag_values=values)
    text = (
        "training steps of each strategy on --train_data before it is scored, from the template's "
        "weights; see docs/ranking.md"
    )
    flags.DEFINE_integer("adapt_steps", 0, text, lower_bound=0, flag_values=values)
    text = "learning rate of the first of these steps; it falls to 0"
    flags.DEFINE_float("adapt_learning_rate", 0.02, text, 0.0, 1e6, flag_values=values)
    only_with(values, "margin", "race")
    only_with(values, "adapt_learning_rate", "adapt_steps")
    text = "memory for activations, in MiB"
    flags.DEFINE_integer("memory_mib", 1024, text, lower_bound=1, flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Chooses a strategy on one part of the clips, and reports its accuracy on the other."""
    model, recipe, labels = training.load_model(values.model)
    own = spaces.ProbabilitySpace.from_model(model)
    logging.info("Prior: %s", prior_of(model, values.model))
    log_diagnosis(diagnosis_of(model, values.model))
    strategies = _strategies(values, own)
    parts, told = _parts(values, recipe, labels, len(strategies))
    named = scoring.controls(own, values.uniform_draws, values.seed)
    if not values.strategy:
        named = {"mode": strategies[0], **named}
    train = None
    if values.train_data is not None:
        train = _videos(values, "train_data", recipe, labels)
        which = "data" if values.test_data is None else "test_data"
        if many := say_trained_on(which, parts[1], train):
            told += f" ({many:,} of these {len(parts[1]):,} videos were trained on)"
    else:
        say_not_recalibrated()
    protocol = data.PROTOCOLS[values.protocol]
    clips = training.RecipeClips(recipe, faults=data.FaultLog(values.max_bad_fraction))
    memory = values.memory_mib * 2**20
    scorer = experiments.Scorer(
        model,
        clips,
        train,
        protocol=protocol,
        memory_bytes=memory,
        adapt_steps=values.adapt_steps,
        adapt_learning_rate=values.adapt_learning_rate,
    )
    race = (values.level, values.margin) if values.race else None
    chosen_on = _scores(values, scorer, "choose", parts[0], strategies, race)
    shape = clips.clip_shape(parts[1], protocol)
    costs, rule = costs_of(model, shape), values.choose
    chosen = scoring.choose(chosen_on, costs, rule=rule, level=values.level)
    rows = [chosen.strategy, chosen_on.best.strategy, *named.values()]
    reported_on = _scores(values, scorer, "report", parts[1], list(dict.fromkeys(rows)), None)
    options: dict[str, Any] = {"costs": costs, "rule": rule, "level": values.level}
    result = scoring.select(chosen_on, reported_on, named, **options)
    scores_file.show(result, chosen_on, reported_on, told, costs, len(labels))
    if values.race and values.margin:
        print(
            f"Dropped ones may be as good: the race dropped those not better by {values.margin:g}."
        )
    if worse := beaten(result):
        print(worse)
    told_of = {parts[1]: "reported on", parts[0]: "chosen on"}  # one line if these are the same
    for videos, what in reversed(told_of.items()):
        account = clips.faults.account(videos, "test")
        print(f"{values.protocol}, {what}: {account}")
    if values.out:
        head = {
            "architecture": model.architecture["name"],
            "protocol": values.protocol,
            "data": [_described(videos, shape) for videos in parts],
        }
        scores_file.write(Path(values.out), head, result, chosen_on, reported_on, labels)
        shutil.rmtree(f"{values.out}.progress")
        _say_next(values)


def _say_next(values: flags.FlagValues) -> None:
    """Suggests the next command: derive the chosen strategy."""
    train = source_flags(values, "train_data", "train_data")
    derived = str(Path(values.out).with_name("derived.keras"))
    tuned = values.train_data is not None
    say_next("derive", model=values.model, scores=values.out, **train, finetune=tuned, out=derived)


def _scores(
    values: flags.FlagValues,
    scorer: experiments.Scorer,
    which: str,
    videos: data.Manifest,
    strategies: list[spaces.FusionStrategy],
    race: tuple[float, float] | None,
) -> scoring.StrategyScores:
    """Scores some strategies; a stopped run on the same part of the videos resumes."""
    with bar(f"{which}: {len(strategies)} strategies", "passes") as shown:
        return scorer.scores(
            strategies,
            videos,
            race=race,
            resume=None if values.out is None else Path(f"{values.out}.progress") / which,
            on_strategy=lambda: shown.update(1),
        )


def _described(videos: data.Manifest, shape: tuple[int | None, ...]) -> dict[str, Any]:
    """Describes videos in the result: their digest, and the size of their clips."""
    sizes = None if None in shape else list(shape)
    named = {"source": videos.source, "hash": videos.digest(), "listed": len(videos)}
    return {**named, "classes": videos.num_classes, "clip_shape": sizes}


def _strategies(
    values: flags.FlagValues, own: spaces.ProbabilitySpace
) -> list[spaces.FusionStrategy]:
    if values.strategy:
        return [spaces.FusionStrategy.parse(text, own.architecture) for text in values.strategy]
    space = own if values.space is None else open_space(values.space)
    found = experiments.candidates(space, values.draws, values.seed)
    if said := repeated(space, values.draws, len(found)):
        print(said)
    return found


def repeated(space: spaces.ProbabilitySpace, draws: int, different: int) -> str | None:
    """Explains why fewer strategies are scored than were drawn, if so."""
    if different >= draws:
        return None
    chance = math.exp(space.log_prob(space.mode()))
    many = "strategy, which is" if different == 1 else "different strategies, which are"
    return (
        f"{draws} draws and the mode are {different} {many} scored once: draws repeat, for a draw "
        f"of this space is its mode with probability {chance:.2g}."
    )


def beaten(result: scoring.Selection) -> str | None:
    """Returns a sentence if a control is clearly better than the selected strategy."""
    found = result.beaten_by
    if found is None:
        return None
    return (
        f"{found.name} has a higher top-1 than the selected strategy, by {found.difference}: a "
        "control is better than the choice, or, of several controls, one is so by chance. "
        "vdroppath derive --strategy=... derives a control."
    )


def _videos(
    values: flags.FlagValues, name: str, recipe: training.Recipe, labels: tuple[str, ...]
) -> data.Manifest:
    part = {"train_data": "train", "test_data": "test"}.get(name, "validation")
    return open_source(values, name, labels, part=part, modality=recipe.modality)


def _parts(
    values: flags.FlagValues, recipe: training.Recipe, labels: tuple[str, ...], strategies: int
) -> tuple[tuple[data.Manifest, data.Manifest], str]:
    """Returns the videos for the choice and for the report, and a note on their origin."""
    shown = data.remote.shown
    videos = _videos(values, "data", recipe, labels)
    if values.test_data is not None:
        order = [
            n
            for half in scoring.split([entry.label for entry in videos], values.seed)
            for n in half
        ]
        both = videos.select(order), _videos(values, "test_data", recipe, labels)
        return both, f"chosen on {shown(values.data)}, reported on {shown(values.test_data)}"
    if strategies == 1:
        return (videos, videos), "one strategy: nothing was chosen"
    try:
        halves = scoring.split([entry.label for entry in videos], values.seed)
    except ValueError as error:
        raise ValueError(
            f"{shown(values.data)}: {error}. Or pass others for the report: --test_data."
        ) from None
    first, second = (videos.select(half) for half in halves)
    return (first, second), f"chosen on one half of {shown(values.data)}, reported on the other"
