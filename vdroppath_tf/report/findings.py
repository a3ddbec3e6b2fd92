"""What the numbers of a task say, in sentences; and when they say nothing, a sentence for that."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.analysis.numbers import percent
from vdroppath_tf.analysis.observations import NEAR_START
from vdroppath_tf.report.beside import apart
from vdroppath_tf.report.choice import chosen
from vdroppath_tf.report.numbers import score
from vdroppath_tf.report.records import DRAWN, Row, TaskReport
from vdroppath_tf.spaces.space import ProbabilitySpace

# Total variation between a layer's marginals and their start below which it "stayed".
# Difference of mean P(S on) and mean P(ST on) from which a space "leans".
LEANS = 0.1


def findings(task: TaskReport) -> list[str]:
    """All sentences about a task: its space, single frames, the choice, the served network."""
    found = [space_moved(task), space_leans(task), apart(task)]
    found += [frames_alone(task), best_draw(task)]
    found += [*chosen(task), spread(task), served(task)]
    return [sentence for sentence in found if sentence]


def space_moved(task: TaskReport) -> str:
    """Whether the posterior has left its starting values, and where."""
    distance = task.space.distance_from_start()
    moved, layers = int((distance >= NEAR_START).sum()), len(distance)
    if not moved:
        return (
            f"The space stayed near its start: no layer's marginals moved by {NEAR_START:g} or "
            f"more in total variation (at most {distance.max():.2f}). Training has told us "
            f"nothing about which units this task wants, or not yet."
        )
    farthest = task.space.layers[int(distance.argmax())]
    return (
        f"The marginals of {moved} of {layers} layers moved by {NEAR_START:g} or more in total "
        f"variation, {distance.mean():.2f} on average; the farthest is {farthest} "
        f"({distance.max():.2f})."
    )


def mean_on(space: ProbabilitySpace) -> dict[str, float]:
    """Mean of each branch's probability of being on in a draw (sampling form).

    It is over the layers that have the branch and, in a ragged space, over each layer's inputs
    first.
    """
    on = space.path_on(form="sampling")
    layers = {branch: np.array([np.mean(layer) for layer in on[branch]]) for branch in on}
    pairs = zip(layers.items(), space.gated.T, strict=True)
    return {branch: float(values[has].mean()) for (branch, values), has in pairs if has.any()}


def space_leans(task: TaskReport) -> str | None:
    """Whether draws keep the path in space or the path in time."""
    on = mean_on(task.space)
    if not {"S", "ST"} <= set(on):
        return None
    numbers = (
        f"averaged over layers, a draw has the path S (one frame) on with probability "
        f"{on['S']:.2f} and the path ST (three frames) with {on['ST']:.2f}"
    )
    if abs(on["S"] - on["ST"]) < LEANS:
        return f"It leans neither to space nor to time: {numbers}."
    return f"It leans to {'space' if on['S'] > on['ST'] else 'time'}: {numbers}."


def frames_alone(task: TaskReport) -> str | None:
    """What a network that never mixes frames inside its layers reaches."""
    row, best, clips, chance = task.uniform("S"), task.best, task.clips, task.chance
    if row is None or best is None or clips is None or chance is None:
        return None
    above, error = row.top1 - chance, honest_error(row, clips)
    reach = f"reaches {percent(row.top1)} (guessing: {percent(chance)})"
    others = [*(row for unit, row in task.uniforms().items() if unit != "S"), best]
    better = [other for other in others if clearly_better(other, row, clips)]
    if above <= 2 * error and better:
        return (
            f"S everywhere is at chance: it {reach}. Frames taken one at a time do not answer "
            f"this task, so what the other rows know comes from motion."
        )
    if above <= 2 * error:
        return (
            f"S everywhere is at chance: it {reach}, and no row is clearly better. Nothing was "
            f"learned here, so the table ranks nothing."
        )
    others, better = others[:-1], [row for row in better if row is not best]
    if others and not better:
        return f"S everywhere {reach}, and no uniform row with a path in time is clearly better."
    tail = f"; {better[0].strategy.split()[0]} everywhere is clearly better" if better else ""
    return f"S everywhere {reach}, above chance{tail}."


def best_draw(task: TaskReport) -> str | None:
    """How the chosen strategy compares with the best uniform one."""
    best, clips = task.best, task.clips
    rivals = [*task.uniforms().values()]
    if not rivals or best is None or clips is None:
        return None
    rival = max(rivals, key=lambda row: row.top1)
    unit = rival.strategy.split()[0]
    scores = f"{score(best)} against {score(rival)} for {unit} everywhere, the best uniform row"
    if clearly_better(best, rival, clips):
        verdict = f"The chosen strategy wins: {scores}"
    elif clearly_better(rival, best, clips):
        verdict = f"The chosen strategy loses: {scores}"
    else:
        verdict = (
            f"The chosen strategy cannot be told from the best uniform row: {scores}, less than "
            f"two standard errors apart"
        )
    return f"{verdict}. {_cost(best, rival, unit)}{_flattered(task, best)}"


def _cost(best: Row, rival: Row, unit: str) -> str:
    if not rival.macs or not best.macs:
        return ""
    ratio = best.macs / rival.macs
    if abs(ratio - 1) < 0.005:
        return f"It costs the same multiply-adds as {unit} everywhere."
    more = "more" if ratio > 1 else "fewer"
    return f"It costs {percent(abs(ratio - 1), 0)} {more} multiply-adds than {unit} everywhere."


def _flattered(task: TaskReport, best: Row) -> str:
    if not task.chosen_on_same_clips or len(task.draws) < 2 or best.note != DRAWN:
        return ""
    return (
        f" It is the best of {len(task.draws)} draws on the clips it is scored on, which "
        f"flatters it a little."
    )


def spread(task: TaskReport) -> str | None:
    """Whether the draws differ by more than the noise of measuring them."""
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
        f"The {len(scores)} draws lie between {percent(low)} and {percent(high)} "
        f"(median {percent(typical)})"
    )
    if high - low <= expected:
        return f"{between}, no wider than measuring one strategy that often: they rank nothing."
    return f"{between}, wider than the noise of measuring them: the choice of a draw matters."


def served(task: TaskReport) -> str | None:
    """How often the served network was right on the clips shown."""
    if not task.predictions:
        return None
    right = sum(answer.label == answer.predicted for answer in task.predictions)
    shown = len(task.predictions)
    return f"The served network got {right} of the {shown} clips below right."


def clearly_better(row: Row, other: Row, clips: int) -> bool:
    """Whether two accuracies differ by more than two standard errors of their difference."""
    errors = honest_error(row, clips), honest_error(other, clips)
    return row.top1 - other.top1 > 2 * float(np.hypot(*errors))


def honest_error(row: Row, clips: int) -> float:
    """A standard error that is not 0 at 0 % or 100 %: there, half of the rule of three's 3/n."""
    return max(row.standard_error, 1.5 / clips)
