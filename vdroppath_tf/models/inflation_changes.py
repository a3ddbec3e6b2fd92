"""What a report says of an inflated network beside its weights."""

from __future__ import annotations

from typing import Any

from .inflation_plan import Plan
from .source_conventions import EPSILON, Convention, InputStatistics


def changes(plan: Plan, architecture: dict[str, Any]) -> tuple[str, ...]:
    """Where the 3D network and the 2D one differ for reasons other than time; sentences."""
    convention = plan.convention
    sentences = [*convention.changed]
    if architecture.get("shortcut", "pool") == "pool" and convention.family == "resnet":
        sentences.append(
            "The source's shortcut convolution with stride 2 runs here with stride 1 after an "
            "average-pool; shortcut='conv' builds it as in the source."
        )
    return (*sentences, *_made_up_for(convention, plan), *_paths(plan))


def _made_up_for(convention: Convention, plan: Plan) -> list[str]:
    sentences = []
    if convention.statistics != InputStatistics():
        sentences.append(
            "The stem takes this package's input, not the source's (BGR, other mean and scale): "
            "exact but at the border of the picture, where padding stands for another colour."
            if convention.statistics.bgr
            else "The stem takes this package's input, not the source's (-1 to 1): exact but at "
            "the border of the picture, where padding stands for another colour."
        )
    if convention.epsilon != EPSILON:
        sentences.append(
            f"Moving variances make up for the source's epsilon of {convention.epsilon:g} "
            f"(here {EPSILON:g}): exact at inference."
        )
    if plan.folded:
        sentences.append(
            f"Moving means hold the {len(plan.folded)} biases of the source's convolutions: exact "
            "where one path is on or the sum of the paths is normalised."
        )
    return sentences


def _paths(plan: Plan) -> list[str]:
    summed = sum(n > 1 for n in plan.paths.values())
    sentences = []
    if summed and plan.divide:
        sentences.append(
            f"{summed} layers start at the 2D response with both paths on, at less with one."
        )
    elif summed:
        sentences.append(
            f"{summed} layers start at twice the 2D response with both paths on; "
            "scaling='normalized' makes that once."
        )
    if any("temporal" in path.split("/") for path in plan.new):
        sentences.append("The T paths are new: what they add is random until they are trained.")
    return sentences
