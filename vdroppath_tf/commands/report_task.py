"""Builds the task of `vdroppath report` from the files that its flags name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from vdroppath_tf import budget, report, spaces, training, zoo
from vdroppath_tf.commands.flag_kinds import clip_shape_of
from vdroppath_tf.commands.run_folder import RunFolder
from vdroppath_tf.commands.space_files import PUBLISHED, open_space

if TYPE_CHECKING:
    from vdroppath_tf.analysis.worth import LayerWorth
    from vdroppath_tf.cost import UnitCosts


_NO_GAINS = (
    "Which classes gain by looking in time: a network of S everywhere next to the chosen one, on "
    "the same videos. `vdroppath evaluate` scores it where each layer has S; or `vdroppath test "
    "--model=run/template.keras --strategy='S S ...' --out=frames.json`, then "
    "`--result=frames.json` in addition to the other `--result`."
)


_NO_WORTH = (
    "What swapping one layer's unit costs: `vdroppath worth --model={model} --data=... "
    "--train_data=... --out=worth.json`, then `--worth=worth.json`."
)


_NOT_EXPLAINED = (
    "Where S and ST find evidence in a few videos: `vdroppath explain --model={model} "
    "--out=explained a.mp4 b.mp4`, then `--explained=explained`."
)


def name_of(values: flags.FlagValues) -> str:
    """Returns the name of the data: the flag's, or that of the folder or file."""
    if values.name:
        return values.name
    source = values.run or values.space or ""
    if source.startswith(PUBLISHED):
        return source.removeprefix(PUBLISHED)
    return Path(source).resolve().stem


def task(values: flags.FlagValues) -> report.TaskReport:
    """Reads the files that the flags name, and checks that they fit together.

    Raises:
        ValueError: If a file is missing, has another format, or belongs to another network.
    """
    folder = None if values.run is None else RunFolder(Path(values.run))
    space = _space(values, folder)
    scored = None if values.scores is None else _of_space(values.scores, space)
    tested = [report.read_result(path) for path in values.result]
    costs, about_costs = _costs(values, folder, space, scored)
    classes = (scored and scored.classes) or (folder and folder.classes) or None
    settings = {**({} if folder is None else folder.settings()), **about_costs}
    more: dict[str, Any] = {"classes": classes, "settings": settings}
    if (values.space or "").startswith(PUBLISHED):
        more |= _published(values.space.removeprefix(PUBLISHED), settings, scored)
    history = None if folder is None else folder.history()
    there = {"history": history, "costs": costs, "accuracy": scored, "tested": tested}
    absent = _absent(values, there, space)
    found = report.task_of(
        space,
        name_of(values),
        values.about or "",
        scored=scored,
        tested=tested,
        history=history,
        costs=costs,
        other=_other(values),
    )
    data = [*found.data]
    if values.trials is not None:
        table = _trials_of_space(values.trials, space)
        more |= chosen_by(table)
        data += [] if table.data is None else [table.data]
    if values.worth is not None:
        worth, used = report.read_worth(values.worth)
        _check_worth(values.worth, worth, space)
        more |= {"worth": worth}
        data.append(used)
    elif scored:
        model = values.model or f"{values.run or 'run'}/template.keras"
        absent["worth"] = _NO_WORTH.format(model=model)
    if values.explained is not None:
        more["explained"] = report.read_explained(values.explained)
    elif tested:
        absent["explained"] = _NOT_EXPLAINED.format(model=tested[0].row.name)
    if (scored or tested) and not found.gains:
        absent["gains"] = _NO_GAINS
    return replace(found, **more, data=data, absent=absent)


def _space(values: flags.FlagValues, folder: RunFolder | None) -> spaces.ProbabilitySpace:
    if values.space is not None:
        return open_space(values.space)
    if folder is not None:
        return folder.space
    given = [
        f"--{name}" for name in ("scores", "trials", "result", "model") if getattr(values, name)
    ]
    needed = f"{' and '.join(given)} alone: a report" if given else "A report"
    raise ValueError(f"{needed} needs a space: --run=run, or --space=space.json.")


def _of_space(path: str, space: spaces.ProbabilitySpace) -> report.Scored:
    scored = report.read_scores(path)
    try:
        report.check_scores(scored, space)
    except ValueError as error:
        raise ValueError(f"--scores={path}: {error}") from None
    return scored


def _trials_of_space(path: str, space: spaces.ProbabilitySpace) -> report.TrialTable:
    table = report.read_trials(path)
    try:
        table.check(space)
    except ValueError as error:
        raise ValueError(f"--trials={path}: {error}") from None
    return table


def chosen_by(table: report.TrialTable) -> dict[str, Any]:
    """Returns the trials and the strategy of the network that they kept, for `TaskReport`."""
    chosen_as = "the strategy that trials chose"
    if table.rival is not None and str(table.kept) != str(table.chosen):
        chosen_as = f"the strategy of {table.rival}, which was kept after trials"
    return {"trials": table, "chosen": table.kept, "chosen_as": chosen_as}


def _check_worth(path: str, worth: LayerWorth, space: spaces.ProbabilitySpace) -> None:
    try:
        worth.strategy.check(len(space), space.architecture, space.branches)
    except ValueError as error:
        raise ValueError(f"--worth={path}: belongs to another network: {error}") from None


def _costs(
    values: flags.FlagValues,
    folder: RunFolder | None,
    space: spaces.ProbabilitySpace,
    scored: report.Scored | None,
) -> tuple[UnitCosts | None, dict[str, str]]:
    """Returns the costs of the space's template for one clip, and a description of the clip."""
    shape = clip_shape_of(values)
    if shape is None and scored is not None:
        shape = scored.clip_shape
    if shape is None and folder is not None:
        shape = folder.clip_shape
    file = values.model or (folder and folder.template)
    if shape is None:
        return None, {}
    model = None if file is None else training.load_network(str(file))[0]
    if model is None and values.clip_shape is None:
        return None, {}  # a network is only built by its name if costs are requested
    units = budget.cost_tables(space, shape, model, None, None).units
    size = "x".join(map(str, shape))
    whose = "" if model is not None else f", {space.architecture} as the zoo has it"
    return units, {"MACs for": f"one clip of {size}{whose}"}


def _other(values: flags.FlagValues) -> report.OtherSpace | None:
    if values.other is None:
        return None
    name = values.other.removeprefix(PUBLISHED)
    name = name if values.other.startswith(PUBLISHED) else str(Path(name).with_suffix(""))
    scenes = None if values.complex_scenes is None else values.complex_scenes == "other"
    return report.OtherSpace(name, open_space(values.other), scenes)


def _published(
    dataset: str, settings: dict[str, str], scored: report.Scored | None
) -> dict[str, Any]:
    """Returns the paper's results for its space, unless newer scores are given."""
    top1 = ", ".join(f"{unit} {value:.1f}" for unit, value in zoo.published_top1(dataset).items())
    more: dict[str, Any] = {"settings": {**settings, "the paper's top-1, % (Table 2)": top1}}
    if scored is None:
        chosen = zoo.published_strategy(dataset)
        more |= {"chosen": chosen, "chosen_as": "the strategy that did best in the paper"}
    return more


def _absent(
    values: flags.FlagValues, there: dict[str, Any], space: spaces.ProbabilitySpace
) -> dict[str, str]:
    """Returns for each part without data a sentence on how to get them."""
    model = values.model or f"{values.run or 'run'}/template.keras"
    folder = values.run or "run"
    said = {
        "history": "How p moved during training: `--run`, a folder in which `vdroppath train` has "
        "finished, so that it has a history.json.",
        "costs": "What a smaller network costs in probability, MACs and parameters: "
        "`--clip_shape=frames,height,width`, with the template (`--run` or `--model`) if it is "
        "not one of the zoo.",
        "accuracy": f"Accuracy over cost, the selected strategy, its controls: `vdroppath evaluate "
        f"--model={model} --data=... --train_data=... --out={folder}/scores.json`, then "
        f"`--scores={folder}/scores.json`.",
        "tested": f"The accuracy of a network on test videos: `vdroppath test "
        f"--model={folder}/derived.keras --data=... --out={folder}/result.json`, then "
        f"`--result={folder}/result.json`.",
    }
    absent = {part: text for part, text in said.items() if not there[part]}
    if there["accuracy"] and not there["costs"]:
        absent["accuracy"] = f"Accuracy over MACs is missing with the MACs. {said['costs']}"
    if there["costs"] and space.per_input:
        absent["costs"] = (
            "The front of probability and MACs is left out: with gates for each input it may have "
            "millions of points. `vdroppath space --max_macs=...` gives the one within a budget."
        )
    if values.complex_scenes is None:
        absent["other"] = (
            "Observation III compares two data sets: `--other=space.json` is the second, "
            "`--complex_scenes=this` or `other` selects the one with complex scenes."
        )
    return absent
