"""A template cut at its fusion layers: what lies from one to the next is a function of its own.

What a tensor of the network holds depends on the units of the fusion layers before it and on no
others. A segment is everything that depends on the same fusion layers, so that strategies that
agree on these compute it once. Under a unit only the paths that are on are computed; a block
without a path is its shortcut, and nothing is multiplied by 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ..layers.convolution import Convolution
from ..layers.fusion import FusionConv
from ..layers.gates import fusion_layers

ZERO, ONE = "0", "1"  # a tensor that is known to be all zeros, or a factor that is 1


class Step(NamedTuple):
    """A layer, and the tensors (by number) that it takes and gives."""

    layer: keras.layers.Layer
    takes: tuple[int, ...]
    gives: tuple[int, ...]


@dataclass
class Segment:
    """The layers that depend on one fusion layer and those before it.

    Attributes:
        fusion: the fusion layer; None before the first.
        steps: its layers, in topological order.
        takes: tensors of earlier segments that it needs.
        gives: tensors of its own that later segments need, or the logits.
        kept: all tensors that are needed after it.
        specs: symbolic tensors of the network by number.
    """

    fusion: FusionConv | None
    steps: list[Step] = field(default_factory=list)
    takes: list[int] = field(default_factory=list)
    gives: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    specs: dict[int, Any] = field(default_factory=dict)

    @property
    def norms(self) -> list[keras.layers.BatchNormalization]:
        """Its batch norms, those of the paths of the fusion layer included."""
        own = [] if self.fusion is None else self.fusion.norms
        return [*own, *(step.layer for step in self.steps if _is_norm(step.layer))]

    def run(
        self, inputs: Sequence[tf.Tensor], keeps: Mapping[str, Any], training: bool = False
    ) -> list[tf.Tensor]:
        """``gives`` from ``takes`` under a unit.

        Args:
            inputs: the tensors of ``takes``.
            keeps: the unit, as for ``FusionConv.only``; empty for no path.
            training: whether batch norms use the batch's own statistics. Dropout never drops.
        """
        known = dict(zip(self.takes, inputs, strict=True))
        return _Evaluation(self, known, keeps, training).results()


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


def _is_norm(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


def _ids(tensors: Any) -> tuple[int, ...]:
    return tuple(id(t) for t in keras.tree.flatten(tensors))


class _Evaluation:
    """One run of a segment: each tensor is computed when something that is needed asks for it."""

    def __init__(
        self, segment: Segment, known: dict[int, Any], keeps: Mapping[str, Any], training: bool
    ) -> None:
        self.segment, self.known = segment, known
        self.keeps, self.training = keeps, training
        self.maker = {t: step for step in segment.steps for t in step.gives}

    def results(self) -> list[tf.Tensor]:
        return [self._filled(t) for t in self.segment.gives]

    def _filled(self, tensor: int) -> tf.Tensor:
        """The tensor; where it is known to be zero, zeros as large as the fusion layer's input."""
        value = self._value(tensor)
        if value is not ZERO or self.segment.fusion is None:
            return value
        (step,) = [step for step in self.segment.steps if step.layer is self.segment.fusion]
        spec, x = self.segment.specs[tensor], self._value(step.takes[0])
        shape = tf.concat([tf.shape(x)[:-1], [spec.shape[-1]]], 0)
        return tf.ensure_shape(tf.zeros(shape, spec.dtype), spec.shape)

    def _value(self, tensor: int) -> Any:
        if tensor not in self.known:
            step = self.maker[tensor]
            if step.layer is self.segment.fusion:
                self.known |= zip(step.gives, self._fused(step), strict=False)
            else:
                self.known[tensor] = self._computed(step)
        return self.known[tensor]

    def _fused(self, step: Step) -> tuple[Any, ...]:
        """What ``FusionConv`` gives as a template: the last two are those of the branch T."""
        if not self.keeps:
            return ZERO, ZERO, None, ZERO, ZERO
        assert self.segment.fusion is not None
        y, temporal = self.segment.fusion.only(
            self._value(step.takes[0]), self.keeps, self.training
        )
        spatial, between = (ZERO, ZERO) if y is None else (y, ONE)
        return spatial, ONE, None, ZERO if temporal is None else temporal, between

    def _computed(self, step: Step) -> Any:
        layer = step.layer
        if isinstance(layer, keras.layers.Multiply):  # by a factor of the gates
            factor = self._value(step.takes[1])
            return ZERO if factor is ZERO else self._value(step.takes[0])
        if isinstance(layer, keras.layers.Add):
            terms = self._nonzero(step.takes)
            return ZERO if not terms else layer(terms) if len(terms) > 1 else terms[0]
        if _is_norm(layer):
            return layer(self._value(step.takes[0]), training=self.training)
        if isinstance(layer, Convolution) or len(step.takes) == 1:  # without D1's part of the KL
            return layer(self._value(step.takes[0]))
        return layer([self._filled(t) for t in step.takes])

    def _nonzero(self, tensors: Iterable[int]) -> list[Any]:
        values = [self._value(t) for t in tensors]
        return [value for value in values if value is not ZERO]
