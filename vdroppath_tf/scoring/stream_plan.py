"""Plans which frames of a network's layers must be computed when a window over a stream moves.

A layer that works frame by frame has the same output for a frame in every window. A layer with a
kernel of ``1 + 2 p`` frames also reads ``p`` frames on both sides, which at the ends of a window
are padding. So the first and last ``edge`` frames of a window, where ``edge`` is the sum of ``p``
over the layers so far, depend on where the window begins and ends. Only the frames between them can
be kept for the next window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.zeros import Zeros
from vdroppath_tf.models.calls import Call, calls_of

_FRAMEWISE = (
    keras.layers.Add,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    keras.layers.Normalization,
    keras.layers.ReLU,
    Zeros,
)
_WITH_TRAINING = (keras.layers.BatchNormalization, keras.layers.Dropout, FusionConv)
_POOLS = (keras.layers.MaxPooling3D, keras.layers.AveragePooling3D)


@dataclass(eq=False)
class StreamStep:
    """A layer, or a padding with the pooling that follows it, applied to frames.

    Attributes:
        layers: list of the layers to call, one after another.
        takes: list of int, the numbers of the input tensors.
        gives: list of int, the numbers of the output tensors; several for a fusion layer with T.
        names: list of str, the names of the outputs of a fusion layer.
        reach: int, the number of frames that are read on each side.
        edge: int, the number of frames at each end of a window that depend on where it ends.
    """

    layers: list[Any]
    takes: list[int]
    gives: list[int]
    names: list[str] = field(default_factory=list)
    reach: int = 0
    edge: int = 0

    def frames_computed(self, window: int, hop: int) -> int:
        """Returns how many frames each hop computes; a whole window if nothing can be kept."""
        return frames_computed(self.edge, self.reach, window, hop)

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        """Returns the outputs for some frames."""
        x = _through(self.layers, list(inputs) if len(inputs) > 1 else inputs[0])
        return [x[name] for name in self.names] if self.names else [x]


@dataclass
class StreamPlan:
    """A network as steps on frames, followed by a mean over time and space and a classifier.

    Attributes:
        clip: the number of the input tensor.
        steps: the steps on frames, in order.
        pooled: the number of the tensor that is averaged over time and space.
        head: the layers from there on, starting with that mean.
    """

    clip: int
    steps: list[StreamStep]
    pooled: int
    head: list[Any]

    @property
    def edge(self) -> int:
        """The number of frames at each end of a window for which the last layers keep nothing."""
        return max(step.edge for step in self.steps)

    def logits(self, features: Any) -> Any:
        """Returns the logits of the head for the frames of ``pooled``, float32."""
        return tf.cast(_through(self.head, features), tf.float32)

    def needed_whole(self, window: int, hop: int) -> set[int]:
        """Returns the tensors of which more frames are needed than a hop computes."""
        edges = {self.clip: 0} | {t: step.edge for step in self.steps for t in step.gives}
        needed = {self.pooled}
        for step in self.steps:
            everything = step.frames_computed(window, hop) == window
            needed |= {t for t in step.takes if everything or step.reach or edges[t] < step.edge}
        return needed


def frames_computed(edge: int, reach: int, window: int, hop: int) -> int:
    """Returns the frames of a layer that each hop computes: both ends of a window, or all of it.

    Args:
        edge: the number of frames of the output, at each end, that depend on where a window ends.
        reach: the number of frames that the layer reads on each side.
        window: the number of frames of a window.
        hop: the number of new frames in each window.
    """
    return min(window, 2 * (edge + reach) + hop)


def plan_of(network: keras.Model) -> StreamPlan:
    """Returns the plan of a derived network.

    Raises:
        ValueError: If the network has gates, or a layer that is not computed frame by frame or with
            a kernel over frames, such as one with a stride in time.
    """
    calls = list(calls_of(network))
    pads: dict[int, Call] = {}
    edges = {id(network.inputs[0]): 0}
    steps: list[StreamStep] = []
    for n, call in enumerate(calls):
        if isinstance(call.layer, keras.layers.GlobalAveragePooling3D):
            head = [each.layer for each in calls[n:]]
            return StreamPlan(id(network.inputs[0]), steps, id(call.takes[0]), head)
        if isinstance(call.layer, keras.layers.ZeroPadding3D) and call.layer.padding[0] != (0, 0):
            pads[id(call.gives[0])] = call
            continue
        step = _step(call, pads)
        step.edge = max(edges[t] for t in step.takes) + step.reach
        edges |= dict.fromkeys(step.gives, step.edge)
        steps.append(step)
    raise ValueError(
        f"{network.name!r} takes no mean over time and space. Expected a network with a classifier "
        "(include_top=True)."
    )


def _step(call: Call, pads: dict[int, Call]) -> StreamStep:
    layer, takes = call.layer, [id(t) for t in call.takes]
    gives, layers, names = [id(t) for t in call.gives], [call.layer], []
    if isinstance(layer, FusionConv):
        if layer.drop_path is not None:
            raise _refused(layer, "has gates")
        names = layer.output_names(call.takes[0])
    reach = reach_of(layer)
    if isinstance(layer, _POOLS) and takes[0] in pads:
        pad = pads[takes[0]]
        layers, takes = [pad.layer, layer], [id(t) for t in pad.takes]
    return StreamStep(layers, takes, gives, names, reach)


def reach_of(layer: Any) -> int:
    """Returns the number of frames that a layer reads on each side; for a template, at most.

    Raises:
        ValueError: If it has a stride in time, or may read an unbounded number of frames.
    """
    if isinstance(layer, FusionConv):
        sizes = [path.kernel_size[0] for path in layer.paths]
        strides = [path.strides[0] for path in layer.paths]
    elif isinstance(layer, Convolution):
        sizes, strides = [layer.kernel_size[0]], [layer.strides[0]]
    elif isinstance(layer, _POOLS):
        sizes, strides = [layer.pool_size[0]], [layer.strides[0]]
    elif isinstance(layer, (*_FRAMEWISE, keras.layers.ZeroPadding3D)):
        sizes, strides = [1], [1]
    else:
        raise _refused(layer, "is not known to give each frame the same in every window")
    if max(strides) > 1:
        raise _refused(layer, "has a stride in time")
    return max(sizes) // 2


def _refused(layer: Any, what: str) -> ValueError:
    return ValueError(
        f"{layer.name} ({type(layer).__name__}) {what}: nothing of a window can be kept for the "
        "next one. Expected a derived network of vdroppath_tf.zoo with temporal_strides of 1; "
        "answer other networks window by window."
    )


def _through(layers: Sequence[Any], x: Any) -> Any:
    """Applies layers at inference, one after another."""
    for layer in layers:
        x = layer(x, training=False) if isinstance(layer, _WITH_TRAINING) else layer(x)
    return x
