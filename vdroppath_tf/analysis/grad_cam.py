"""Grad-CAM per branch: where S and ST find evidence, by layer and over time.

Grad-CAM (Selvaraju et al., ICCV 2017) weighs the channels of an activation by the gradient of a
class's logit, averaged over all positions, and keeps the positive part. Here the activation is that
of one branch of a fusion layer, before the sum, and positions are in time and space. Since S and ST
are summed, they share the gradient: before the negative part is cut, the map of the layer is the
sum of the maps of its branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.analysis.branch_maps import BranchMap, Explanation
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gates import restored_gates
from vdroppath_tf.models.fusion_model import check_clips
from vdroppath_tf.models.least_size import least_clip
from vdroppath_tf.names import named

Method: TypeAlias = Literal["grad-cam", "hires-cam"]
METHODS = ("grad-cam", "hires-cam")


@named
def explain_clip(
    model: keras.Model,
    clip: Any,
    label: int | None = None,
    *,
    method: Method = "grad-cam",
) -> Explanation:
    """Maps where in a clip each branch of each fusion layer finds evidence for a class.

    Args:
        model: ``keras.Model``, a derived network, or a template, for the strategy it runs
            (``set_strategy``).
        clip: array ``(time, height, width, channels)``, values 0 to 255.
        label: int, the number of the class. Defaults to None, the most probable class.
        method: str, ``"grad-cam"``, which averages the gradient over all positions, or
            ``"hires-cam"``, which multiplies it position by position: where the gradient is zero,
            so is the map (Draelos and Carin, 2020). Defaults to "grad-cam".

    Returns:
        ``Explanation``, with a map for each branch that is on, in the order of the layers.

    Raises:
        ValueError: If the network has no fusion layer or no classifier, does not compute in
            float32, or the clip or the class does not fit.

    Example:
    ```python
    found = explain_clip(network, clip)
    for one in found.maps:
        print(one.layer, one.branch, f"{one.share:.0%}", one.values.shape)
    ```
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}. Received: {method!r}")
    layers = _layers(model)
    clip = np.asarray(clip)
    _check_clip(model, clip)
    with _fixed_gates(model, layers) as masks:
        probe = keras.Model(model.inputs, [[_places(x) for x in layers], model.output])
        values = tf.cast(clip[None], tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(values)
            places, logits = probe([values], training=False)
            shown = _label(label, logits)
            score = logits[0, shown]
        outputs = [given for _, given in places]
        gradients = tape.gradient(score, outputs, unconnected_gradients="zero")
        maps = [
            one
            for layer, mask, (seen, _), gradient in zip(
                layers, masks, places, gradients, strict=True
            )
            for one in _layer_maps(layer, mask, seen, gradient, method)
        ]
    several = bool(getattr(model, "multi_label", False))
    chances = (tf.sigmoid(logits) if several else tf.nn.softmax(logits))[0].numpy()
    return Explanation(clip, shown, int(chances.argmax()), chances, tuple(maps), method)


def _places(layer: FusionConv) -> tuple[Any, dict[str, Any]]:
    """Returns the input of a layer, and the outputs of its branches by name (symbolic)."""
    names = layer.output_names(layer.input)
    given = dict(zip(names, keras.tree.flatten(layer.output), strict=True))
    return layer.input, {name: given[name] for name in ("output", "temporal") if name in given}


def _layers(model: keras.Model) -> list[FusionConv]:
    layers = [layer for layer in model.layers if isinstance(layer, FusionConv)]
    if not layers:
        raise ValueError(
            f"{model.name!r} has no fusion layer to explain. Expected a template, or a derived "
            "network with a path in some layer."
        )
    if len(model.output_shape) != 2:
        raise ValueError(
            f"{model.name!r} outputs features of shape {model.output_shape}, no classes. Expected "
            "a network with a classifier (include_top=True)."
        )
    other = next((x for x in layers if x.compute_dtype != "float32"), None)
    if other is not None:
        raise ValueError(
            f"{model.name!r} computes in {other.compute_dtype}, in which small gradients are lost. "
            "Build or load it under the policy float32: "
            "keras.config.set_dtype_policy('float32')."
        )
    return layers


def _check_clip(model: keras.Model, clip: np.ndarray) -> None:
    if clip.ndim != 4:
        raise ValueError(
            f"Expected one clip (time, height, width, channels). Received: shape {clip.shape}"
        )
    check_clips(clip[None], model.input_shape[-1], least_clip(model))
    wanted = model.input_shape[1:4]
    if any(want not in (None, have) for want, have in zip(wanted, clip.shape, strict=False)):
        raise ValueError(
            f"{model.name!r} takes clips of {wanted} (time, height, width). Received: shape "
            f"{clip.shape}"
        )


def _label(label: int | None, logits: tf.Tensor) -> int:
    classes = logits.shape[-1]
    if label is None:
        return int(np.argmax(logits[0]))
    if not 0 <= label < classes:
        raise ValueError(
            f"label must be the number of a class, from 0 to {classes - 1}. Received: {label}"
        )
    return int(label)


@contextmanager
def _fixed_gates(
    model: keras.Model, layers: Sequence[FusionConv]
) -> Iterator[list[np.ndarray | None]]:
    """Fixes one draw or the mode of each gate while active.

    Yields the mask of each layer, ``(inputs, branches)`` of 0 and 1; None for a derived layer.
    """
    with restored_gates(model):
        for layer in layers:
            if layer.drop_path is not None:
                layer.drop_path.mask.assign(layer.drop_path.hard_mask())
        yield [
            None
            if layer.drop_path is None
            else layer.drop_path.mask.numpy().reshape(layer.inputs, -1)
            for layer in layers
        ]


def _layer_maps(
    layer: FusionConv, mask: np.ndarray | None, seen: tf.Tensor, gradient: Any, method: Method
) -> list[BranchMap]:
    """Returns the maps of a layer's branches that are on, on one scale."""
    found = {}
    for n, branch in enumerate(layer.wanted):
        on = np.ones((1, 1), "float32") if mask is None else mask[:, n][None]
        if not on.any():
            continue
        keep = tf.constant(on) if mask is not None and layer.widths is not None else None
        given = layer.only(seen, {branch: keep})
        name = "temporal" if branch == "T" else "output"
        found[branch] = _map(given[name][0], gradient[name][0], method)
    top = max((values.max() for values in found.values()), default=0.0) or 1.0
    total = sum(values.mean() for values in found.values()) or 1.0
    return [
        BranchMap(layer.name, branch, values / top, float(values.mean() / total))
        for branch, values in found.items()
    ]


def _map(activation: tf.Tensor, gradient: tf.Tensor, method: Method) -> np.ndarray:
    """Returns a branch's evidence for the class at each position, ``(time, height, width)``."""
    weights = gradient if method == "hires-cam" else tf.reduce_mean(gradient, [0, 1, 2])
    found: np.ndarray = tf.nn.relu(tf.reduce_sum(activation * weights, -1)).numpy()
    return found
