"""Choose among strategies by training them stand-alone: many for a while, the best to the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags, logging

from vdroppath_tf import experiments, report, scoring, spaces, training
from vdroppath_tf.commands.choices import TRIALS
from vdroppath_tf.commands.choosing import costs_of
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.commands.next_step import say_next
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.sources import (
    define_faults,
    define_formats,
    define_source,
    open_source,
)
from vdroppath_tf.files import write_json

if TYPE_CHECKING:
    from vdroppath_tf.cost import UnitCosts

EXAMPLE = (
    "vdroppath trials --model=run/template.keras --scores=run/scores.json "
    "--data=clips/train.txt --validation=clips/validation.txt --out=run/trials"
)
FORMAT = "vdroppath_tf.trials/1"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    text = "JSON file of vdroppath evaluate: the best of it are tried; default: the space's draws"
    define_string(values, "scores", text)
    text = "a network, .keras, that is kept where it answers more of --validation"
    define_string(values, "against", text)
    define_source(values, "data", "training videos", needed=True)
    define_source(values, "validation", "videos to choose on", needed=True)
    define_formats(values)
    define_faults(values)
    numbers = {
        "drawn": (0, "strategies of the space that are tried"),
        "uniform": (0, "draws from a uniform prior that are tried: what the space has dropped too"),
        "finalists": (1, "of them that are trained to the end"),
    }
    for name, (least, text) in numbers.items():
        default = int(TRIALS[name])
        flags.DEFINE_integer(name, default, text, lower_bound=least, flag_values=values)
    text = "length of a trial, as a share of a whole training; short ones favour what learns fast"
    flags.DEFINE_float("share", TRIALS["share"], text, 1e-6, 1.0, flag_values=values)
    text = "folder for the networks, network.keras the one that is kept, and trials.json"
    mark = "trials.json|trials/adapted.npz|runs/*/run.json"
    define_output(values, "out", text, mark=mark, folder=True, needed=True)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains uniform strategies, tries others, trains the best, and keeps one network."""
    trials = experiments.Trials(**{name: values[name].value for name in TRIALS})
    model, recipe, labels = training.load_model(values.model)
    if not model.gates:
        raise ValueError(f"--model={values.model}: is no template. Expected one to draw from.")
    against = None if values.against is None else _against(values.against, labels)
    space = spaces.ProbabilitySpace.from_model(model)
    drawn = _drawn(values, space, trials.drawn, recipe.seed)
    modality = recipe.modality
    train = open_source(values, "data", labels, part="train", modality=modality)
    videos = open_source(values, "validation", labels, part="validation", modality=modality)
    run = experiments.TaskRun(
        experiments.Task("trials", "", train, videos, videos),
        recipe,
        Path(values.out),
        log=logging.info,
        max_bad_fraction=values.max_bad_fraction,
    )
    costs = costs_of(model, run.clips.clip_shape(videos))
    uniform = experiments.uniform_strategies(space)
    work = len(uniform) * run.steps(run.stand_alone_phases()) + trials.work(run)
    run.account.expect(work)
    alone = [experiments.train_stand_alone(run, *each) for each in uniform]
    found = experiments.run_trials(run, space, drawn, alone, trials, costs)
    print("\n".join(lines(found, trials, costs)))
    network, kept = found.chosen.network, found.chosen.name
    if against is not None and _ahead(values.against, *against, run, found):
        network, kept = against[0], values.against
    training.save_model(network, Path(values.out) / "network.keras", recipe, labels)
    fields = {**fields_of(found, trials, costs), "kept": kept, "validation": videos.digest()}
    write_json(Path(values.out) / "trials.json", fields)
    logging.info("Wrote %s", Path(values.out) / "trials.json")
    served = str(Path(values.out) / "served" / "1")
    say_next("export", model=str(Path(values.out) / "network.keras"), out=served)


def _drawn(
    values: flags.FlagValues, space: spaces.ProbabilitySpace, count: int, seed: int
) -> list[spaces.FusionStrategy]:
    """Strategies of the space, the best first: by their scores, or else the mode and draws."""
    if values.scores is None:
        return experiments.candidates(space, 20 * count, seed)
    scored = report.read_scores(values.scores)
    report.check_scores(scored, space)
    ranked = scoring.StrategyScores(scored.scores, scored.recalibrated).ranked()
    return [score.strategy for score in ranked]


def _against(path: str, labels: tuple[str, ...]) -> tuple[Any, training.Recipe]:
    """The other network and its recipe."""
    network, recipe, known = training.load_model(path)
    if known != labels:
        raise ValueError(f"--against={path}: has other classes than the template.")
    return network, recipe


def _ahead(
    path: str,
    network: Any,
    recipe: training.Recipe,
    run: experiments.TaskRun,
    found: experiments.Tried,
) -> bool:
    """Whether another network answers more of the validation videos than the chosen one."""
    clips = training.RecipeClips(recipe, run.videos.cache, run.clips.faults)
    size = recipe.batch_size
    top1 = experiments.score_network(network, run.task.validation, clips, batch_size=size).top1
    ahead = top1 > found.chosen.validation.top1
    print(f"{path}: top-1 {top1:.4f}; {'kept' if ahead else 'not kept'}.")
    return ahead


def lines(found: experiments.Tried, trials: experiments.Trials, costs: UnitCosts) -> list[str]:
    """The result in lines: each trial, each network that was trained to the end, the choice."""
    said = [f"Top-1 after {trials.share:.0%} of a stand-alone training, 95 % intervals:"]
    said += [f"{score.interval}  {score.strategy}" for score in found.scores.ranked()]
    said.append("Trained to the end:")
    for one in sorted(found.trained, key=lambda one: -one.validation.top1):
        interval = one.validation.interval(one.validation.top1)
        macs = costs.of(one.strategy)[1]
        said.append(f"{interval}  {one.name}: {one.strategy} ({macs:,} MACs)")
    clips = found.chosen.validation.scored
    said.append(
        f"Chosen, the cheapest within one standard error of the best on these {clips:,} videos: "
        f"{found.chosen.strategy}."
    )
    return said


def fields_of(
    found: experiments.Tried, trials: experiments.Trials, costs: UnitCosts
) -> dict[str, Any]:
    """The result as plain values."""
    return {
        "format": FORMAT,
        "trials": dataclasses.asdict(trials),
        "videos": found.chosen.validation.scored,
        "scores": [
            {"strategy": str(score.strategy), "top1": score.top1} for score in found.scores.ranked()
        ],
        "trained": [
            {
                "name": one.name,
                "strategy": str(one.strategy),
                "top1": one.validation.top1,
                "macs": costs.of(one.strategy)[1],
            }
            for one in found.trained
        ],
        "strategy": str(found.chosen.strategy),
    }
