"""A template cut into its segments: which layers depend on which fusion layers."""

from __future__ import annotations

from typing import Any

import keras

from vdroppath_tf.layers.gates import fusion_layers
from vdroppath_tf.scoring.segments import Segment, Step


def cut(model: keras.Model) -> list[Segment]:
    """The segments of a template: one before the first fusion layer, then one for each.

    Raises:
        ValueError: when the model is no template.
    """
    layers = fusion_layers(model)
    segments = [Segment(None), *(Segment(layer) for layer in layers)]
    place = {id(layer): n for n, layer in enumerate(layers, 1)}
    level: dict[int, int] = {}
    tensors: dict[int, Any] = {}
    for layer in model.layers:
        gives = tuple(id(t) for t in keras.tree.flatten(layer.output))
        tensors |= {id(t): t for t in keras.tree.flatten(layer.output)}
        takes = () if _is_input(layer) else _ids(layer.input)
        own = max([place.get(id(layer), 0), *(level[t] for t in takes)])
        level |= dict.fromkeys(gives, own)
        if not _is_input(layer):
            segments[own].steps.append(Step(layer, takes, gives))
    _connect(segments, level, _ids(model.outputs))
    for n, segment in enumerate(segments):
        segment.gives = [t for t in segment.kept if level[t] == n]
        segment.specs = tensors
    return segments


def _connect(segments: list[Segment], level: dict[int, int], outputs: tuple[int, ...]) -> None:
    """What each segment takes, and what must be kept after it; from the last to the first."""
    needed = dict.fromkeys(outputs)
    for n in range(len(segments) - 1, -1, -1):
        segment = segments[n]
        segment.kept = list(needed)
        taken = dict.fromkeys(t for step in segment.steps for t in step.takes)
        segment.takes = [t for t in taken if level[t] < n or (n == 0 and _is_clip(segment, t))]
        needed = dict.fromkeys(t for t in [*needed, *segment.takes] if level[t] < n)


def _is_clip(first: Segment, tensor: int) -> bool:
    return all(tensor not in step.gives for step in first.steps)


def _is_input(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.InputLayer)


def _ids(tensors: Any) -> tuple[int, ...]:
    return tuple(id(t) for t in keras.tree.flatten(tensors))
