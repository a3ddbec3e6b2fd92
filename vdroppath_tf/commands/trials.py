"""Choose among strategies by training them stand-alone: many for a while, the best to the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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

EXAMPLE = (
    "vdroppath trials --model=run/template.keras --scores=run/scores.json "
    "--data=clips/train.txt --validation=clips/validation.txt --out=run/trials"
)


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_string(values, "model", "a trained template, .keras", needed=True)
    text = "JSON file of vdroppath evaluate, whose best are tried; default: draws from the space"
    define_string(values, "scores", text)
    text = "a network, .keras, that is kept if it has a higher top-1 on --validation"
    define_string(values, "against", text)
    define_source(values, "data", "training videos", needed=True)
    define_source(values, "validation", "videos for the choice", needed=True)
    define_formats(values)
    define_faults(values)
    define_trials(values)
    text = (
        "folder for trials.json and the networks: network.keras is the one that is kept, "
        "uniform.keras the best with one unit everywhere"
    )
    mark = "trials.json|trials/adapted.npz|runs/*/run.json"
    define_output(values, "out", text, mark=mark, folder=True, needed=True)


def define_trials(values: flags.FlagValues, start: str = "") -> None:
    """Flags that say which strategies are tried, and for how long; ``start`` begins their help."""
    numbers = {
        "drawn": (0, "strategies of the space that are tried"),
        "uniform": (0, "draws from a uniform prior that are tried: what the space has dropped too"),
        "finalists": (1, "strategies of the most accurate trials that are trained to the end"),
    }
    for name, (least, text) in numbers.items():
        default = int(TRIALS[name])
        flags.DEFINE_integer(name, default, start + text, lower_bound=least, flag_values=values)
    text = "length of a trial, as a share of a whole training; short ones favour what learns fast"
    flags.DEFINE_float("share", TRIALS["share"], start + text, 1e-6, 1.0, flag_values=values)


def trials_of(values: flags.FlagValues) -> experiments.Trials:
    """What these flags say."""
    return experiments.Trials(**{name: values[name].value for name in TRIALS})


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains uniform strategies, tries others, trains the best of them, and keeps one."""
    trials = trials_of(values)
    model, recipe, labels = training.load_model(values.model)
    if not model.gates:
        raise ValueError(f"--model={values.model}: is not a template. Expected one to draw from.")
    against = None if values.against is None else _against(values.against, model, labels)
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
    rival = None if against is None else _rival(values.against, *against, run, found)
    table = experiments.trial_table(run, space, drawn, trials, costs, found, rival=rival)
    if values.scores is None:  # the strategies are in no order of scores
        table = dataclasses.replace(table, mode_rank=None)
    print("\n".join(lines(table)))
    network, kept = found.chosen.network, found.chosen.name
    if against is not None and rival is not None and rival.kept:
        network, kept = against[0], rival.name
    out = Path(values.out)
    training.save_model(network, out / "network.keras", recipe, labels)
    if found.best_uniform is not None:
        training.save_model(found.best_uniform.network, out / "uniform.keras", recipe, labels)
    report.write_trials(out / "trials.json", table, kept=kept)
    logging.info("Wrote %s", out / "trials.json")
    say_next("export", model=str(out / "network.keras"), out=str(out / "served" / "1"))


def _drawn(
    values: flags.FlagValues, space: spaces.ProbabilitySpace, count: int, seed: int
) -> list[spaces.FusionStrategy]:
    """Returns strategies of the space, best first: by scores, or else the mode and draws."""
    if values.scores is None:
        return experiments.candidates(space, 20 * count, seed)
    scored = report.read_scores(values.scores)
    report.check_scores(scored, space)
    ranked = scoring.StrategyScores(scored.scores, scored.recalibrated).ranked()
    return [score.strategy for score in ranked]


def _against(path: str, template: Any, labels: tuple[str, ...]) -> tuple[Any, training.Recipe]:
    """Loads the other network and its recipe."""
    network, recipe, known = training.load_model(path)
    if known != labels:
        raise ValueError(f"--against={path}: has other classes than the template.")
    names = [one.architecture["name"] for one in (network, template)]
    if network.gates or names[0] != names[1]:
        what = "a template" if network.gates else f"a network of {names[0]!r}"
        raise ValueError(
            f"--against={path}: is {what}. Expected a network of one strategy of the template, "
            f"{names[1]!r}, such as vdroppath derive writes."
        )
    return network, recipe


def _rival(
    path: str,
    network: Any,
    recipe: training.Recipe,
    run: experiments.TaskRun,
    found: experiments.Tried,
) -> report.Rival:
    """Returns another network as a rival, kept if it has a higher validation top-1."""
    clips = training.RecipeClips(recipe, run.videos.cache, run.clips.faults)
    size = recipe.batch_size
    top1 = experiments.score_network(network, run.task.validation, clips, batch_size=size).top1
    strategy = spaces.FusionStrategy.parse(
        network.architecture["strategy"], found.chosen.strategy.architecture
    )
    return report.Rival.of(path, strategy, top1, against=found.top1, derived=network.derived)


def lines(table: report.TrialTable) -> list[str]:
    """The result in lines: each trial, each network that was trained to the end, the choice."""
    trial, whole = table.epochs
    said = [f"Top-1 on {table.videos:,} videos with 95 % intervals, after {trial:g} epochs:"]
    tried = sorted(table.tried, key=lambda row: -(row.trial or 0.0))
    said += [f"{table.interval(row.trial or 0.0)}  {_shown(table, row)}" for row in tried]
    said.append(f"After {whole:g} epochs, the whole training:")
    trained = [row for row in table.ordered if row.end is not None]
    said += [f"{table.interval(row.end or 0.0)}  {_shown(table, row)}" for row in trained]
    said.append(
        f"Chosen, the cheapest within one standard error of the best on these {table.videos:,} "
        f"videos: {table.chosen}."
    )
    if table.rival is not None:
        kept = "kept, as it answers more" if table.rival.kept else "not kept"
        said.append(f"{table.rival.name}: top-1 {table.rival.top1:.4f}; {kept}.")
    return said


def _shown(table: report.TrialTable, row: report.TriedRow) -> str:
    """Describes a strategy with its origin and its cost."""
    mode = ", the space's mode" if row.strategy == table.mode else ""
    macs = "" if row.macs is None else f", {row.macs:,} MACs"
    return f"{row.strategy} ({report.ORIGINS[row.origin]}{mode}{macs})"
