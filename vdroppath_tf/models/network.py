"""From the description a model carries to its tensors: the two ends that all families share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import keras
import numpy as np

from vdroppath_tf.layers.drop_path import with_residual_gate
from vdroppath_tf.models.common import (
    CLIP_STATISTICS,
    FusionMaker,
    GateOptions,
    head,
    normalized_clip,
    strides_in_time,
)
from vdroppath_tf.models.families import family_of, row_in
from vdroppath_tf.models.options import BRANCHES, OPEN, ClipShape
from vdroppath_tf.models.row import Row
from vdroppath_tf.ranges import Range, check_range, whole
from vdroppath_tf.spaces.prior import FORMER_WEIGHT_REG, with_strength
from vdroppath_tf.spaces.strategy import FusionStrategy

GATE_RANGES = {
    "num_train_examples": Range(1.0, 1e15, optional=True),
    "weight_reg": Range(0.0, 1e12, optional=True),
    "prior_strength": Range(0.0, 1e12, optional=True),
    "initial_drop": Range(0.0, 1.0, above=True, below=True),
    "temperature": Range(0.0, 1e6, above=True),
    "seed": whole(-(2**53), 2**53),
}
"""The numbers among ``GateOptions``."""
DROPOUT = Range(0.0, 1.0, below=True)


def describe(
    row: Row,
    num_classes: int | None = None,
    *,
    strategy: FusionStrategy | None = None,
    gates: GateOptions | None = None,
    clip_shape: ClipShape = OPEN,
    channels: int = 3,
    branches: Sequence[str] = BRANCHES,
    temporal_strides: Sequence[int] | None = None,
    temporal_pool: bool = False,
    dropout: float = 0.0,
    include_top: bool = True,
    multi_label: bool = False,
) -> dict[str, Any]:
    """All that a network is built from, as JSON has it: ``FusionModel.architecture``.

    See ``build.build_network`` for the arguments.
    """
    family = family_of(row)
    check_clip_shape(clip_shape)
    check_channels(channels)
    check_range("dropout", dropout, DROPOUT)
    for name, value in (
        ("temporal_pool", temporal_pool),
        ("include_top", include_top),
        ("multi_label", multi_label),
    ):
        _check_bool(name, value)
    check_gates(gates or {})
    if strategy is not None and gates:
        raise ValueError(
            "gates are options of a template; the network of a strategy has no gates. "
            f"Received: gates={gates} and the strategy {str(strategy)!r}"
        )
    return {
        "family": family.name,
        "name": row.name,
        "row": row.values(),
        "num_classes": row.num_classes if num_classes is None else _plain(num_classes),
        "clip_shape": list(clip_shape),
        "channels": channels,
        "branches": list(branches),
        "temporal_strides": list(strides_in_time(temporal_strides, family.strides(row))),
        "temporal_pool": temporal_pool,
        "dropout": dropout,
        "include_top": include_top,
        "strategy": None if strategy is None else str(strategy),
        "gates": {} if strategy is not None else _described(gates or {}),
        **({"multi_label": True} if multi_label else {}),  # only so, as runs compare descriptions
    }


def _described(gates: GateOptions) -> dict[str, Any]:
    """The options of a template's gates, with the one strength of the prior that is in force.

    Without ``residual_gate`` they mean the relaxed one.
    Descriptions that are older than the choice had that one, and runs compare descriptions.
    """
    chosen = {"residual_gate": "hard", **with_strength(gates)}
    if chosen["residual_gate"] == "relaxed":
        del chosen["residual_gate"]
    return chosen


def functional(
    architecture: Mapping[str, Any], strategy: FusionStrategy | None = None
) -> dict[str, Any]:
    """A description's network as the arguments of a functional ``keras.Model``.

    Args:
        architecture: of ``describe`` or ``completed``.
        strategy: that of the description, where it is at hand; what network it was made for is
            checked.
    """
    row = row_in(architecture)
    family, name, text = family_of(row), architecture["name"], architecture["strategy"]
    if strategy is None and text is not None:
        strategy = FusionStrategy.parse(text, name)
    gates: GateOptions | None = None
    if strategy is None:
        gates = cast(GateOptions, with_residual_gate(architecture["gates"]))
    fusion = FusionMaker(tuple(architecture["branches"]), strategy, gates or {})
    inputs = keras.Input((*architecture["clip_shape"], architecture["channels"]), name="video")
    outputs = family.features(
        row,
        normalized_clip(inputs),
        fusion,
        temporal_strides=architecture["temporal_strides"],
        temporal_pool=architecture["temporal_pool"],
    )
    fusion.finish(name)
    if architecture["include_top"]:
        classes, dropout = architecture["num_classes"], architecture["dropout"]
        check_classes(classes, multi_label=bool(architecture.get("multi_label")))
        outputs = head(outputs, classes, dropout, gates)
    kind = "derived" if strategy else "template"
    return {"inputs": inputs, "outputs": outputs, "name": f"{kind}_{name}"}


def completed(architecture: Mapping[str, Any]) -> dict[str, Any]:
    """A description with what older versions left out: the row's values, new options' defaults.

    Raises:
        ValueError: If it has a name only, and no network here has that name.
    """
    row = row_in(architecture)
    own = {each.name for each in dataclasses.fields(row)} - {"name", "num_classes"}
    kept = {name: value for name, value in architecture.items() if name not in own}
    found = {**describe(row), **kept, "row": row.values()}
    if found["strategy"] is None:  # older ones named no strength where it was the default
        found["gates"] = with_strength(kept.get("gates") or {}, FORMER_WEIGHT_REG)
    return found


def check_gates(gates: Mapping[str, Any]) -> None:
    """ValueError where an option of the gates is a number that makes no sense, or no number."""
    for name, value in gates.items():
        if name in GATE_RANGES:
            check_range(name, value, GATE_RANGES[name])
        elif name in ("drop_layer", "gate_classifier"):
            _check_bool(name, value)


def _plain(number: Any) -> Any:
    """An integer of numpy, such as ``labels.max() + 1``, as one of Python: files hold these."""
    return int(number) if isinstance(number, np.integer) else number


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False. Received: {value!r}")


def check_classes(num_classes: int, *, multi_label: bool = False) -> None:
    """ValueError unless the probabilities of so many classes can say anything."""
    whole = isinstance(num_classes, int) and not isinstance(num_classes, bool)
    if not whole or num_classes < (1 if multi_label else 2):
        raise ValueError(
            "num_classes must be a whole number of 2 or more: of one class alone the probability "
            "is 1 for every clip. For a question of yes or no give both answers a class, or pass "
            "multi_label=True, which gives each class a sigmoid of its own. "
            f"Received: {num_classes!r}"
        )


def check_clip_shape(shape: Sequence[int | None]) -> None:
    """ValueError unless ``shape`` is frames, height and width, each 1 or more, or None for any."""
    if len(shape) != 3 or not all(n is None or (isinstance(n, int) and n > 0) for n in shape):
        raise ValueError(
            "clip_shape must be (frames, height, width), None for a size that stays open. "
            f"Received: {tuple(shape)}"
        )


def check_channels(channels: int) -> None:
    """ValueError unless clips with so many channels are known."""
    if channels not in CLIP_STATISTICS:
        raise ValueError(
            f"channels must be 3 (RGB), 2 (optical flow, x and y) or 1 (grey). Received: {channels}"
        )
