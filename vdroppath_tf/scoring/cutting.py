"""Divides a template into segments by the fusion layers that each layer depends on."""

from __future__ import annotations

from typing import Any

import keras

from vdroppath_tf.layers.gates import fusion_layers
from vdroppath_tf.models.calls import calls_inside
from vdroppath_tf.scoring.segments import Segment, Step
from vdroppath_tf.spaces.layer_gates import gated_layers


def cut(model: keras.Model) -> list[Segment]:
    """Returns the segments of a template: one before the first fusion layer, then one for each.

    For a functional model that contains templates, the layers of the nested models are used.

    Raises:
        ValueError: If the model is not a template, or not a functional model of layers.
    """
    layers = fusion_layers(model)
    segments = [Segment(None), *(Segment(layer) for layer in layers)]
    place = {id(layer): n for n, layer in enumerate(layers, 1)}
    calls, outputs = calls_inside(model)
    level = {id(t): 0 for t in model.inputs}
    tensors: dict[int, Any] = {id(t): t for t in model.inputs}
    for call in calls:
        _check(call.layer, model)
        takes, gives = _ids(call.takes), _ids(call.gives)
        tensors |= {id(t): t for t in call.gives}
        own = max([place.get(id(call.layer), 0), *(level[t] for t in takes)])
        level |= dict.fromkeys(gives, own)
        segments[own].steps.append(Step(call.layer, takes, gives))
    _connect(segments, level, _ids(outputs))
    for n, segment in enumerate(segments):
        segment.gives = [t for t in segment.kept if level[t] == n]
        segment.specs = tensors
    return segments


def _connect(segments: list[Segment], level: dict[int, int], outputs: tuple[int, ...]) -> None:
    """Sets the tensors that each segment takes, and those kept after it, from last to first."""
    needed = dict.fromkeys(outputs)
    for n in range(len(segments) - 1, -1, -1):
        segment = segments[n]
        segment.kept = list(needed)
        taken = dict.fromkeys(t for step in segment.steps for t in step.takes)
        segment.takes = [t for t in taken if level[t] < n or (n == 0 and _is_clip(segment, t))]
        needed = dict.fromkeys(t for t in [*needed, *segment.takes] if level[t] < n)


def _is_clip(first: Segment, tensor: int) -> bool:
    return all(tensor not in step.gives for step in first.steps)


def _check(layer: Any, model: keras.Model) -> None:
    """Raises if a node of the model is not the call of one layer."""
    if not isinstance(layer, keras.layers.Layer) or gated_layers(layer):
        raise ValueError(
            f"{model.name!r} holds {layer.name!r}, a {type(layer).__name__}. Scoring takes models "
            "of layers: replace it (by keras.layers.Add for a +, say), or score the strategies "
            "of the template in it."
        )


def _ids(tensors: Any) -> tuple[int, ...]:
    return tuple(id(t) for t in keras.tree.flatten(tensors))
