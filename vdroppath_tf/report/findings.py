"""Describes the results of a task in sentences, including that there are none."""

from __future__ import annotations

from vdroppath_tf.analysis.observations import (
    Observation,
    higher_layers_want_time,
    lower_layers_fuse,
    scenes_want_space,
)
from vdroppath_tf.names import named
from vdroppath_tf.report.choice import chosen
from vdroppath_tf.report.comparisons import best_draw, frames_alone, spread
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.trial_words import trial_sentences
from vdroppath_tf.spaces.diagnosis import NEAR_START, diagnose
from vdroppath_tf.spaces.space import ProbabilitySpace

# The difference of mean P(S on) and mean P(ST on) from which on a space "leans".
LEANS = 0.1


@named
def findings(task: TaskReport) -> list[str]:
    """Returns all sentences about a task: its space, single frames, choice, served network.

    The first state what decided the space and whether it has collapsed, which affects the rest.
    """
    found: list[str | None] = [*diagnose(task.space).sentences()]
    found += [space_moved(task), space_leans(task), apart(task)]
    found += [frames_alone(task), best_draw(task)]
    found += [*chosen(task), spread(task)]
    found += [] if task.trials is None else trial_sentences(task.trials)
    found += [served(task)]
    return [sentence for sentence in found if sentence]


@named
def served(task: TaskReport) -> str | None:
    """Describes how many of the served network's answers were correct."""
    if not task.predictions:
        return None
    correct = sum(answer.label == answer.predicted for answer in task.predictions)
    shown = len(task.predictions)
    return f"The served network answered {correct} of the {shown} clips below correctly."


@named
def space_moved(task: TaskReport) -> str:
    """Describes whether, and where, the posterior has left its initial values."""
    distance = task.space.distance_from_start()
    moved, layers = int((distance >= NEAR_START).sum()), len(distance)
    if not moved:
        return (
            f"The space stayed near its start: no layer's marginals moved by {NEAR_START:g} or "
            f"more in total variation (at most {distance.max():.2f}). Training has not "
            f"decided the units of this task, or not yet."
        )
    farthest = task.space.layers[int(distance.argmax())]
    return (
        f"The marginals of {moved} of {layers} layers moved by {NEAR_START:g} or more in total "
        f"variation, {distance.mean():.2f} on average; the farthest is {farthest} "
        f"({distance.max():.2f})."
    )


@named
def mean_on(space: ProbabilitySpace, layers: slice = slice(None)) -> dict[str, float]:
    """Returns the mean probability that each branch is on in a draw (sampling form).

    The mean is over the layers that have the branch and, with gates per input, first over each
    layer's inputs. ``layers`` selects some of the layers, by default all.
    """
    pairs = zip(space.path_on(form="sampling").items(), space.gated.T, strict=True)
    some = [(branch, values[layers], has[layers]) for (branch, values), has in pairs]
    return {branch: float(values[has].mean()) for branch, values, has in some if has.any()}


@named
def space_leans(task: TaskReport) -> str | None:
    """Describes whether draws prefer the spatial or the temporal path.

    The lower or the upper layers are named if they lean to another side than the mean of all.
    """
    on, middle = mean_on(task.space), len(task.space) // 2
    if not {"S", "ST"} <= set(on):
        return None
    others = ""
    for name, layers in (("lower", slice(middle)), ("upper", slice(middle, None))):
        part = mean_on(task.space, layers)
        if (side := _side(part)) not in (None, _side(on)):
            count = len(task.space.layers[layers])
            others += f" The {name} {count} of {len(task.space)} layers lean to {side}: "
            others += f"S {part['S']:.2f}, ST {part['ST']:.2f}."
    numbers = (
        f"averaged over layers, a draw has the path S (one frame) on with probability "
        f"{on['S']:.2f} and the path ST (three frames) with {on['ST']:.2f}"
    )
    side = _side(on)
    leans = "neither to space nor to time" if side is None else f"to {side}"
    return f"It leans {leans}: {numbers}.{others}"


def _side(on: dict[str, float]) -> str | None:
    if not {"S", "ST"} <= set(on) or abs(on["S"] - on["ST"]) < LEANS:
        return None
    return "space" if on["S"] > on["ST"] else "time"


@named
def apart(task: TaskReport) -> str | None:
    """Describes the distance of the space from the other one."""
    found = task.comparison
    if found is None:
        return None
    layer = int(found.between[0, 1].argmax())
    return (
        f"Its marginals differ from those of {found.names[1]} by {found.distance[0, 1]:.2f} in "
        f"total variation, averaged over layers; most in {found.layers[layer]} "
        f"({found.between[0, 1, layer]:.2f})."
    )


@named
def observed(task: TaskReport) -> list[Observation]:
    """Returns the paper's observations that can be tested on the task's spaces."""
    space, other = task.space, task.other
    found = []
    if len(space) > 1 and {"S", "ST"} <= {*space.branches}:
        found = [lower_layers_fuse(space), higher_layers_want_time(space)]
    if other is not None and other.complex_scenes is not None:
        names = [*task.both]
        found.append(scenes_want_space(task.both, [names[int(other.complex_scenes)]]))
    return found
