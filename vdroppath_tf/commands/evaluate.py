"""Score strategies of a template: draws from its space, or those named by --strategy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from absl import flags, logging
from tqdm import tqdm

from ..analysis.evaluate import evaluate_strategies
from ..data.pipeline import FaultLog, evaluation_clips
from ..files import read_json, write_text
from ..space import ProbabilitySpace
from ..strategy import FusionStrategy
from .files import (
    define_faults,
    define_string,
    load_model,
    open_videos,
    read_text,
    recalibration_clips,
)

EXAMPLE = (
    "vdroppath evaluate --model=run/template.keras --data=clips/val.txt "
    "--train_data=clips/train.txt --draws=100 --out=run/scores.json"
)
SCORES_FORMAT = "vdroppath_tf.scores/1"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    define_string(values, "data", "validation videos: list file or class folders", needed=True)
    text = "training videos, for batch-norm recalibration (recommended)"
    define_string(values, "train_data", text)
    define_faults(values)
    define_string(values, "out", "JSON file to write the scores to")
    text = "a strategy, e.g. 'S ST ...'; may be repeated; default: draws"
    flags.DEFINE_multi_string("strategy", [], text, flag_values=values)
    text = "strategies drawn from the space, beside its mode"
    flags.DEFINE_integer("draws", 100, text, lower_bound=1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "of the draws", flag_values=values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """A table of strategies, best first."""
    model, recipe, labels = load_model(values.model)
    strategies = _strategies(values, model)
    videos = open_videos(values.data, labels, values.quarantine)
    faults = FaultLog(values.max_bad_fraction)
    train_clips = None
    if values.train_data is not None:
        train_videos = open_videos(values.train_data, labels, values.quarantine)
        train_clips = recalibration_clips(train_videos, recipe, faults)
    clips = evaluation_clips(videos, recipe.evaluation, batch_size=recipe.batch_size, faults=faults)
    with tqdm(unit=" passes", desc=f"{len(strategies)} strategies") as bar:
        scores = evaluate_strategies(
            model,
            strategies,
            clips,
            train_clips=train_clips,
            on_strategy=lambda: bar.update(1),
        )
    ranked = sorted(scores, key=lambda score: -score.top1)
    for score in ranked:
        share = f"{score.top1:.4f} +- {score.standard_error:.4f}  top-5 {score.top5:.4f}"
        print(f"{share}  {score.strategy}")
    print(faults.account(videos, "validation"))
    if values.out:
        rows = [
            {
                "strategy": str(s.strategy),
                "top1": s.top1,
                "top5": s.top5,
                "clips": s.clips,
                "videos": len(videos),
            }
            for s in ranked
        ]
        fields = {"architecture": model.architecture["name"], "scores": rows}
        write_text(values.out, json.dumps({"format": SCORES_FORMAT, **fields}, indent=1) + "\n")
        logging.info("Wrote %s", values.out)


def _strategies(values: flags.FlagValues, model: Any) -> list[FusionStrategy]:
    name = model.architecture["name"]
    if values.strategy:
        return [FusionStrategy.parse(text, name) for text in values.strategy]
    space = ProbabilitySpace.from_model(model)
    return list(dict.fromkeys([space.mode(), *space.sample(values.draws, seed=values.seed)]))


def best_of(path: str) -> FusionStrategy:
    """The best strategy of a file of scores.

    Raises:
        ValueError: when the file holds no scores.
    """
    try:
        fields = read_json(read_text(path), SCORES_FORMAT, ["architecture", "scores"])
        return FusionStrategy.parse(fields["scores"][0]["strategy"], fields["architecture"])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: holds no scores ({error}). Expected what vdroppath evaluate --out writes."
        ) from None
