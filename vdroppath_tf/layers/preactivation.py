"""Paths that share their input: batch norm, ReLU and convolution each, with a gradient of our own.

The S and ST paths of a dense layer normalise one and the same input with scales and shifts of their
own. Autodiff keeps the input and both normalised copies of it from the forward to the backward
pass, three times its channels. Here the input alone is kept, and its copies are computed again
when their gradients are due, one after the other; where the input is a concatenation, its parts are
kept in its place. Its moments are computed once for all paths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from vdroppath_tf.layers.constants import constant
from vdroppath_tf.layers.convolve import convolve
from vdroppath_tf.layers.filter_gradients import gradient_of_input, gradient_of_kernel
from vdroppath_tf.layers.normalization import fused_batch_norm
from vdroppath_tf.layers.own_gradient import own_gradient

DATA = {"data_format": "NDHWC"}


class Path(NamedTuple):
    """The weights of one path, and what multiplies its result.

    Attributes:
        scale: of the batch norm, ``(channels,)``, float32.
        shift: of the batch norm, likewise.
        kernel: ``(time, 1, 1, channels, filters)``, of odd size.
        gate: ``(batch or 1, 1, 1, 1, 1)``, of the dtype of the clips; or None.
    """

    scale: tf.Tensor
    shift: tf.Tensor
    kernel: tf.Tensor
    gate: tf.Tensor | None = None


def normalized_paths(
    x: tf.Tensor, paths: Sequence[Path], epsilon: float
) -> tuple[list[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Batch norm in training, ReLU, convolution of stride 1 and gate of each of several paths.

    Args:
        x: ``(batch, time, height, width, channels)``, which all paths see.
        paths: The weights and gates of the paths; all or none have gates.
        epsilon: added to the variance.

    Returns:
        What each path gives, and the mean and the variance (over n) of the channels of ``x``.
    """
    moments: list[tf.Tensor] = []
    size = 3 if paths[0].gate is None else 4
    again = _made_again(x)

    @own_gradient
    def run(x: tf.Tensor, *flat: tf.Tensor) -> Any:
        own = [Path(*flat[n : n + size]) for n in range(0, len(flat), size)]
        affine = own[0].scale, own[0].shift
        first, found, reserved = fused_batch_norm(x, affine, None, momentum=0.0, epsilon=epsilon)
        statistics = _Statistics(found, reserved, epsilon)
        moments.extend(found)
        outputs = []
        for n, path in enumerate(own):
            y = statistics.normalized(x, path) if n else first
            outputs.append(convolve(tf.nn.relu(y), path.kernel))

        def gradients(*given: tf.Tensor) -> list[tf.Tensor]:
            return _gradients(again(x, given), own, statistics, outputs, given)

        pairs = zip(outputs, own, strict=True)
        return [y if path.gate is None else y * path.gate for y, path in pairs], gradients

    outputs = run(x, *(part for path in paths for part in path[:size]))
    return outputs, (moments[0], moments[1])


class _Statistics(NamedTuple):
    """What is known of a batch: moments, what their gradient needs, and the epsilon beside them."""

    moments: tuple[tf.Tensor, tf.Tensor]
    reserved: Sequence[tf.Tensor]
    epsilon: float

    def normalized(self, x: tf.Tensor, path: Path) -> tf.Tensor:
        """``x`` as the batch norm of a path has it, before the ReLU."""
        y, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=path.scale,
            offset=path.shift,
            mean=self.moments[0],
            variance=self.moments[1],
            epsilon=self.epsilon,
            is_training=False,
            **DATA,
        )
        return y


def _gradients(
    x: tf.Tensor,
    paths: Sequence[Path],
    statistics: _Statistics,
    outputs: Sequence[tf.Tensor],
    given: Sequence[tf.Tensor],
) -> list[tf.Tensor]:
    """The gradients of ``x`` and of each path's parts.

    Args:
        x: The clips.
        paths: The paths.
        statistics: Of the clips.
        outputs: What the convolutions gave.
        given: The gradients of what came of these.
    """
    done: Sequence[tf.Tensor] = given
    of_x, of_paths = [], []
    for path, y, dy in zip(paths, outputs, given, strict=True):
        with tf.control_dependencies(done):  # or all of it would be made again at once
            seen = statistics.normalized(x, path)
        seen = tf.nn.relu(seen)
        of_convolution = _of_convolution(seen, path, y, dy)
        one, of_scale, of_shift, *_ = tf.raw_ops.FusedBatchNormGradV3(
            y_backprop=tf.raw_ops.ReluGrad(gradients=of_convolution[0], features=seen),
            x=x,
            scale=path.scale,
            reserve_space_1=statistics.reserved[0],
            reserve_space_2=statistics.reserved[1],
            reserve_space_3=statistics.reserved[2],
            epsilon=statistics.epsilon,
            is_training=True,
            **DATA,
        )
        of_x.append(one)
        of_paths += [of_scale, of_shift, *of_convolution[1:]]
        done = [one, of_convolution[1]]
    with tf.control_dependencies(done):
        whole = tf.add_n(of_x) if len(of_x) > 1 else of_x[0]
    return [whole, *of_paths]


def _of_convolution(x: tf.Tensor, path: Path, y: tf.Tensor, dy: tf.Tensor) -> list[tf.Tensor]:
    """The gradients of the input, of the kernel and of the gate, where there is one.

    Args:
        x: What is convolved.
        path: The path.
        y: What the convolution gave.
        dy: The gradient of ``y`` times the gate.
    """
    gate, kernel = path.gate, path.kernel
    if gate is None:
        return [gradient_of_input(x, kernel, dy), gradient_of_kernel(x, kernel.shape, dy)]
    gated = dy * gate
    of_input = gradient_of_input(x, kernel, gated)
    if gate.shape[0] == 1:  # y is linear in the kernel, and need not be kept
        raw = gradient_of_kernel(x, kernel.shape, dy)
        product = tf.cast(kernel, tf.float32) * tf.cast(raw, tf.float32)
        every = constant((0, 1, 2, 3, 4), tf.int32)
        of_gate = tf.reduce_sum(product, every, keepdims=True)
        return [of_input, raw * gate, tf.cast(of_gate, gate.dtype)]
    axes: Any = constant((1, 2, 3, 4), tf.int32)
    if gate.shape[0] is None:  # it may be shared all the same
        sizes = {"s0": tf.shape(gate), "s1": tf.shape(y)}
        axes = tf.raw_ops.BroadcastGradientArgs(**sizes)[0]
    of_gate = tf.reduce_sum(y * dy, axes, keepdims=True)
    return [of_input, gradient_of_kernel(x, kernel.shape, gated), of_gate]


def _made_again(x: tf.Tensor) -> Callable[[tf.Tensor, Sequence[tf.Tensor]], tf.Tensor]:
    """How the input comes back for the gradient: as it is, or joined of its parts anew."""
    parts = _parts(x)
    if len(parts) == 1:
        return lambda x, _: x

    def joined(x: tf.Tensor, given: Sequence[tf.Tensor]) -> tf.Tensor:
        with tf.control_dependencies(given):
            return tf.concat(parts, constant(4, tf.int32))

    return joined


def _parts(x: tf.Tensor) -> list[tf.Tensor]:
    """What a tensor of a graph was concatenated of along its channels, in their order."""
    if not hasattr(x, "op") or x.op.type != "ConcatV2":  # eager tensors have none
        return [x]
    *parts, axis = x.op.inputs
    if tf.get_static_value(axis) not in (-1, 4):
        return [x]
    return [inner for part in parts for inner in _parts(part)]
