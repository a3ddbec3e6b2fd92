"""A small row of every family, and every kind of template, for tests that hold for all of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from vdroppath_tf.layers.gates import gates_of
from vdroppath_tf.models import densenet, mobilenet_v2, resnet
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.families import row_of
from vdroppath_tf.models.row import Row

SHAPE = (4, 32, 32)
CLASSES = 5

TINY = resnet.Row(  # two blocks: tracing is what takes the time in most tests
    "tiny",
    resnet.Stem(4, (1, 3, 3), (1, 2, 2), pool=False),
    (resnet.Stage(1, 4, 1, 2), resnet.Stage(1, 8, 2, 2)),
)
_NEXT = resnet.Row(
    "next",
    resnet.Stem(8, (3, 3, 3), (1, 2, 2), pool=True),
    (resnet.Stage(1, 8, 1, 2, groups=2), resnet.Stage(2, 8, 2, 2, groups=4)),
)
_EVEN = resnet.Row(  # blocks that differ in nothing, as most of large networks
    "even", resnet.Stem(8, (1, 3, 3), (1, 4, 4), pool=False), (resnet.Stage(4, 4, 1, 2),)
)
_MOBILE = mobilenet_v2.Row(
    "mobile",
    4,
    16,
    (
        mobilenet_v2.Stage(1, 4, 1, 1),
        mobilenet_v2.Stage(2, 4, 2, 1),
        mobilenet_v2.Stage(2, 6, 2, 2),
    ),
)
_DENSE = densenet.Row("dense", 6, 4, (2, 3))
ROWS: dict[str, Row] = {row.name: row for row in (TINY, _NEXT, _EVEN, _MOBILE, _DENSE)}

ALL = ("S", "T", "ST")
# name of a kind of template -> row, options
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "dense": ("dense", {}),
    "dense, D1, gated classifier, temporal pool": (
        "dense",
        {"temporal_pool": True, "gates": {"drop_layer": True, "gate_classifier": True}},
    ),
    "dense, T, strides": ("dense", {"branches": ALL, "temporal_strides": (2, 1, 2)}),
    "dense, per input": ("dense", {"share_inputs": False}),
    "dense, per input, T, D1": (
        "dense",
        {"share_inputs": False, "branches": ALL, "gates": {"drop_layer": True}},
    ),
    "next": ("next", {}),
    "next, T, conv, strides": (
        "next",
        {"branches": ALL, "shortcut": "conv", "temporal_strides": (1, 2, 2)},
    ),
    "mobile": ("mobile", {}),
    "mobile, T, D1": ("mobile", {"branches": ALL, "gates": {"drop_layer": True}}),
}


def built(row: Row | str, num_classes: int = CLASSES, **options: Any) -> Any:
    """A network of any row, a template unless there is a strategy; the row's own options too."""
    row = ROWS.get(row) or row_of(row) if isinstance(row, str) else row
    own = {each.name for each in dataclasses.fields(row)} & set(options)
    row = dataclasses.replace(row, **{name: options.pop(name) for name in own})
    return build_network(row, num_classes, **options)


def network(row: Row | str, **options: Any) -> Any:
    """The same, for clips of ``SHAPE``."""
    return built(row, **{"clip_shape": SHAPE, **options})


def randomized(model: Any, seed: int = 0) -> Any:
    """The model with batch norms and gates that are not those of a new network."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        kind = weight.path.split("/")[-1]
        if kind in ("beta", "moving_mean"):
            weight.assign(rng.normal(0, 0.5, weight.shape))
        elif kind in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    for gate in gates_of(model):
        gate.logit.assign(rng.normal(0, 1, gate.logit.shape))
        if gate.layer_logit is not None:
            gate.layer_logit.assign(rng.normal(-1, 1))
    return model


def template(kind: str, **gates: Any) -> Any:
    """A randomized template of one of ``KINDS``."""
    row, options = KINDS[kind]
    return randomized(network(row, **{**options, "gates": {**options.get("gates", {}), **gates}}))


def clips(batch: int = 2, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Random clips, uint8."""
    values = np.random.default_rng(1).integers(0, 256, (batch, *shape, 3))
    return values.astype("uint8")
