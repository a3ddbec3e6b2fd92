"""task_of: builds a task's report from a space and the files of commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vdroppath_tf.names import named
from vdroppath_tf.report.classes import answers_of_tested, gains_of_tested
from vdroppath_tf.report.items import DataUsed, OtherSpace, Tested, check_strategies
from vdroppath_tf.report.records import TaskReport
from vdroppath_tf.report.scores_file import Scored
from vdroppath_tf.scoring.listed import SCORED, Draw
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

if TYPE_CHECKING:  # these import Keras, which a report of plain data does not need
    from vdroppath_tf.budget.choices import Choice
    from vdroppath_tf.cost import UnitCosts

_NOT_RECALIBRATED = f"{SCORED}; batch norm not recalibrated, which can cost it much"


@named
def task_of(
    space: ProbabilitySpace,
    name: str,
    description: str = "",
    *,
    scored: Scored | None = None,
    tested: Sequence[Tested] = (),
    history: Sequence[Any] | None = None,
    costs: UnitCosts | None = None,
    other: OtherSpace | None = None,
) -> TaskReport:
    """Builds the report of one space.

    Other fields of `TaskReport`, such as settings, can be added with `dataclasses.replace`.

    Args:
        space: `ProbabilitySpace`, the learned space.
        name: str, the name of the data it was learned on.
        description: str, a description of these data. Defaults to `""`.
        scored: `Scored`, from `read_scores`. Defaults to `None`.
        tested: Sequence of `Tested`, from `read_result`. Defaults to `()`.
        history: Sequence of the drop probabilities after each epoch with gates, from
            `read_history`. Defaults to `None`.
        costs: `UnitCosts` of the template (`cost.unit_costs`), for parameters, MACs and the front.
            Defaults to `None`.
        other: `OtherSpace`, a second space, for the paper's third observation. Defaults to `None`.

    Raises:
        ValueError: If scores or costs belong to another network than the space.

    Example:
    ```python
    task = task_of(space, "motion")
    write_report("report.html", Report("Motion", "2026-11-30, 2 cores", [task]))
    ```
    """
    fields: dict[str, Any] = {
        "tested": [_with_costs(one, space, costs) for one in tested],
        "front": _front(space, costs),
        "history": None if history is None else [space.initial, *history],
        "other": other,
        "answers": answers_of_tested(tested),
        "gains": gains_of_tested(tested),
    }
    data: list[DataUsed] = [one.data for one in tested]
    if scored is not None:
        fields |= _measured(space, scored, costs)
        fields["gains"] += [] if scored.gains is None else [scored.gains]
        data = [*scored.data, *data]
    return TaskReport(name, description, space, data=[*dict.fromkeys(data)], **fields)


def _front(space: ProbabilitySpace, costs: UnitCosts | None) -> tuple[Choice, ...]:
    """Returns the front by MACs; not with gates per input, when it may have millions of points."""
    if costs is None or space.per_input:
        return ()
    from vdroppath_tf.budget.choices import pareto

    return pareto(space, costs=costs)


def _measured(space: ProbabilitySpace, scored: Scored, costs: UnitCosts | None) -> dict[str, Any]:
    """Returns the fields from scores (draws, rows, selection), checked against the space."""
    check_scores(scored, space)
    found = scored.selection
    note = SCORED if scored.recalibrated else _NOT_RECALIBRATED
    clips, best = found.clips[1], {str(strategy) for strategy in found.confidence_set}
    rows = [replace(row, **_costs(row.strategy, costs), note=note) for row in found.rows]
    draws = [
        Draw.of(one, _costs(one.strategy, costs)["macs"], str(one.strategy) in best)
        for one in scored.scores
    ]
    return {
        "selection": found,
        "chosen": found.strategy,
        "chosen_as": "the selected strategy",
        "rows": rows,
        "draws": draws,
        "clips": clips,
        "classes": scored.classes,
        "chosen_on_same_clips": scored.data[0].digest == scored.data[1].digest,
    }


@named
def check_scores(scored: Scored, space: ProbabilitySpace) -> None:
    """Checks that scores belong to the space's network.

    Raises:
        ValueError: If they do not; the message names both networks, or the first strategy that does
            not fit.

    Example:
    ```python
    check_scores(read_scores("run/scores.json"), space)
    ```
    """
    if space.architecture not in (None, scored.architecture):
        raise ValueError(
            f"The scores belong to {scored.architecture!r}, the space to {space.architecture!r}. "
            "Expected scores of the space's template."
        )
    found = [score.strategy for score in scored.scores]
    found += [FusionStrategy.parse(r.strategy, scored.architecture) for r in scored.selection.rows]
    check_strategies(found, space, "The scores belong to another network", "scores")


def _costs(strategy: FusionStrategy | str, costs: UnitCosts | None) -> dict[str, Any]:
    if costs is None:
        return {"parameters": None, "macs": None}
    return dict(zip(("parameters", "macs"), costs.of(strategy), strict=True))


def _with_costs(one: Tested, space: ProbabilitySpace, costs: UnitCosts | None) -> Tested:
    """Adds a tested network's costs if its strategy is one of the space."""
    ours = one.network is not None and one.network == space.architecture
    if costs is None or not ours or not one.row.strategy:
        return one
    return replace(one, row=replace(one.row, **_costs(one.row.strategy, costs)))
