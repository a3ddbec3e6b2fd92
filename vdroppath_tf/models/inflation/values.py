"""The arithmetic of inflation: from arrays of a 2D network to the values of a 3D one."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.layers.normalization import EPSILON
from vdroppath_tf.models.conventions import Convention


def channels_last(value: np.ndarray, convention: Convention) -> np.ndarray:
    """PyTorch's ``(out, in, height, width)`` as ``(height, width, in, out)``; its dense kernels."""
    if not convention.torch or value.ndim < 2:
        return value
    return value.transpose((2, 3, 1, 0) if value.ndim == 4 else (1, 0))


def in_time(kernel: np.ndarray, frames: int) -> np.ndarray:
    """``(height, width, in, out)`` to ``(frames, ...)``: repeated, divided by ``frames``.

    On a still clip, away from its ends, the result gives what ``kernel`` gives on one frame.
    """
    return np.repeat(kernel[None] / np.float32(frames), frames, axis=0)


def fed_as_ours(kernel: np.ndarray, convention: Convention) -> tuple[np.ndarray, np.ndarray]:
    """The stem's kernel for this package's input, and what its response then lacks, ``(out,)``.

    With theirs = factor * ours + shift, ``conv(w, theirs) = conv(factor w, ours) + sum(w shift)``;
    at the border of the picture the second term is not exact, since zeros are other colours there.
    """
    factor, shift = convention.statistics.from_ours()
    if convention.statistics.bgr:
        kernel = kernel[:, :, ::-1]
    missing = np.einsum("hwio,i->o", kernel.astype("float64"), shift)
    return (kernel * factor[:, None]).astype("float32"), missing.astype("float32")


def for_channels(kernel: np.ndarray, channels: int) -> np.ndarray:
    """The stem's kernel for clips that are not RGB.

    Of flow its mean over RGB, for each channel (TSN). Of grey its sum: what it gives of a clip
    whose three colours are the same.
    """
    if channels == kernel.shape[2]:
        return kernel
    if channels == 1:
        return kernel.sum(2, keepdims=True)
    return np.repeat(kernel.mean(2, keepdims=True), channels, axis=2)


def variance_for(variance: np.ndarray, convention: Convention) -> np.ndarray:
    """Moving variance with the difference of the epsilons added: the same function, exactly."""
    return variance + np.float32(convention.epsilon - EPSILON)


def depthwise(kernel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A depthwise kernel ``(height, width, channels)`` with the ones where ``shape`` has them."""
    return kernel.reshape(shape) if kernel.size == int(np.prod(shape)) else kernel
