"""The part of a report that shows a space: pictures, observations, numbers."""

from __future__ import annotations

from vdroppath_tf.analysis.observations import (
    Observation,
    higher_layers_want_time,
    lower_layers_fuse,
    scenes_want_space,
)
from vdroppath_tf.report.markup import Html, Node, join, tag
from vdroppath_tf.report.parts import absent_node, picture_node, table_node
from vdroppath_tf.report.pictures import PER_INPUT, space_pictures
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.tables import layer_table

_MARKS = {"holds": "✓", "holds narrowly": "≈", "does not hold": "✗"}


def space_section(task: TaskReport) -> Html:
    """Fig. 4's picture and others of the space, the paper's observations, and the numbers."""
    heading = tag("h3", "The space that was learned")
    shown = tag("div", map(picture_node, space_pictures(task)), class_="pair")
    missing = [absent_node(task, part) for part in ("history", "costs")]
    return join([heading, shown, *missing, _observed(task), _numbers(task)])


def observed(task: TaskReport) -> list[Observation]:
    """The paper's observations that can be asked of the task's spaces."""
    space, other = task.space, task.other
    found = []
    if len(space) > 1 and {"S", "ST"} <= {*space.branches}:
        found = [lower_layers_fuse(space), higher_layers_want_time(space)]
    if other is not None and other.complex_scenes is not None:
        names = [*task.both]
        found.append(scenes_want_space(task.both, [names[int(other.complex_scenes)]]))
    return found


def _observed(task: TaskReport) -> Html | None:
    found = observed(task)
    if not found:
        return None
    intro = "What the paper saw in its spaces (section 4), asked of this one and computed:"
    listed = tag("ul", map(_observation, found), class_="observed")
    missing = absent_node(task, "other")
    heading = tag("h3", "The paper's observations")
    return tag("div", heading, tag("p", intro), listed, missing, class_="box")


def _observation(found: Observation) -> Html:
    verdict = f"{_MARKS[found.verdict]} {found.verdict}"
    kind = "verdict " + found.verdict.replace(" ", "-")
    said: list[Node] = [
        tag("span", verdict, class_=kind),
        tag("strong", f"{found.number}. {found.claim[0].upper()}{found.claim[1:]}."),
        tag("div", tag("strong", "Strength: "), f"{found.strength}."),
        tag("div", f"{found.detail[0].upper()}{found.detail[1:]}", class_="small"),
    ]
    return tag("li", said)


def _numbers(task: TaskReport) -> Html:
    heads, lines = layer_table(task)
    texts = [[c if isinstance(c, str) else f"{c:.3f}" for c in line] for line in lines]
    caption = "Marginals in Eq. 7's form (1 − √p); “on in a draw” in the sampling form (1 − p)."
    if task.space.ragged:
        caption += f" {PER_INPUT}; all are means over inputs."
    table = tag("div", table_node(caption, heads, texts), class_="scroll")
    return tag("details", tag("summary", "The numbers behind these pictures"), table)
