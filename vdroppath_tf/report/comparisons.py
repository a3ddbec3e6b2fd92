"""Sentences that compare a task's accuracies: single frames, the choice, the draws."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.names import named
from vdroppath_tf.report.formats import SAME_COST, compared_cost, score
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.scoring.listed import DRAWN, Row


@named
def frames_alone(task: TaskReport) -> str | None:
    """Describes the accuracy of a network that never mixes frames inside its layers."""
    row, best, clips, chance = task.uniform("S"), task.best, task.clips, task.chance
    if row is None or best is None or clips is None or chance is None:
        return None
    above, error = row.top1 - chance, honest_error(row, clips)
    reach = f"reaches {percent(row.top1)} (guessing: {percent(chance)})"
    others = [*(row for unit, row in task.uniforms().items() if unit != "S"), best]
    better = [other for other in others if clearly_better(other, row, clips)]
    if above <= 2 * error and better:
        return (
            f"S everywhere is at chance: it {reach}. Single frames do not answer this task, "
            f"so the accuracy of the other rows comes from motion."
        )
    if above <= 2 * error:
        return (
            f"S everywhere is at chance: it {reach}, and no row is clearly better. Nothing was "
            f"learned, so the ranking in the table has no meaning."
        )
    others, better = others[:-1], [row for row in better if row is not best]
    if others and not better:
        return f"S everywhere {reach}, and no uniform row with a path in time is clearly better."
    tail = f"; {better[0].strategy.split()[0]} everywhere is clearly better" if better else ""
    return f"S everywhere {reach}, above chance{tail}."


@named
def best_draw(task: TaskReport) -> str | None:
    """Compares the chosen strategy with the best uniform one."""
    best, clips = task.best, task.clips
    rivals = [*task.uniforms().values()]
    if not rivals or best is None or clips is None:
        return None
    rival = max(rivals, key=lambda row: row.top1)
    unit = rival.strategy.split()[0]
    others = f"{score(rival, clips)} for {unit} everywhere, the best uniform row"
    scores = f"{score(best, clips)} against {others}"
    chosen = "The chosen strategy"
    if task.trained is not None and best is not task.trained:
        chosen = "With the template's weights as they are, the chosen strategy"
    if clearly_better(best, rival, clips):
        verdict = f"{chosen} wins: {scores}"
    elif clearly_better(rival, best, clips):
        verdict = f"{chosen} loses: {scores}"
    else:
        verdict = (
            f"{chosen} is not clearly better or worse than the best uniform row: "
            f"{scores}, less than two standard errors apart"
        )
    said = (f"{verdict}.", _cost(best, rival, unit), _biased(task, best))
    return " ".join(sentence for sentence in said if sentence)


def _cost(best: Row, rival: Row, unit: str) -> str:
    if not rival.macs or not best.macs:
        return ""
    ratio = best.macs / rival.macs
    than = "as" if abs(ratio - 1) < SAME_COST else "than"
    return f"It costs {compared_cost(ratio)} {than} {unit} everywhere."


def _biased(task: TaskReport, best: Row) -> str:
    """Describes the selection bias of a score on the clips used for the choice."""
    if not task.chosen_on_same_clips or len(task.draws) < 2 or best.note != DRAWN:
        return ""
    return (
        f"It is the best of {len(task.draws)} draws on the clips it is scored on, so its score "
        f"has a selection bias (winner's curse)."
    )


@named
def spread(task: TaskReport) -> str | None:
    """Describes whether the draws differ by more than the noise of measuring them."""
    most = max((draw.clips or 0 for draw in task.draws), default=0)
    clips = most or task.clips
    scores = [draw.top1 for draw in task.draws if draw.clips in (None, most)]
    if len(scores) < 2 or clips is None:
        return None
    low, high = min(scores), max(scores)
    typical = float(np.median(scores))
    error = max(np.sqrt(typical * (1 - typical) / clips), 1.5 / clips)
    # The range of n equal draws is about 2 * sqrt(2 ln n) standard errors.
    expected = 2 * np.sqrt(2 * np.log(len(scores))) * error
    between = (
        f"The {len(scores)} different draws (equal ones count once) lie between "
        f"{percent(low)} and {percent(high)} (median {percent(typical)})"
    )
    if high - low <= expected:
        return f"{between}, no wider than repeated measurements of one: their ranking is noise."
    return f"{between}, wider than the noise of measuring them: the choice of a draw matters."


@named
def clearly_better(row: Row, other: Row, clips: int) -> bool:
    """Whether two accuracies differ by more than two standard errors of their difference."""
    errors = honest_error(row, clips), honest_error(other, clips)
    return row.top1 - other.top1 > 2 * float(np.hypot(*errors))


@named
def honest_error(row: Row, clips: int) -> float:
    """Returns a standard error that is positive at 0 % and 100 %: half of the rule of three."""
    return max(row.standard_error, 1.5 / clips)
