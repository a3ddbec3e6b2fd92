"""What ``vdroppath run`` prints before its first step: the plan, and the time of the training."""

from __future__ import annotations

import math
from pathlib import Path

from vdroppath_tf import data, training
from vdroppath_tf.commands import dry_run
from vdroppath_tf.commands.catalog import rates_differ
from vdroppath_tf.commands.run_plan import Step

LEVEL = 0.05
"""The error level of the confidence set of the best, the default of ``vdroppath evaluate``."""
_WORTH_SAYING = 0.2  # of the top-1: a smaller difference is what a choice is about


def plan_table(
    out: Path,
    recipe: training.Recipe,
    parts: dict[str, data.Manifest],
    steps: list[Step],
    lost: dict[str, str],
    rates: tuple[float, float] | None,
    draws: int,
) -> str:
    """Returns the plan as text.

    Args:
        out: The folder of the run.
        recipe: The recipe.
        parts: The videos.
        steps: The steps.
        lost: The names of the steps that were done, and what is lost of each, see ``done_steps``.
        rates: The lowest and the highest frame rate; None if clips do not depend on them.
        draws: The number of strategies that are drawn and scored.
    """
    train_videos = parts["train"]
    counts = ", ".join(f"{len(videos):,} {part}" for part, videos in parts.items())
    about = training.summary(recipe, len(train_videos))
    lines = [
        f"The plan of {out}:",
        f"  videos    {counts}; {train_videos.num_classes} classes",
        *(f"  {name:9s} {about[name]}" for name in ("network", "clips", "epochs", "batch", "seed")),
    ]
    if rates is not None and rates_differ(rates):
        lines.append(
            "  rates     {:.3g} to {:.3g} frames per second, so clips differ in duration; "
            "--fps={:.3g} samples them by time".format(*rates, rates[0])
        )
    few = few_to_choose(len(parts["validation"]), draws)
    lines += [f"  choice    {few}"] if few else []
    for n, step in enumerate(steps, 1):
        mark = "done" if lost.get(step.name) == "" else "    "
        lines.append(f"  {n} {mark} {step.name}: {step.line}")
        if lost.get(step.name):
            lines.append(f"         was done, but {lost[step.name]}: the step is repeated")
    return "\n".join(lines)


def few_to_choose(videos: int, draws: int) -> str:
    """Describes how little can be chosen on few validation videos; "" if they are enough.

    The confidence set leaves a strategy out if another is better in an exact paired test at the
    level ``LEVEL / draws``. With w videos that only the other answers right, and none that only
    this one does, the test's p-value is 2^-w.

    Args:
        videos: The number of validation videos.
        draws: The number of strategies that are drawn; the mode of the space comes on top.
    """
    wins = max(1, math.ceil(math.log2(draws / LEVEL)))
    if wins <= _WORTH_SAYING * videos:
        return ""
    least = math.ceil(wins / _WORTH_SAYING)
    remedy = f"For a better choice pass {least} or more (--validation), or fewer --draws."
    if wins > videos:
        return (
            f"{videos} validation videos cannot rule out any of {draws + 1} strategies, whatever "
            f"they answer: by the template's scores the cheapest will be selected. {remedy}"
        )
    return (
        f"{videos} validation videos can rule out only those of {draws + 1} strategies that answer "
        f"at least {wins} videos fewer than another one ({wins / videos:.0%}). {remedy}"
    )


def time_table(
    recipe: training.Recipe, parts: dict[str, data.Manifest], max_bad_fraction: float
) -> str:
    """Rehearses the first step, and returns the estimate of its time and memory as text.

    Args:
        recipe: The recipe of the run.
        parts: The videos.
        max_bad_fraction: The largest share of bad videos.
    """
    try:
        found = _rehearsed(recipe, parts, max_bad_fraction)
    except data.VideoError as error:  # the run itself sets bad videos aside before it trains
        return f"Time of step 1: not estimated, as a video cannot be read. {error}"
    return (
        "Time of step 1 on this machine, estimated from two steps of each phase; the other steps "
        f"come on top:\n{dry_run.table(found)}"
    )


def _rehearsed(
    recipe: training.Recipe, parts: dict[str, data.Manifest], max_bad_fraction: float
) -> training.Rehearsal:
    clips = training.Clips(parts["train"], parts["validation"], max_bad_fraction=max_bad_fraction)
    model = training.build_template(recipe, clips)
    return training.rehearse(model, recipe.template_phases(), recipe, clips)
