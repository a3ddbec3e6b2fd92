"""Bias-free 3D convolution as a pure function, run in the form that is fastest for its kernel.

A kernel that is 1 in time or 1 in space is a 2D convolution (or a matrix product) of reshaped
clips. The reshape is free and reaches the mature 2D kernels of every device; the numbers are those
of ``Conv3D``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from vdroppath_tf.layers.constants import reshape
from vdroppath_tf.layers.filter_gradients import temporal_in_training
from vdroppath_tf.layers.sizes import images_of, sizes_of

Triple = tuple[int, int, int]


def _subsample(x: tf.Tensor, strides: Sequence[int]) -> tf.Tensor:
    """Every ``strides``-th frame, row and column; what a convolution of size 1 sees."""
    if tuple(strides) == (1, 1, 1):
        return x
    t, h, w = strides
    return x[:, ::t, ::h, ::w]


def _pointwise(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """``1 x 1 x 1`` as one matrix product over all cells (batched, its gradient is far slower)."""
    return tf.linalg.matmul(reshape(x, [-1, x.shape[-1]]), reshape(kernel, kernel.shape[-2:]))


def _spatial(x: tf.Tensor, kernel: tf.Tensor, strides: Sequence[int], training: bool) -> tf.Tensor:
    """``1 x h x w`` as a 2D convolution of frames, ``(batch * time, height, width, channels)``."""
    _, _, h, w, c = sizes_of(x)
    padding = _padding(kernel.shape[1:3], strides[1:])
    frames, padding = _outside(reshape(x, [-1, h, w, c]), padding, training)
    options = {"strides": list(strides[1:]), "padding": padding}
    return _grouped(frames, reshape(kernel, kernel.shape[1:]), options)


def _outside(
    x: tf.Tensor, padding: str | list[list[int]], training: bool
) -> tuple[tf.Tensor, str | list[list[int]]]:
    """Images and the padding of their convolution, which in training is not explicit on a CPU.

    With explicit padding TensorFlow does not take oneDNN's gradients, but its own, which are up to
    four times slower. So the images are padded beforehand.
    """
    if not training or isinstance(padding, str) or tf.config.list_logical_devices("GPU"):
        return x, padding
    return _padded(x, padding, training), "VALID"


def _padded(x: tf.Tensor, pads: list[list[int]], training: bool) -> tf.Tensor:
    """Zeros around clips or frames.

    With oneDNN, TensorFlow tries to fuse a Pad with the Conv3D behind it, although the gradient
    reads the Pad too, and gives up with an error ("remapper failed"). A tensor makes it a PadV2.
    """
    value: Any = tf.zeros((), x.dtype) if training else 0
    return tf.pad(x, pads, constant_values=value)


def _grouped(x: tf.Tensor, kernel: tf.Tensor, options: dict[str, Any]) -> tf.Tensor:
    """A 2D convolution whose groups are as many as the kernel's depth goes into the channels."""
    groups = x.shape[-1] // kernel.shape[2]
    if groups == x.shape[-1] == kernel.shape[-1]:  # one channel in, one out: depthwise
        kernel = reshape(kernel, [*kernel.shape[:2], groups, 1])
        return _depthwise(x, kernel, options["strides"], options["padding"])
    if groups == 1 or tf.config.list_logical_devices("GPU"):
        return tf.nn.conv2d(x, kernel, **options)
    # TensorFlow has no gradient of a grouped convolution on CPUs
    parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
    return tf.concat([tf.nn.conv2d(one, own, **options) for one, own in parts], -1)


def _depthwise(
    x: tf.Tensor, kernel: tf.Tensor, strides: Sequence[int], padding: str | list[list[int]]
) -> tf.Tensor:
    """A depthwise 2D convolution whose padding, where it is explicit, is a step of its own.

    With oneDNN, TensorFlow fuses such a convolution with the bias and the ReLU6 behind it, and the
    fused operation knows no explicit padding: the process is aborted.
    """
    if not isinstance(padding, str):
        x, padding = tf.pad(x, padding), "VALID"
    return tf.nn.depthwise_conv2d(x, kernel, [1, *strides, 1], padding)


def _temporal(x: tf.Tensor, kernel: tf.Tensor, stride: int, training: bool) -> tf.Tensor:
    """``t x 1 x 1`` as a 2D convolution of ``(batch, time, height * width, channels)``."""
    images = images_of(x)
    flat = reshape(kernel, [kernel.shape[0], 1, *kernel.shape[-2:]])
    if training and stride == 1 and not tf.config.list_logical_devices("GPU"):
        return temporal_in_training(images, flat)
    padding = _padding([kernel.shape[0], 1], [stride, 1])
    images, padding = _outside(images, padding, training)
    return tf.nn.conv2d(images, flat, strides=[stride, 1], padding=padding)


def _padding(sizes: Sequence[int], strides: Sequence[int]) -> str | list[list[int]]:
    """Half the kernel on both sides; with stride 1 that is ``"SAME"``, with more it is not."""
    if all(s == 1 for s in strides):
        return "SAME"
    return [[0, 0], *([k // 2, k // 2] for k in sizes), [0, 0]]


def convolve(
    x: tf.Tensor,
    kernel: tf.Tensor,
    strides: Sequence[int] = (1, 1, 1),
    then: Sequence[Callable[[tf.Tensor], tf.Tensor]] = (),
    *,
    training: bool = False,
) -> tf.Tensor:
    """3D convolution with zero padding of half the (odd) kernel on both sides.

    Args:
        x: clips, ``(batch, time, height, width, channels)``.
        kernel: ``(time, height, width, channels / groups, filters)``, odd sizes. Several groups
            are for kernels of one frame.
        strides: of time, height and width.
        then: what is done to each channel of the result. It sees axes merged, channels last, right
            after the operation that convolves, so that TensorFlow can run both as one.
        training: whether gradients will be taken, which then are ours where they are faster than
            TensorFlow's; the numbers are the same.

    Returns:
        ``(batch, time', height', width', filters)`` with ``n' = ceil(n / stride)``.
    """
    _, *sizes, _ = sizes_of(x)
    strided = [(n + s - 1) // s for n, s in zip(sizes, strides, strict=True)]
    # said here, since oneDNN gives an empty batch the wrong shape
    shape = [-1, *strided, kernel.shape[-1]]
    y = _in_fastest_form(x, kernel, strides, training)
    for step in then:
        y = step(y)
    y = reshape(y, shape)
    y.set_shape([x.shape[0], *y.shape[1:]])  # of an open size the reshape knows nothing
    return y


def _in_fastest_form(
    x: tf.Tensor, kernel: tf.Tensor, strides: Sequence[int], training: bool
) -> tf.Tensor:
    """The numbers of ``convolve``, in an order of axes that reshapes to its result."""
    t, h, w = kernel.shape[:3]
    if (t, h, w) == (1, 1, 1):
        return _pointwise(_subsample(x, strides), kernel)
    if t == 1:
        return _spatial(_subsample(x, (strides[0], 1, 1)), kernel, strides, training)
    if (h, w) == (1, 1):
        return _temporal(_subsample(x, (1, *strides[1:])), kernel, strides[0], training)
    pads = [[0, 0], *([k // 2, k // 2] for k in (t, h, w)), [0, 0]]
    return tf.nn.conv3d(_padded(x, pads, training), kernel, [1, *strides, 1], "VALID")
