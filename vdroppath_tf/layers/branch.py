"""One branch of a fusion layer: its convolution, and what it has of its own before or after it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.convolve import Triple
from vdroppath_tf.layers.normalization import batch_norm, follow
from vdroppath_tf.layers.preactivation import Path, normalized_paths


class Branch:
    """The layers of one branch; a part of ``FusionConv``, which tracks them.

    Args:
        name: str, name of the convolution; that of the batch norm ends in ``_bn``.
        filters: int, channels of the output.
        size: Sizes ``(time, height, width)`` of the kernel.
        strides: Strides ``(time, height, width)``.
        before: str, name of the activation that follows a batch norm in front of the convolution
            (``"relu"`` in a DenseNet). Defaults to ``None``, neither of them.
        after: str, name of the activation that follows a batch norm behind the convolution
            (``"relu6"`` in a MobileNetV2). Defaults to ``None``, neither of them.
        widths: Channels of each of the layer's inputs, where they have gates of their own.
        kept: 0/1 mask over the inputs that the branch of a derived network sees. Defaults to
            ``None``, all of them.
        dtype: Policy of the layers.

    Raises:
        ValueError: If an activation is unknown, or there is one on both sides.
    """

    def __init__(
        self,
        name: str,
        filters: int,
        size: Triple,
        strides: Triple,
        *,
        before: str | None = None,
        after: str | None = None,
        widths: Sequence[int] = (),
        kept: Sequence[int] | None = None,
        dtype: Any = None,
    ) -> None:
        if before is not None and after is not None:
            raise ValueError(
                f"A batch norm stands before or after the convolution of a branch. "
                f"Received: before={before!r}, after={after!r}"
            )
        self.before, self.after = _activation(before), _activation(after)
        self.widths = tuple(widths)
        self.slices = input_slices(widths, kept) if kept is not None and not all(kept) else None
        self.convolution = Convolution(filters, size, strides, name=name, dtype=dtype)
        self.norm: Any = None
        if before is not None or after is not None:
            self.norm = batch_norm(name=f"{name}_bn", dtype=dtype)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Builds the layers for inputs of ``(batch, time, height, width, channels)``."""
        seen = self._seen(input_shape)
        self.convolution.build(seen)
        if self.norm is not None:
            normed = seen[-1] if self.after is None else self.convolution.filters
            self.norm.build((*seen[:-1], normed))

    def __call__(self, x: tf.Tensor, keep: Any = None, training: bool = False) -> tf.Tensor:
        """The branch of ``x``, its inputs times ``keep`` ``(batch, inputs)``, if that is given."""
        if self.slices is not None:
            x = tf.concat([x[..., start:end] for start, end in self.slices], -1)
        if self.before is not None:
            x = self.before(self.norm(x, training=training))
        if keep is not None:
            channels = tf.repeat(keep, self.widths, axis=1)
            x *= tf.cast(channels[:, None, None, None, :], x.dtype)
        x = self.convolution(x, training=training)
        return x if self.after is None else self.after(self.norm(x, training=training))

    def shares(self, x: tf.Tensor, training: bool) -> bool:
        """Whether it runs as one with other branches of ``x``; see ``normalized_paths``."""
        if self.before is not keras.activations.relu or self.slices is not None:
            return False
        size, strides = self.convolution.kernel_size, self.convolution.strides
        plain = tuple(size[1:]) == (1, 1) and tuple(strides) == (1, 1, 1)
        return plain and self.norm.fuses(x, training)

    def macs(self, input_shape: Sequence[int]) -> list[int]:
        """Multiply-adds for one clip whose input here is ``(time, height, width, channels)``.

        One number, or one for each input where inputs have gates of their own in a template.
        """
        whole = self.convolution.macs(self._seen(input_shape))
        return self._by_input(whole)

    def parameters(self) -> list[int]:
        """Parameters of kernel and batch norm, in the same way."""
        norm = 0 if self.norm is None else 2 * self.norm.gamma.shape[0]
        return self._by_input(math.prod(self.convolution.kernel.shape) + norm)

    def _by_input(self, whole: int) -> list[int]:
        """A cost that grows with the channels of the input, split among the inputs."""
        if not self.widths or self.slices is not None:
            return [whole]
        return [whole * width // sum(self.widths) for width in self.widths]

    def _seen(self, input_shape: Sequence[Any]) -> tuple[Any, ...]:
        """The input's shape with the channels of the inputs that are kept."""
        if self.slices is None:
            return tuple(input_shape)
        return (*input_shape[:-1], sum(end - start for start, end in self.slices))

    def half_squared_norms(self) -> tf.Tensor:
        """``||w||^2 / 2`` of the kernel: a number, or ``(inputs,)`` where inputs have own gates."""
        kernel = tf.cast(self.convolution.kernel, "float32")
        if not self.widths:
            return tf.nn.l2_loss(kernel)
        owners = np.repeat(np.arange(len(self.widths), dtype="int32"), self.widths)
        squares = 0.5 * tf.reduce_sum(kernel**2, [0, 1, 2, 4])
        return tf.math.unsorted_segment_sum(squares, owners, len(self.widths))


def _activation(name: str | None) -> Callable[[tf.Tensor], tf.Tensor] | None:
    return None if name is None else keras.activations.get(name)


def run_branches(
    branches: Mapping[str, Branch],
    x: tf.Tensor,
    training: bool,
    *,
    keeps: Mapping[str, Any],
    gates: Mapping[str, tf.Tensor] | None = None,
) -> dict[str, tf.Tensor]:
    """What branches give of one input, in training as one operation where they share its norm.

    Args:
        branches: The branches by name.
        x: ``(batch, time, height, width, channels)``.
        training: Whether batch norms use the batch's own statistics.
        keeps: For each name the factors of its inputs, or None.
        gates: For each name what multiplies the result, ``(batch or 1, 1, 1, 1, 1)``.
    """
    every = list(branches.values())
    norms = [branch.norm for branch in every]
    alike = len({(norm.epsilon, norm.momentum) for norm in norms if norm is not None}) == 1
    factors = any(keeps[name] is not None for name in branches)
    if not alike or factors or not all(branch.shares(x, training) for branch in every):
        found = {name: branch(x, keeps[name], training) for name, branch in branches.items()}
        return found if gates is None else {n: y * gates[n] for n, y in found.items()}
    paths = [
        Path(
            tf.convert_to_tensor(branch.norm.gamma),
            tf.convert_to_tensor(branch.norm.beta),
            tf.cast(branch.convolution.kernel, x.dtype),
            None if gates is None else gates[name],
        )
        for name, branch in branches.items()
    ]
    outputs, moments = normalized_paths(x, paths, norms[0].epsilon)
    follow(norms, *moments)
    return dict(zip(branches, outputs, strict=True))


def merged_kernel(branches: Sequence[tuple[Branch, Any]], dtype: str) -> tf.Tensor:
    """The sum of kernels, each padded in time to the longest: one convolution for all.

    Args:
        branches: Branches that are convolutions alone, each with its factor.
        dtype: What the kernel is cast to.
    """
    longest = max(branch.convolution.kernel_size[0] for branch, _ in branches)
    kernels = []
    for branch, factor in branches:
        pad = (longest - branch.convolution.kernel_size[0]) // 2
        kernel = tf.convert_to_tensor(branch.convolution.kernel)
        kernel = kernel * tf.cast(factor, kernel.dtype)
        kernels.append(tf.pad(kernel, [[pad, pad]] + [[0, 0]] * 4))
    return tf.cast(tf.add_n(kernels), dtype)


def input_slices(widths: Sequence[int], kept: Sequence[int]) -> list[tuple[int, int]]:
    """``(start, end)`` of the channels of each input that is kept."""
    ends = list(accumulate(widths))
    pairs = zip(ends, widths, kept, strict=True)
    return [(end - width, end) for end, width, on in pairs if on]
