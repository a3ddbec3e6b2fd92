"""A template divided at its fusion layers into segments that are run as separate functions.

A tensor of the network depends on the units of the fusion layers before it and on no others. A
segment is all that depends on the same fusion layers, so strategies that agree on these layers
compute it once. Only the paths that a unit turns on are computed; a block without a path is reduced
to its shortcut, and nothing is multiplied by 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.scoring.batch_statistics import moving
from vdroppath_tf.scoring.folding import Convolved, normalized

ZERO, ONE = "0", "1"  # stand for a tensor known to be all zeros, and for a factor of 1


class Step(NamedTuple):
    """A layer, and the numbers of the tensors that it takes and gives."""

    layer: keras.layers.Layer
    takes: tuple[int, ...]
    gives: tuple[int, ...]


@dataclass
class Segment:
    """The layers that depend on one fusion layer and those before it.

    Attributes:
        fusion: the fusion layer; None in the segment before the first one.
        steps: the layers, in topological order.
        takes: the tensors of earlier segments that the segment needs.
        gives: the tensors of the segment that later segments need, or the logits.
        kept: all tensors that are needed after the segment.
        specs: the symbolic tensors of the network by number.
    """

    fusion: FusionConv | None
    steps: list[Step] = field(default_factory=list)
    takes: list[int] = field(default_factory=list)
    gives: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    specs: dict[int, Any] = field(default_factory=dict)

    @property
    def norms(self) -> list[keras.layers.BatchNormalization]:
        """The batch norms of the segment, including those in the paths of the fusion layer."""
        own = [] if self.fusion is None else self.fusion.norms
        return [*own, *(step.layer for step in self.steps if _is_norm(step.layer))]

    @property
    def weights(self) -> list[Any]:
        """The weights of the layers, without the gates and the moving statistics."""
        layers = [step.layer for step in self.steps if step.layer is not self.fusion]
        if self.fusion is not None:
            layers += [*self.fusion.paths, *self.fusion.norms]
        statistics = {id(v) for v in moving(self.norms)}
        return [v for layer in layers for v in layer.weights if id(v) not in statistics]

    @cached_property
    def kind(self) -> str:
        """A text that is equal for segments that compute the same function."""
        tensors = [*self.takes, *(t for step in self.steps for t in (*step.takes, *step.gives))]
        number = {t: n for n, t in enumerate(dict.fromkeys(tensors))}
        steps = [
            (
                type(step.layer).__name__,
                {**step.layer.get_config(), "name": None},
                [number[t] for t in step.takes],
                [(number[t], self.specs[t].shape) for t in step.gives],
            )
            for step in self.steps
        ]
        return repr((steps, [number[t] for t in self.gives]))

    def run(
        self, inputs: Sequence[tf.Tensor], keeps: Mapping[str, Any], training: bool = False
    ) -> list[tf.Tensor]:
        """Computes the tensors ``gives`` from ``takes`` under a unit.

        Args:
            inputs: the tensors ``takes``.
            keeps: the unit, as for ``FusionConv.only``; empty if no path is on.
            training: whether batch norms use the batch's own statistics. Dropout never drops.
        """
        known = dict(zip(self.takes, inputs, strict=True))
        return _Evaluation(self, known, keeps, training).results()


def _is_norm(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


class _Evaluation:
    """One run of a segment, in which each tensor is computed when it is needed."""

    def __init__(
        self, segment: Segment, known: dict[int, Any], keeps: Mapping[str, Any], training: bool
    ) -> None:
        self.segment, self.known = segment, known
        self.keeps, self.training = keeps, training
        self.maker = {t: step for step in segment.steps for t in step.gives}

    def results(self) -> list[tf.Tensor]:
        return [self._filled(t) for t in self.segment.gives]

    def _filled(self, tensor: int) -> tf.Tensor:
        """Returns a tensor; if it is known to be zero, zeros shaped like the fusion layer's
        input.
        """
        value = self._run(tensor)
        if value is not ZERO or self.segment.fusion is None:
            return value
        (step,) = [step for step in self.segment.steps if step.layer is self.segment.fusion]
        spec, x = self.segment.specs[tensor], self._run(step.takes[0])
        shape = tf.concat([tf.shape(x)[:-1], [spec.shape[-1]]], 0)
        return tf.ensure_shape(tf.zeros(shape, spec.dtype), spec.shape)

    def _run(self, tensor: int) -> Any:
        """Returns a tensor; ``_value`` may return a deferred convolution instead."""
        value = self._value(tensor)
        return value.result if isinstance(value, Convolved) else value

    def _value(self, tensor: int) -> Any:
        if tensor not in self.known:
            step, fusion = self.maker[tensor], self.segment.fusion
            if fusion is not None and step.layer is fusion:
                self.known |= self._fused(step, fusion)
            else:
                self.known[tensor] = self._computed(step)
        return self.known[tensor]

    def _fused(self, step: Step, fusion: FusionConv) -> dict[int, Any]:
        """Returns the outputs of the fusion layer under the unit, by number."""
        found: dict[str, Any] = {}
        if self.keeps:
            x = self._run(step.takes[0])
            found = fusion.only(x, self.keeps, self.training, Convolved)
            found |= {"residual_gate": ONE} | ({"spatial_gate": ONE} if "output" in found else {})
        names = fusion.output_names(fusion.input)
        return {t: found.get(name, ZERO) for name, t in zip(names, step.gives, strict=True)}

    def _computed(self, step: Step) -> Any:
        layer = step.layer
        if isinstance(layer, keras.layers.Multiply):  # multiplies by a factor of the gates
            factor = self._value(step.takes[1])
            return ZERO if factor is ZERO else self._value(step.takes[0])
        if isinstance(layer, keras.layers.Add):
            terms = [t for t in step.takes if self._value(t) is not ZERO]
            if len(terms) > 1:
                return layer([self._run(t) for t in terms])
            return self._value(terms[0]) if terms else ZERO
        if len(step.takes) > 1 and not isinstance(layer, Convolution):
            return layer([self._filled(t) for t in step.takes])
        value = self._value(step.takes[0])  # the classifier's (D1) KL term is left out
        if isinstance(layer, Convolution):
            return Convolved.of(layer, self._run(step.takes[0]))
        if _is_norm(layer):
            return normalized(layer, value, self.training)
        if isinstance(layer, keras.layers.ReLU) and isinstance(value, Convolved):
            return value.followed_by(layer)
        return layer(self._run(step.takes[0]))
