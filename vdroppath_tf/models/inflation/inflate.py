"""Inflation: a 3D network that starts from the weights of a 2D one."""

from __future__ import annotations

import os
from typing import Any

import keras

from vdroppath_tf.models.build import architecture_of
from vdroppath_tf.models.inflation.conventions import (
    CONVENTIONS,
    Convention,
    blocks_in,
    convention_of,
)
from vdroppath_tf.models.inflation.plan import Plan
from vdroppath_tf.models.inflation.report import InflationReport, first, report_of
from vdroppath_tf.models.inflation.sources import Source, read_source
from vdroppath_tf.spaces.strategy import FusionStrategy

SCALINGS = ("authors", "normalized")


def inflate(
    model: keras.Model,
    weights: keras.Model | str | os.PathLike[str],
    *,
    scaling: str = "authors",
    classifier: bool = False,
) -> InflationReport:
    """Gives a network the weights of the 2D network of its family.

    The stem's kernel is repeated over time and divided by its length; so is the 1x1 kernel of an ST
    path (3x1x1). An S path and a 3x3 get a time axis. Batch norms are copied, to both paths where
    paths have their own. On a still clip, away from its ends, a network of one path per layer then
    computes what the 2D network computes on the frame.

    Nothing is written unless all weights of both sides are accounted for.

    Args:
        model: a template or a derived network of ``vdroppath_tf.zoo``.
        weights: a ``keras.applications`` model, with or without its top, or its weight file
            (``.h5``, ``.weights.h5``, ``.keras``); or a ``.safetensors`` file with torchvision's
            names. Pickles (``.pth``, ``.pt``, ``.bin``) are refused.
        scaling: of a layer that sums n paths. ``"authors"``: each path starts at the 2D response,
            so the sum at n times it. ``"normalized"``: the sum starts at the 2D response; the
            path kernels are divided by n, in MobileNetV2 the depthwise kernels that follow them.
        classifier: take the classifier over, for the same classes; otherwise it stays new.

    Returns:
        What became of every weight, and what no weight could make up for.

    Raises:
        ValueError: where the weights are those of another network, a pickle, or damaged.
        FileNotFoundError: where there is no such file.
    """
    if scaling not in SCALINGS:
        raise ValueError(f"scaling must be one of {SCALINGS}. Received: {scaling!r}")
    architecture = architecture_of(model)
    source = read_source(weights, architecture["name"])
    convention = _convention(source, architecture)
    plan = Plan(convention, source.weights, scaling == "normalized", classifier)
    plan.join(model, _idle(architecture))
    if plan.problems:
        raise ValueError(_refusal(source, convention, architecture, plan.problems))
    for variable in model.weights:
        if variable.path in plan.values:
            variable.assign(plan.values[variable.path])
    return report_of(model, source, plan, architecture)


def _convention(source: Source, architecture: dict[str, Any]) -> Convention:
    """How the source is named, if it is of the network's family."""
    found = convention_of(source.weights)
    if found is not None and found.family == architecture["family"]:
        return found
    wanted = [each.title for each in CONVENTIONS if each.family == architecture["family"]]
    raise ValueError(
        f"{source.origin}: holds {_what(source, found)}. "
        f"Expected for {architecture['name']!r}: {' or '.join(wanted)}. Nothing was changed."
    )


def _what(source: Source, convention: Convention | None) -> str:
    if convention is None:
        return f"weights of an unknown network ({first(source.weights, ', ')})"
    layers = [convention.layer_of(name) or "" for name in source.weights]
    return f"{convention.title} with {blocks_in(layers)} blocks"


def _refusal(
    source: Source, convention: Convention, architecture: dict[str, Any], problems: list[str]
) -> str:
    return (
        f"{source.origin}: holds {_what(source, convention)}, which does not fit "
        f"{architecture['name']!r}. Pass the weights of the same network. Nothing was changed.\n"
        + first(problems, "\n")
    )


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
