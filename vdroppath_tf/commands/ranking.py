"""Measure whether scores rank strategies as stand-alone trainings do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags, logging

from vdroppath_tf import analysis, experiments, figures
from vdroppath_tf.commands.choices import ADAPT_STEPS, RANKING, RANKING_CLIPS
from vdroppath_tf.commands.flag_kinds import define_processes, processes_of
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.files import write_json

if TYPE_CHECKING:
    from vdroppath_tf.scoring.intervals import Interval

EXAMPLE = "vdroppath ranking --draws=24 --uniform_draws=24 --seeds=3 --out=ranking"
FORMAT = "vdroppath_tf.ranking/1"
EXPLAINED = {
    "space": "score on the template that learned the space, batch norm recalibrated",
    "gates start at 0.1": "the same, on a template whose drop probabilities started at 0.1",
    "uniform template": "the same, on a template trained with every path on with probability 1/2",
    "mean of the templates": "the mean of the three scores before it",
    "layers in time": "the number of temporal layers, a baseline that needs no template",
    "space, not recalibrated": "the first without recalibration",
    "log-probability": "log-probability of the strategy in the learned space",
}

BASELINES = ("uniform template", "layers in time")
"""Scores that a learned space should exceed: of a template that learned no space, and of none."""


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    text = "folder for templates and results"
    define_output(values, "out", text, "ranking", mark="plan.json", folder=True)
    numbers = {
        "draws": (2, "number of strategies drawn from the learned space"),
        "uniform_draws": (0, "number of strategies drawn from a uniform prior"),
        "seeds": (1, "number of stand-alone trainings of each strategy"),
        "epochs": (2, "epochs of each stand-alone training"),
        "template_epochs": (2, "epochs of the templates"),
        "train_clips": (16, "number of training clips"),
        "test_clips": (16, "number of test clips"),
        "seed": (0, "seed of clips, templates and draws"),
    }
    defaults = {**RANKING, "train_clips": RANKING_CLIPS[0], "test_clips": RANKING_CLIPS[1]}
    for name, (least, text) in numbers.items():
        flags.DEFINE_integer(name, defaults[name], text, lower_bound=least, flag_values=values)
    text = "numbers of training steps from a template's weights after which strategies are scored"
    default = [str(steps) for steps in ADAPT_STEPS]
    flags.DEFINE_list("adapt_steps", default, f"{text}; empty for none", flag_values=values)
    rate, text = RANKING["gate_learning_rate"], "learning rate of the templates' gates"
    flags.DEFINE_float("gate_learning_rate", rate, text, lower_bound=0.0, flag_values=values)
    define_processes(values, "trainings")


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Trains and compares, and prints and writes the table and its figure."""
    given = {name: values[name].value for name in RANKING}
    counts = values.train_clips, values.test_clips
    plan = experiments.Plan(**given, clips=counts, adapt_steps=_adapt_steps(values))
    out = Path(values.out)
    where = {"processes": processes_of(values), "cluster": values.cluster}
    found = experiments.run_ranking(out, plan, **where, log=logging.info)
    print("\n".join(table(found, plan.stand_alone_steps)))
    write_json(out / "ranking.json", fields(found), allow_nan=False)
    figures.figure_ranking(found).savefig(out / "ranking.png", dpi=150)
    logging.info("Wrote %s and ranking.png", out / "ranking.json")


def _adapt_steps(values: flags.FlagValues) -> tuple[int, ...]:
    try:
        return tuple(int(steps) for steps in values.adapt_steps)
    except ValueError:
        given = ",".join(values.adapt_steps)
        raise ValueError(f"--adapt_steps={given}: expected integers, such as 8,32,128.") from None


def table(found: analysis.Ranking, steps: int) -> list[str]:
    """Returns lines: strategies, then each kind's tau; a stand-alone training has ``steps``."""
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
            lines += ["", *_agreement(some, kind, steps)]
    return lines


def _agreement(some: analysis.Ranking, kind: str, steps: int) -> list[str]:
    noise = some.noise()
    lines = [f"{kind}: stand-alone accuracies spread by {noise.spread:.3f}"]
    if noise.seeds > 1:
        lines[0] += (
            f"; seeds deviate by {noise.deviation:.3f}, tau of two seeds "
            f"{noise.between_seeds:.2f}; a perfect score would reach {noise.ceiling:.2f}"
        )
    lines.append("Kendall's tau with stand-alone accuracy, 95 % interval over strategies:")
    for name, tau in some.taus().items():
        lines.append(f"  {_interval(tau)}  {name}: {_explained(some, name, steps)}")
    for baseline in BASELINES:
        lines.append(f"Tau above that of {baseline!r}, 95 % interval of the paired difference:")
        for name, ahead in some.above(baseline).items():
            lines.append(f"  {_interval(ahead, '+')}  {name}")
    return lines


def _explained(some: analysis.Ranking, name: str, steps: int) -> str:
    for template, curve in some.curves.items():
        for taken, own in curve.items():
            if own == name and taken:
                return (
                    f"score on {template!r} after {taken} training steps of each strategy, "
                    f"{taken / steps:.1%} of a stand-alone training"
                )
    return EXPLAINED[name]


def _interval(tau: Interval, sign: str = "") -> str:
    if math.isnan(tau.value):
        return "none: all equal  " if not sign else "none: one has no order"
    kind = f"{sign}5.2f"
    return f"{tau.value:{kind}} [{tau.low:{kind}}, {tau.high:{kind}}]"


def fields(found: analysis.Ranking) -> dict[str, object]:
    """Returns the result as JSON values; NaN becomes null."""
    kinds = {}
    for kind in analysis.KINDS:
        some = found.of(kind)
        if len(some.strategies) > 1:
            noise = {name: _number(value) for name, value in vars(some.noise()).items()}
            above = {baseline: _ends(some.above(baseline)) for baseline in BASELINES}
            kinds[kind] = {"seed_noise": noise, "tau": _ends(some.taus()), "tau_above": above}
    rows = [
        {
            "kind": kind,
            "strategy": strategy,
            "alone": found.stand_alone[k].tolist(),
            **{name: float(score[k]) for name, score in found.scores.items()},
        }
        for k, (kind, strategy) in enumerate(zip(found.kinds, found.strategies, strict=True))
    ]
    curves = {
        template: {str(steps): name for steps, name in curve.items()}
        for template, curve in found.curves.items()
    }
    head = {"format": FORMAT, "clips": found.clips, "adaptation": curves}
    return {**head, "kinds": kinds, "strategies": rows}


def _ends(taus: dict[str, Interval]) -> dict[str, dict[str, float | None]]:
    return {
        name: {end: _number(value) for end, value in vars(tau).items()}
        for name, tau in taus.items()
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
