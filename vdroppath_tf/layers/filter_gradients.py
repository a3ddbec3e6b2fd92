"""The convolution over time with a gradient of its kernel that is one matrix product.

oneDNN's gradient of a ``3 x 1 x 1`` kernel takes two to four times as long as the convolution. Row
``i`` of that gradient is the sum over cells of ``x(t + i - 1)^T dy(t)``, which is
``x(t)^T dy(t + 1 - i)``: with the shifted ``dy`` side by side, one product of ``x`` has all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from vdroppath_tf.layers.constants import constant, reshape
from vdroppath_tf.layers.own_gradient import own_gradient
from vdroppath_tf.layers.sizes import image_sizes, images_of, sizes_of


def temporal_in_training(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A convolution of stride 1 over the first axis of images, padded by half its kernel.

    Args:
        x: ``(batch, time, cells, channels)``.
        kernel: ``(size, 1, channels, filters)``, of odd size.

    Returns:
        ``(batch, time, cells, filters)``.
    """
    y: tf.Tensor = _convolved(x, kernel)
    return y


def gradient_of_input(x: tf.Tensor, kernel: tf.Tensor, dy: tf.Tensor) -> tf.Tensor:
    """The gradient of the input of a convolution over time of stride 1.

    Args:
        x: The input, ``(batch, time, height, width, channels)``; only its sizes count.
        kernel: ``(size, 1, 1, channels, filters)``, of odd size.
        dy: The gradient of the output.
    """
    size, _, _, channels, filters = kernel.shape
    sizes = sizes_of(x)
    if size == 1:
        flat, rows = reshape(kernel, [channels, filters]), reshape(dy, [-1, filters])
        dx = tf.linalg.matmul(rows, flat, transpose_b=True)
    else:
        flat = reshape(kernel, [size, 1, channels, filters])
        dx = _of_input(image_sizes(sizes), flat, images_of(dy))
    return reshape(dx, [-1, *sizes[1:]])


def gradient_of_kernel(x: tf.Tensor, shape: tf.TensorShape, dy: tf.Tensor) -> tf.Tensor:
    """The gradient of the kernel of such a convolution, from its shape."""
    size, _, _, channels, filters = shape
    flat = (size, 1, channels, filters)
    if size == 1:
        rows, given = reshape(x, [-1, channels]), reshape(dy, [-1, filters])
        found = tf.linalg.matmul(rows, given, transpose_a=True)
    elif tf.config.list_logical_devices("GPU"):
        found = tf.raw_ops.Conv2DBackpropFilter(
            input=images_of(x),
            filter_sizes=constant(flat, tf.int32),
            out_backprop=images_of(dy),
            strides=[1, 1, 1, 1],
            padding="SAME",
        )
    else:
        found = _of_kernel(images_of(x), images_of(dy), flat)
    return reshape(found, list(shape))


@own_gradient
def _convolved(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
    def gradients(dy: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _of_input(sizes_of(x), kernel, dy), _of_kernel(x, dy, kernel.shape)

    return tf.nn.conv2d(x, kernel, 1, "SAME"), gradients


def _of_input(sizes: list[Any], kernel: tf.Tensor, dy: tf.Tensor) -> tf.Tensor:
    """The gradient of the input, of some sizes, of a convolution over the first axis of images."""
    known = all(isinstance(n, int) for n in sizes)
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=constant(tuple(sizes), tf.int32) if known else tf.stack(sizes),
        filter=kernel,
        out_backprop=dy,
        strides=[1, 1, 1, 1],
        padding="SAME",
    )


def _of_kernel(x: tf.Tensor, dy: tf.Tensor, shape: Iterable[int]) -> tf.Tensor:
    """The gradient of a kernel of a shape, from the input and the output's gradient."""
    size, _, channels, filters = shape
    dtype = x.dtype
    if dtype.size < 4:  # products of half precision are added up in float32
        x, dy = tf.cast(x, tf.float32), tf.cast(dy, tf.float32)
    shifted = tf.concat(_shifted(dy, size), constant(3, tf.int32))
    rows = tf.linalg.matmul(
        reshape(x, [-1, channels]), reshape(shifted, [-1, size * filters]), transpose_a=True
    )
    found = tf.transpose(
        reshape(rows, [channels, size, 1, filters]), constant((1, 2, 0, 3), tf.int32)
    )
    return tf.cast(found, dtype)


def _shifted(dy: tf.Tensor, size: int) -> list[tf.Tensor]:
    """``dy(t + half)`` to ``dy(t - half)``, zeros beyond the ends."""
    half = size // 2
    padded = tf.pad(dy, constant(((0, 0), (half, half), (0, 0), (0, 0)), tf.int32))
    parts = []
    for first in range(size - 1, -1, -1):
        last = first - size + 1  # from the end
        parts.append(dy if first == half else _frames(padded, first, last))
    return parts


def _frames(x: tf.Tensor, first: int, last: int) -> tf.Tensor:
    """``x[:, first:last]``, where a last of 0 is the end."""
    return tf.strided_slice(
        x,
        constant((0, first), tf.int32),
        constant((0, last), tf.int32),
        constant((1, 1), tf.int32),
        begin_mask=1,
        end_mask=1 if last else 3,
    )
