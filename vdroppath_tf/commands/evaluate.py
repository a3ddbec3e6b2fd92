"""Choose among strategies of a template: draws from its space, or those named by --strategy."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags, logging
from tqdm import tqdm

from vdroppath_tf.commands.files import (
    define_faults,
    define_string,
    load_model,
    read_text,
    recalibration_clips,
    say_not_recalibrated,
)
from vdroppath_tf.commands.sources import define_formats, define_source, open_source
from vdroppath_tf.data.catalog import Manifest
from vdroppath_tf.data.clips.pipeline import FaultLog, evaluation_clips
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.files import read_json, write_json
from vdroppath_tf.report.inputs import SCORES_FORMAT
from vdroppath_tf.scoring.evaluate import evaluate_strategies, race_strategies
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.scoring.select import Selection, controls, select, split
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import Recipe

EXAMPLE = (
    "vdroppath evaluate --model=run/template.keras --data=clips/validation.txt "
    "--train_data=clips/train.txt --draws=100 --race --out=run/scores.json"
)


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    define_source(values, "data", "validation videos", needed=True)
    text = "videos to report on; default: half of --data, which is then not chosen on"
    define_source(values, "test_data", text)
    text = "training videos, for batch-norm recalibration (recommended)"
    define_source(values, "train_data", text)
    define_formats(values)
    define_faults(values)
    text = "which views of a video are scored"
    flags.DEFINE_enum("protocol", "paper-1clip", list(PROTOCOLS), text, flag_values=values)
    text = "JSON file for the result; answers clip by clip go to .npz files beside it"
    define_string(values, "out", text)
    text = "a strategy, e.g. 'S ST ...'; may be repeated; default: draws"
    flags.DEFINE_multi_string("strategy", [], text, flag_values=values)
    define_string(values, "space", "space.json to draw from; default: the template's own")
    text = "strategies drawn from the space, beside its mode"
    flags.DEFINE_integer("draws", 100, text, lower_bound=1, flag_values=values)
    text = "controls drawn from a uniform prior"
    flags.DEFINE_integer("uniform_draws", 5, text, lower_bound=0, flag_values=values)
    flags.DEFINE_integer("seed", 0, "of draws and of the split", 0, flag_values=values)
    flags.DEFINE_boolean("race", False, "drop what can no longer win", flag_values=values)
    text = "error level of the race, and of what is not told apart"
    flags.DEFINE_float("level", 0.05, text, 0.0, 1.0, flag_values=values)
    text = "difference in accuracy that a race spends no clips on, e.g. 0.01"
    flags.DEFINE_float("margin", 0.0, text, 0.0, 0.99, flag_values=values)
    text = "room for activations, MiB"
    flags.DEFINE_integer("memory_mib", 1024, text, lower_bound=1, flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Chooses on one part of the clips, reports on the other."""
    model, recipe, labels = load_model(values.model)
    own = ProbabilitySpace.from_model(model)
    strategies = _strategies(values, own)
    parts, told = _parts(values, recipe, labels, len(strategies))
    faults, protocol = FaultLog(values.max_bad_fraction), PROTOCOLS[values.protocol]
    named = controls(own, values.uniform_draws, values.seed)
    if not values.strategy:
        named = {"mode": strategies[0], **named}
    train = None
    if values.train_data is not None:
        train = _videos(values, "train_data", recipe, labels)
    else:
        say_not_recalibrated()
    resume = None if values.out is None else Path(f"{values.out}.progress")

    def score(which: str, videos: Manifest, some: list[FusionStrategy], race: bool) -> Any:
        """The scores, and the clips' shape: what a report gives MACs for."""
        options: dict[str, Any] = {
            "memory_bytes": values.memory_mib * 2**20,
            "views": protocol.views,
        }
        if train is not None:
            options["train_clips"] = recalibration_clips(train, recipe, faults)
        if resume is not None:
            options["resume"] = resume / which
        if race:
            options |= {"level": values.level, "margin": values.margin}
        clips = evaluation_clips(
            videos,
            protocol.sampling(recipe.evaluation),
            batch_size=max(1, recipe.batch_size // protocol.views) * protocol.views,
            split="test",
            faults=faults,
        )
        with tqdm(unit=" passes", desc=f"{which}: {len(some)} strategies") as bar:
            options["on_strategy"] = lambda: bar.update(1)
            call: Any = race_strategies if race else evaluate_strategies
            return call(model, some, clips, **options), clips.element_spec[0].shape[1:4]

    chosen_on, _ = score("choose", parts[0], strategies, values.race)
    rows = list(dict.fromkeys([chosen_on.best.strategy, *named.values()]))
    reported_on, shape = score("report", parts[1], rows, False)
    result = select(chosen_on, reported_on, named, level=values.level)
    _show(result, chosen_on, told)
    if values.race and values.margin:
        print(
            f"Dropped ones may be as good: the race left out who is not {values.margin:g} better."
        )
    told_of = {parts[1]: "reported on", parts[0]: "chosen on"}  # one line where they are the same
    for videos, what in reversed(told_of.items()):
        print(f"{protocol.name}, {what}: {faults.account(videos, 'test')}")
    if values.out:
        head = {
            "architecture": model.architecture["name"],
            "protocol": protocol.name,
            "data": [_told_of(videos, shape) for videos in parts],
        }
        _write(Path(values.out), head, result, chosen_on, reported_on)
        shutil.rmtree(f"{values.out}.progress")


def _told_of(videos: Manifest, shape: Any) -> dict[str, Any]:
    """What the result says of videos: which they are, and how large clips of them are."""
    sizes = shape.as_list() if shape.is_fully_defined() else None
    named = {"source": videos.source, "hash": videos.digest(), "listed": len(videos)}
    return {**named, "classes": videos.num_classes, "clip_shape": sizes}


def _strategies(values: flags.FlagValues, own: ProbabilitySpace) -> list[FusionStrategy]:
    if values.strategy:
        return [FusionStrategy.parse(text, own.architecture) for text in values.strategy]
    space = own if values.space is None else ProbabilitySpace.load(values.space)
    return list(dict.fromkeys([space.mode(), *space.sample(values.draws, seed=values.seed)]))


def _videos(
    values: flags.FlagValues, name: str, recipe: Recipe, labels: tuple[str, ...]
) -> Manifest:
    part = "train" if name == "train_data" else "test"
    return open_source(values, name, labels, part=part, modality=recipe.modality)


def _parts(
    values: flags.FlagValues, recipe: Recipe, labels: tuple[str, ...], strategies: int
) -> tuple[tuple[Manifest, Manifest], str]:
    """Videos to choose on and to report on, and where they are from."""
    videos = _videos(values, "data", recipe, labels)
    if values.test_data is not None:
        order = [n for half in split([entry.label for entry in videos], values.seed) for n in half]
        both = videos.select(order), _videos(values, "test_data", recipe, labels)
        return both, f"chosen on {values.data}, reported on {values.test_data}"
    if strategies == 1:
        return (videos, videos), "one strategy: nothing was chosen"
    try:
        halves = split([entry.label for entry in videos], values.seed)
    except ValueError as error:
        raise ValueError(
            f"{values.data}: {error}. Or name others to report on: --test_data."
        ) from None
    first, second = (videos.select(half) for half in halves)
    return (first, second), f"chosen on one half of {values.data}, reported on the other"


def _show(result: Selection, chosen_on: StrategyScores, told: str) -> None:
    for score in ranked(chosen_on):
        share = f"{score.top1:.4f} +- {score.standard_error:.4f}  top-5 {score.top5:.4f}"
        seen = "" if score in chosen_on.finalists else f"  dropped after {score.clips} clips"
        print(f"{share}  {score.strategy}{seen}")
    first, second = result.clips
    print(f"\nAbove: the {first} clips that were chosen on. Below: {second} ({told}).")
    print(f"Top-1 and its difference to the selected, {100 * result.confidence:g} % intervals:")
    for row in result.rows:
        print(f"{row.top1}  {row.difference}  {row.name}: {row.strategy}")
    count, best = len(result.not_told_apart), result.top1_chosen_on
    print(f"\nOn the clips it was chosen on the selected scored {best:.4f}; the best of ", end="")
    print(f"{len(chosen_on)} flatters by about {result.optimism:.4f} there.")
    print(f"Not told apart from the best (level {result.level:g}): {count} of {len(chosen_on)}.")


def ranked(scores: StrategyScores) -> list[Any]:
    """Best first; those dropped from a race last."""
    return sorted(scores, key=lambda score: (-score.clips, -score.top1))


def _write(
    path: Path,
    head: dict[str, Any],
    result: Selection,
    chosen_on: StrategyScores,
    reported_on: StrategyScores,
) -> None:
    rows = [
        {"strategy": str(s.strategy), "top1": s.top1, "top5": s.top5, "clips": s.clips}
        for s in ranked(chosen_on)
    ]
    selection = {
        **dataclasses.asdict(result),
        "strategy": str(result.strategy),
        "rows": [{**dataclasses.asdict(r), "strategy": str(r.strategy)} for r in result.rows],
        "not_told_apart": [str(strategy) for strategy in result.not_told_apart],
        "recalibrated": chosen_on.recalibrated,
    }
    for name, scores in (("chosen_on", chosen_on), ("reported_on", reported_on)):
        scores.save(path.with_suffix(f".{name}.npz"))
    fields = {**head, "selection": selection, "scores": rows}
    write_json(path, {"format": SCORES_FORMAT, **fields})
    logging.info("Wrote %s", path)


def best_of(path: str) -> FusionStrategy:
    """The selected strategy of a file of scores.

    Raises:
        ValueError: when the file holds no scores.
    """
    names = ["architecture", "protocol", "data", "selection", "scores"]
    try:
        fields = read_json(read_text(path), SCORES_FORMAT, names)
        return FusionStrategy.parse(fields["selection"]["strategy"], fields["architecture"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: holds no scores ({error}). Expected what vdroppath evaluate --out writes."
        ) from None
