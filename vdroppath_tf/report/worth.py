"""Sentences and pictures on the worth of each layer's choice, and on calibration."""

from __future__ import annotations

import math
from functools import partial

from vdroppath_tf.analysis.calibration import Calibration, calibration
from vdroppath_tf.figures.calibration import figure_calibration
from vdroppath_tf.figures.worth import figure_worth
from vdroppath_tf.names import named
from vdroppath_tf.report.pictures import Picture
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.tables import Table
from vdroppath_tf.scoring.intervals import Interval
from vdroppath_tf.scoring.scores import StrategyScore
from vdroppath_tf.spaces.strategy import FusionStrategy

_FEWEST = 4  # the smallest number of draws for which an order is tested


@named
def scored_draws(task: TaskReport) -> list[StrategyScore]:
    """Returns the possible draws, each once; none if they are too few for an order."""
    found = {
        draw.strategy: StrategyScore(
            FusionStrategy.parse(draw.strategy), draw.top1, draw.top5 or draw.top1, draw.clips
        )
        for draw in task.draws
        if draw.clips is not None
    }
    whole = max((score.clips for score in found.values()), default=0)
    scores = [
        score
        for score in found.values()
        if score.clips == whole and math.isfinite(task.space.log_prob(score.strategy))
    ]
    return scores if len(scores) >= _FEWEST else []


@named
def known(task: TaskReport) -> Calibration:
    """Computes whether the space's probabilities agree with measurements."""
    return calibration(task.space, scores=scored_draws(task), worth=task.worth)


@named
def worth_sentences(task: TaskReport) -> list[str]:
    """Describes the worth of layers, and whether probabilities predict accuracy."""
    found = known(task)
    said = [] if task.worth is None else [task.worth.verdict]
    if found.draws is not None:
        said.append(
            f"Does a probability mean something? The log-probability of {len(scored_draws(task))} "
            f"draws and their accuracy: tau {_tau(found.draws)}. {_meaning(found.draws)}"
        )
    if found.layers is not None:
        said.append(
            "Layers in which the space has decided (low entropy) are worth more: tau "
            f"{_tau(found.layers)}. {_meaning(found.layers)}"
        )
    if found.swaps:
        told = {"sampling": "as sampled (p)", "paper": "by Eq. 7 (√p)"}
        taus = "; ".join(f"{told[form]} {_tau(tau)}" for form, tau in found.swaps.items())
        said.append(
            f"The log-odds of the chosen unit over another and what the other costs: tau {taus}."
        )
    return said


def _tau(tau: Interval) -> str:
    if math.isnan(tau.value):
        return "unknown, as all are equal"
    return f"{tau.value:+.2f} [{tau.low:+.2f}, {tau.high:+.2f}]".replace("-", "\N{MINUS SIGN}")


def _meaning(tau: Interval) -> str:
    if math.isnan(tau.value) or tau.low <= 0 <= tau.high:
        return "This may be due to chance."
    return "So it does." if tau.value > 0 else "The opposite holds."


@named
def worth_pictures(task: TaskReport) -> list[Picture]:
    """Returns the pictures of the cost of every swap, and of accuracy over log-probability."""
    pictures = []
    if task.worth is not None:
        worth = task.worth
        caption = (
            f"Cost of swapping the unit of one layer of {worth.strategy}, in points of top-1 on "
            f"{worth.clips:,} clips, with a paired 95 % interval for each; the other layers "
            "are unchanged. Above 0 the chosen unit, written on top, is better. The dark line "
            "is the mean: what the layer's choice is worth."
        )
        told = (
            f"{worth.layers[swap.layer]} {swap.unit} {100 * worth.cost(swap).value:+.1f}"
            for swap in worth.swaps
        )
        draw = partial(figure_worth, worth, task.space)
        alt = f"{caption} {', '.join(told)}"
        pictures.append(Picture("worth", caption, alt, draw, len(task.space) > 10))
    scores = scored_draws(task)
    if scores:
        caption = (
            "Does a probability mean something? The accuracy of each draw, with its 95 % interval, "
            "over the logarithm of how often the space draws it."
        )
        draw = partial(figure_calibration, task.space, scores)
        pictures.append(Picture("calibration", caption, f"{caption} {len(scores)} draws.", draw))
    return pictures


@named
def worth_table(task: TaskReport) -> Table:
    """Returns the cost of every swap, one in each line."""
    heads = ["strategy", "layer", "chosen", "unit", "wins", "losses", "clips"]
    heads += ["cost", "low", "high"]
    if task.worth is None:
        return heads, []
    worth, lines = task.worth, []
    for swap in worth.swaps:
        cost, n = worth.cost(swap), swap.layer
        lines.append(
            [
                *(str(worth.strategy), worth.layers[n], str(worth.strategy[n]), str(swap.unit)),
                *(swap.wins, swap.losses, worth.clips, cost.value, cost.low, cost.high),
            ]
        )
    return heads, lines
