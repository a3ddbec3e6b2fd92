"""Ask whether the ranking holds: train strategies stand-alone, compare with their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags, logging

from vdroppath_tf import analysis, experiments, figures
from vdroppath_tf.commands.choices import RANKING, RANKING_CLIPS
from vdroppath_tf.commands.flag_kinds import define_processes, processes_of
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.files import write_json

if TYPE_CHECKING:
    from vdroppath_tf.scoring.intervals import Interval

EXAMPLE = "vdroppath ranking --draws=8 --uniform_draws=8 --seeds=2 --out=ranking"
FORMAT = "vdroppath_tf.ranking/1"
EXPLAINED = {
    "space": "score on the template that learned the space, batch norm recalibrated",
    "gates drawn per batch": "the same, of a template whose gates were drawn for each batch",
    "gates start at 0.1": "the same, of a template whose drop probabilities started at 0.1",
    "uniform template": "the same, of a template trained with every path a fair coin",
    "space, not recalibrated": "the first without recalibration",
    "log-probability": "of the strategy in the learned space",
}


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    text = "folder for clips, trainings and results"
    define_output(values, "out", text, "ranking", mark="plan.json", folder=True)
    numbers = {
        "draws": (2, "strategies drawn from the learned space"),
        "uniform_draws": (0, "strategies drawn from a uniform prior"),
        "seeds": (1, "stand-alone trainings of each strategy"),
        "epochs": (2, "of each stand-alone training"),
        "template_epochs": (2, "of the templates"),
        "train_clips": (16, "training clips"),
        "test_clips": (16, "test clips"),
        "seed": (0, "of clips, templates and draws"),
    }
    defaults = {**RANKING, "train_clips": RANKING_CLIPS[0], "test_clips": RANKING_CLIPS[1]}
    for name, (least, text) in numbers.items():
        flags.DEFINE_integer(name, defaults[name], text, lower_bound=least, flag_values=values)
    rate, text = RANKING["gate_learning_rate"], "of the templates' gates"
    flags.DEFINE_float("gate_learning_rate", rate, text, lower_bound=0.0, flag_values=values)
    define_processes(values, "trainings")


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains, compares, prints the table and writes it with its picture."""
    given = {name: values[name].value for name in RANKING}
    plan = experiments.Plan(**given, clips=(values.train_clips, values.test_clips))
    out = Path(values.out)
    found = experiments.run_ranking(out, plan, processes=processes_of(values), log=logging.info)
    print("\n".join(table(found)))
    write_json(out / "ranking.json", fields(found), allow_nan=False)
    figures.figure_ranking(found).savefig(out / "ranking.png", dpi=150)
    logging.info("Wrote %s and ranking.png", out / "ranking.json")


def table(found: analysis.Ranking) -> list[str]:
    """Strategies, then the tau of each kind, as text."""
    columns = "; ".join(["stand-alone (mean of seeds)", *found.scores])
    lines = [f"Columns: top-1 on {found.clips} clips, {columns}"]
    for kind in analysis.KINDS:
        some = found.of(kind)
        if not some.strategies:
            continue
        lines += ["", f"{len(some.strategies)} {kind}, best stand-alone first:"]
        for k in (-some.stand_alone.mean(1)).argsort(kind="stable"):
            said = "".join(f"{score[k]:9.3f}" for score in some.scores.values())
            lines.append(f"{some.stand_alone[k].mean():7.3f}{said}  {some.strategies[k]}")
        if len(some.strategies) > 1:
            lines += ["", *_agreement(some, kind)]
    return lines


def _agreement(some: analysis.Ranking, kind: str) -> list[str]:
    noise = some.noise()
    lines = [f"{kind}: stand-alone accuracies spread by {noise.spread:.3f}"]
    if noise.seeds > 1:
        lines[0] += (
            f"; seeds deviate by {noise.deviation:.3f}, tau of two seeds "
            f"{noise.between_seeds:.2f}; a perfect score would reach {noise.ceiling:.2f}"
        )
    lines.append("Kendall's tau with stand-alone accuracy, 95 % interval over strategies:")
    for name, tau in some.taus().items():
        lines.append(f"  {_interval(tau)}  {name}: {EXPLAINED[name]}")
    return lines


def _interval(tau: Interval) -> str:
    if math.isnan(tau.value):
        return "none: all equal  "
    return f"{tau.value:5.2f} [{tau.low:5.2f}, {tau.high:5.2f}]"


def fields(found: analysis.Ranking) -> dict[str, object]:
    """Everything, as JSON values; what is no number is null."""
    kinds = {}
    for kind in analysis.KINDS:
        some = found.of(kind)
        if len(some.strategies) > 1:
            noise = {name: _number(value) for name, value in vars(some.noise()).items()}
            taus = {
                name: {end: _number(value) for end, value in vars(tau).items()}
                for name, tau in some.taus().items()
            }
            kinds[kind] = {"seed_noise": noise, "tau": taus}
    rows = [
        {
            "kind": kind,
            "strategy": strategy,
            "alone": found.stand_alone[k].tolist(),
            **{name: float(score[k]) for name, score in found.scores.items()},
        }
        for k, (kind, strategy) in enumerate(zip(found.kinds, found.strategies, strict=True))
    ]
    return {"format": FORMAT, "clips": found.clips, "kinds": kinds, "strategies": rows}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
