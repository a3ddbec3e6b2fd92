"""The report of an inflation: what became of every weight, and what no weight could make up for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras

from vdroppath_tf.layers.normalization import EPSILON
from vdroppath_tf.models.conventions import Convention, InputStatistics
from vdroppath_tf.models.families import row_in
from vdroppath_tf.models.inflation.plan import Plan
from vdroppath_tf.models.inflation.sources import Source
from vdroppath_tf.names import named


@named
@dataclass(frozen=True)
class InflationReport:
    """Lists every weight of both networks once, and what became of it.

    Attributes:
        source: file or model, and the kind of network it holds.
        copied: paths of the weights that have a 2D value as it is, with a time axis.
        repeated: paths of the kernels that have it repeated over time, divided by its length.
        new: paths of the weights that are left as they were.
        used: the source's names that went into ``copied`` and ``repeated``.
        unused: the source's names that went nowhere.
        changed: how the network differs from the 2D one for reasons other than time; sentences.

    Example:
    ```python
    source = keras.applications.ResNet50(weights="imagenet")
    report = vdroppath_tf.inflate(vdroppath_tf.zoo.template_resnet50(), source)
    print(len(report.copied), len(report.repeated), report.new)
    ```
    """

    source: str
    copied: tuple[str, ...]
    repeated: tuple[str, ...]
    new: tuple[str, ...]
    used: tuple[str, ...]
    unused: tuple[str, ...]
    changed: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"From {self.source}: {len(self.used)} weights used"]
        lines += [f"{len(self.copied)} copied, {len(self.repeated)} repeated over time"]
        for title in ("new", "unused"):
            names = getattr(self, title)
            lines += [f"{len(names)} {title}: {first(names, ', ')}"] if names else []
        return "\n".join([*lines, *(f"Changed: {sentence}" for sentence in self.changed)])


def report_of(
    model: keras.Model, source: Source, plan: Plan, architecture: dict[str, Any]
) -> InflationReport:
    """The report of a plan that was carried out."""
    longer = {v.path for v in model.weights if len(v.shape) == 5 and v.shape[0] > 1}
    return InflationReport(
        source=f"{source.origin} ({plan.convention.title})",
        copied=tuple(path for path in plan.values if path not in longer),
        repeated=tuple(path for path in plan.values if path in longer),
        new=tuple(plan.new),
        used=tuple(name for name in source.weights if name in plan.used),
        unused=tuple(name for name in source.weights if name not in plan.used),
        changed=_changes(plan, architecture),
    )


def first(names: Iterable[str], separator: str) -> str:
    """The first six of them, and how many more there are."""
    found = list(names)
    more = [f"and {len(found) - 6} more"] if len(found) > 6 else []
    return separator.join([*found[:6], *more])


def _changes(plan: Plan, architecture: dict[str, Any]) -> tuple[str, ...]:
    """Where the 3D network and the 2D one differ for reasons other than time; sentences."""
    convention = plan.convention
    sentences = [*convention.changed]
    if architecture.get("channels", 3) != 3:
        how = "sum over RGB, for grey clips"
        if architecture["channels"] == 2:
            how = "mean over RGB, the same for x and y of the flow"
        sentences.append(f"The stem's kernel is the source's {how}.")
    sentences += convention.changed_in(row_in(architecture))
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
