"""The headline of a report: the network's accuracy, and its gain over uniform ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vdroppath_tf.analysis.numbers import percent, points
from vdroppath_tf.names import named
from vdroppath_tf.report.comparisons import honest_error
from vdroppath_tf.report.formats import SAME_COST, compared_cost
from vdroppath_tf.report.items import Tested
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.scoring.listed import Row
from vdroppath_tf.spaces.diagnosis import diagnose
from vdroppath_tf.spaces.strategy import FusionStrategy

CLOSE = 0.05
"""The largest difference, as a share of clips, that counts as equally accurate."""

_NEITHER = "not clearly different from"
_TEMPLATES_WEIGHTS = "With the template's weights, which are not trained for one strategy: "
_BY_TRIALS = " Chosen among strategies trained stand-alone (trials), not by the template's scores."


@named
@dataclass(frozen=True)
class Gain:
    """The chosen strategy against one uniform strategy, on the same clips.

    Args:
        chosen: The row of the chosen strategy.
        rival: The row of the uniform one.
        difference: The top-1 of the chosen one minus that of the uniform one.
        error: The standard error of `difference`.
        low: The lower end of its 95 % interval.
        high: The upper end.
    """

    chosen: Row
    rival: Row
    difference: float
    error: float
    low: float
    high: float

    @classmethod
    def unpaired(cls, chosen: Row, rival: Row, clips: int, rival_clips: int) -> Gain:
        """Computes the gain from two accuracies that were measured separately."""
        error = math.hypot(honest_error(chosen, clips), honest_error(rival, rival_clips))
        apart = chosen.top1 - rival.top1
        return cls(chosen, rival, apart, error, apart - 2 * error, apart + 2 * error)

    @classmethod
    def paired(cls, chosen: Row, rival: Row) -> Gain | None:
        """Computes the gain from a paired difference in the rival's row; None without one."""
        found = rival.difference
        if found is None:
            return None
        error = (found.high - found.low) / 4  # the interval spans about four standard errors
        return cls(chosen, rival, -found.value, error, -found.high, -found.low)

    @property
    def cost(self) -> float | None:
        """The chosen one's multiply-adds divided by the rival's; None if unknown."""
        if not self.chosen.macs or not self.rival.macs:
            return None
        return self.chosen.macs / self.rival.macs

    @property
    def cheaper(self) -> bool:
        """Whether the chosen one has clearly fewer multiply-adds."""
        return self.cost is not None and self.cost < 1 - SAME_COST


@named
def headline(task: TaskReport) -> str | None:
    """Returns the headline, computed from rows and intervals; None if nothing was measured.

    It is based on tested networks if there are any, else on a run's rows, else on the scores of a
    selection. If the chosen strategy's network was tested without uniform ones, its accuracy comes
    first.
    """
    compared = _of_tested(task)
    if compared:
        return _sentence(task, *compared) + _how_chosen(task)
    compared = _of_rows(task)
    if compared:
        by_itself = _how_chosen(task) or _strategy_by_itself(task, *compared)
        return _sentence(task, *compared) + by_itself
    compared = _of_selection(task)
    scored = _TEMPLATES_WEIGHTS + _sentence(task, *compared) if compared else None
    return " ".join(filter(None, [_by_itself(task), scored])) or None


def _how_chosen(task: TaskReport) -> str:
    """How trials decided; "" where there were none."""
    if task.trials is None:
        return ""
    if task.by_trials or task.trials.rival is None:
        return _BY_TRIALS
    return (
        f" It is {task.trials.rival}: the one that trials chose and trained does not have a higher "
        "top-1 on the validation videos."
    )


@named
def headlines(report: Report) -> list[tuple[str, str]]:
    """Returns the headlines of a report with their tasks' names, or "" if there is only one."""
    found = [(task.name, _with_collapse(task)) for task in report.tasks]
    if len(report.tasks) > 1:
        return [(name, sentence) for name, sentence in found if sentence]
    return [("", sentence[0].upper() + sentence[1:]) for _, sentence in found if sentence]


def _with_collapse(task: TaskReport) -> str | None:
    """Returns the headline, after a warning of a collapsed space if needed."""
    found = diagnose(task.space)
    first = found.sentences()[0] if found.collapsed else None
    sentence = headline(task)
    if first is None or sentence is None:
        return first or sentence
    return f"{first} {sentence[0].upper()}{sentence[1:]}"


def _of_tested(task: TaskReport) -> tuple[list[Gain], int] | None:
    """Compares the chosen strategy's network with uniform ones tested on the same clips."""
    networks = [one for one in task.tested if one.row.strategy]
    for one in _networks_of_chosen(task):
        gains = [
            Gain.unpaired(one.row, other.row, one.data.scored or 1, other.data.scored or 1)
            for other in networks
            if _is_uniform(other.row.strategy)
            and (other.data.digest, other.data.protocol) == (one.data.digest, one.data.protocol)
        ]
        if gains:
            return gains, one.data.scored or 1
    return None


def _networks_of_chosen(task: TaskReport) -> list[Tested]:
    """Returns the tested networks of the chosen strategy."""
    if task.chosen is None:
        return []
    chosen, layers = str(task.chosen), len(task.space)
    return [
        one for one in task.tested if one.row.strategy and _same(one.row.strategy, chosen, layers)
    ]


def _by_itself(task: TaskReport) -> str | None:
    """Describes the chosen strategy's network if no uniform one was tested with it."""
    found = _networks_of_chosen(task)
    if not found:
        return None
    row, clips = found[0].row, found[0].data.scored
    low, high = row.ends(clips)
    on = "the test videos" if clips is None else f"{clips:,} test videos"
    guessing = ""
    if task.chance is not None:
        guessing = f", {_against(low, high, task.chance)} guessing ({percent(task.chance)})"
    return (
        f"the chosen strategy's network answers {percent(row.top1)} of {on} right (95 % interval "
        f"{percent(low)} to {percent(high)}){guessing}; no uniform network was tested on them."
    )


def _of_rows(task: TaskReport) -> tuple[list[Gain], int] | None:
    """Compares the chosen strategy's row, trained if possible, with stand-alone uniform rows."""
    chosen, rivals = task.trained or task.best, task.uniforms().values()
    if chosen is None or not rivals or task.clips is None:
        return None
    return [Gain.unpaired(chosen, rival, task.clips, task.clips) for rival in rivals], task.clips


def _strategy_by_itself(task: TaskReport, gains: Sequence[Gain], clips: int) -> str:
    """Compares the chosen strategy, trained stand-alone, with the uniform ones."""
    row, best = task.retrained, max(gains, key=lambda gain: gain.rival.top1)
    if row is None or row is best.chosen:
        return ""
    own = Gain.unpaired(row, best.rival, clips, clips)
    apart = f"{points(own.difference)} ± {100 * own.error:.1f} points"
    way = _against(own.low, own.high)
    sentence = f" Trained stand-alone just as long, the chosen strategy is {way} it ({apart})"
    if best.low > 0 >= own.low:
        sentence += ": the gain lies in the training of the template, not in the strategy"
    return f"{sentence}."


def _of_selection(task: TaskReport) -> tuple[list[Gain], int] | None:
    """Compares the selected strategy with the uniform controls, paired by clip."""
    if task.selection is None or task.best is None or task.clips is None:
        return None
    rows = [row for row in task.rows[1:] if _is_uniform(row.strategy)]
    gains = [gain for row in rows if (gain := Gain.paired(task.best, row)) is not None]
    return (gains, task.clips) if gains else None


def _sentence(task: TaskReport, gains: Sequence[Gain], clips: int) -> str:
    best = max(gains, key=lambda gain: gain.rival.top1)
    unlearned = _near_chance(task, [best.chosen, *(gain.rival for gain in gains)], clips)
    if unlearned is not None:
        return unlearned
    if _is_uniform(best.chosen.strategy):
        return f"nothing was gained: the chosen strategy is a uniform one, {_name(best.chosen)}."
    if best.low > 0:
        return _better(best, clips)
    if best.high < 0:
        return _worse(best, clips)
    return _alike(best, gains, clips)


def _near_chance(task: TaskReport, rows: Sequence[Row], clips: int) -> str | None:
    """Says that no row is clearly better than guessing; None if one is, or chance is unknown."""
    ends = [row.ends(clips) for row in rows]
    if task.chance is None or any(low > task.chance for low, _ in ends):
        return None
    many = max(high for _, high in ends) - task.chance <= CLOSE
    sure = (
        "nothing was learned" if many else f"{clips:,} clips do not show that anything was learned"
    )
    return (
        f"{sure}: neither the chosen strategy nor any uniform one is clearly better than guessing "
        f"({percent(task.chance)})."
    )


def _better(best: Gain, clips: int) -> str:
    return (
        f"{_apart(best.difference, best.error)} better than the best uniform network, "
        f"{_name(best.rival)} ({_scores(best, clips)}){_with_cost(best)}."
    )


def _worse(best: Gain, clips: int) -> str:
    return (
        f"{_apart(-best.difference, best.error)} worse than the best uniform network, "
        f"{_name(best.rival)} ({_scores(best, clips)}){_with_cost(best)}."
    )


def _alike(best: Gain, gains: Sequence[Gain], clips: int) -> str:
    """Describes a result without a clear difference in accuracy: the cost may still differ."""
    as_good = [gain for gain in gains if gain.low <= 0 and not gain.cheaper]
    if as_good:
        rival = min(as_good, key=lambda gain: gain.rival.macs or math.inf)
        apart = f"{points(rival.difference)} ± {100 * rival.error:.1f} points"
        return (
            f"nothing was gained: the chosen strategy is not clearly better than "
            f"{_name(rival.rival)} ({_scores(rival, clips)}: {apart}){_with_cost(rival)}."
        )
    within = max(0.0, -best.low)
    if within <= CLOSE:
        return (
            f"as accurate as the best uniform network, {_name(best.rival)}, to within "
            f"{100 * within:.1f} points ({_scores(best, clips)}){_with_cost(best)}."
        )
    return (
        f"{_NEITHER} the best uniform network, {_name(best.rival)} "
        f"({_scores(best, clips)}){_with_cost(best)}; with so few clips it may be up to "
        f"{100 * within:.0f} points worse."
    )


def _against(low: float, high: float, value: float = 0.0) -> str:
    """Compares an interval with a value."""
    if low > value:
        return "better than"
    return "worse than" if high < value else _NEITHER


def _apart(value: float, error: float) -> str:
    return f"{100 * value:.1f} ± {100 * error:.1f} points"


def _scores(gain: Gain, clips: int) -> str:
    pair = f"{percent(gain.chosen.top1)} against {percent(gain.rival.top1)}"
    return f"{pair} on {clips:,} clips"


def _with_cost(gain: Gain) -> str:
    if gain.cost is None:
        return ""
    return f", with {compared_cost(gain.cost)}"


def _name(row: Row) -> str:
    return f"{row.strategy.split()[0]} everywhere"


def _is_uniform(strategy: str) -> bool:
    return len({*strategy.split()}) == 1


def _same(strategy: str, chosen: str, layers: int) -> bool:
    """Whether two texts are the same strategy; a uniform one may be given by its unit."""
    units = strategy.split()
    units = units * layers if len(units) == 1 else units
    return str(FusionStrategy.parse(" ".join(units))) == str(FusionStrategy.parse(chosen))
