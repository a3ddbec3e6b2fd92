"""Inflation: a 3D network that starts from the weights of a 2D one."""

from __future__ import annotations

import os
from typing import Any

import keras

from vdroppath_tf.models.build import architecture_of
from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.families import family_of, row_in
from vdroppath_tf.models.family import Family
from vdroppath_tf.models.inflation.conventions import blocks_in, convention_of
from vdroppath_tf.models.inflation.plan import Plan
from vdroppath_tf.models.inflation.report import InflationReport, first, report_of
from vdroppath_tf.models.inflation.sources import Source, read_source
from vdroppath_tf.names import named
from vdroppath_tf.spaces.strategy import FusionStrategy

SCALINGS = ("authors", "normalized")


@named
def inflate(
    model: keras.Model,
    weights: keras.Model | str | os.PathLike[str],
    *,
    scaling: str = "authors",
    classifier: bool = False,
    convention: Convention | None = None,
) -> InflationReport:
    """Gives a network the weights of the 2D network of its family.

    The stem's kernel is repeated over time and divided by its length; so is the 1x1 kernel of an ST
    path (3x1x1). An S path and a 3x3 get a time axis. Batch norms are copied, to both paths where
    paths have their own. On a still clip, away from its ends, a network of one path per layer then
    computes what the 2D network computes on the frame.

    Nothing is written unless all weights of both sides are accounted for.

    Args:
        model: keras.Model, a template or a derived network of ``vdroppath_tf.zoo``.
        weights: keras.Model or str, a ``keras.applications`` model, with or without its top, or
            its weight file (``.h5``, ``.weights.h5``, ``.keras``); or a ``.safetensors`` file with
            torchvision's names. Pickles (``.pth``, ``.pt``, ``.bin``) are refused.
        scaling: str, of a layer that sums n paths. ``"authors"``: each path starts at the 2D
            response, so the sum at n times it. ``"normalized"``: the sum starts at the 2D response;
            the path kernels are divided by n, in MobileNetV2 the depthwise kernels that follow
            them. Defaults to ``"authors"``.
        classifier: bool, whether the classifier is taken over, for the same classes. Defaults to
            False: it stays new.
        convention: Convention, how the 2D network's layers are called and where they differ, for
            networks that this package does not know. Defaults to None, those it knows.

    Returns:
        What became of every weight, and what no weight could make up for.

    Raises:
        ValueError: where the weights are those of another network, a pickle, or damaged.
        FileNotFoundError: where there is no such file.

    Example:
    ```python
    template = vdroppath_tf.zoo.template_resnet50()
    report = inflate(template, keras.applications.ResNet50(weights="imagenet"))
    print(report.new, report.unused)
    ```
    """
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {SCALINGS}. Received: {scaling!r}")
    architecture = architecture_of(model)
    source = read_source(weights, architecture["name"], convention)
    family = family_of(row_in(architecture))
    if convention is None:
        convention = _convention(source, family, architecture["name"])
    plan = Plan(convention, family.block, source.weights, scaling == "normalized", classifier)
    plan.join(model, _idle(architecture))
    if plan.problems:
        what = _what(source, (family, convention))
        raise ValueError(
            f"{source.origin}: holds {what}, which does not fit {architecture['name']!r}. Pass the "
            "weights of the same network. Nothing was changed.\n" + first(plan.problems, "\n")
        )
    for variable in model.weights:
        if variable.path in plan.values:
            variable.assign(plan.values[variable.path])
    return report_of(model, source, plan, architecture)


def _convention(source: Source, family: Family, network: str) -> Convention:
    """How the source is named, if it is of the network's family."""
    found = convention_of(source.weights)
    if found is not None and found[0] is family:
        return found[1]
    wanted = " or ".join(each.title for each in family.conventions)
    raise ValueError(
        f"{source.origin}: holds {_what(source, found)}. "
        f"Expected for {network!r}: {wanted}. Nothing was changed."
    )


def _what(source: Source, found: tuple[Family, Convention] | None) -> str:
    if found is None:
        return f"weights of an unknown network ({first(source.weights, ', ')})"
    family, convention = found
    layers = [convention.layer_of(name) or "" for name in source.weights]
    return f"{convention.title} with {blocks_in(layers, family.block)} blocks"


def _idle(architecture: dict[str, Any]) -> int:
    """How many fusion layers have neither S nor ST, and so no weights for their block."""
    text = architecture["strategy"]
    units = FusionStrategy.parse(text) if text else ()
    for unit in units:
        if unit.inputs:
            raise ValueError(
                f"The unit {unit} sees some of its layer's inputs, a 2D kernel all of them: "
                "inflate the template, then derive the strategy from it."
            )
    return sum(not {"S", "ST"}.intersection(unit.branches) for unit in units)
