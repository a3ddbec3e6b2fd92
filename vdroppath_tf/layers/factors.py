"""What lets the paths of a fusion layer through in one call: its relaxed gates, or a hard mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Factors:
    """The factors of one call of a fusion layer.

    Attributes:
        rows: ``(paths, batch)`` factors of the paths, input by input, or ``(paths, 1)`` where all
            samples share them; None where all inputs share their gates.
        paths: each of the paths' in the layer's dtype, ``(batch, 1, 1, 1, 1)`` or, where all
            samples share them, ``(1, 1, 1, 1, 1)``.
        scalars: the same as numbers where all samples share them; else None.
        residual_gate: ``(batch, 1, 1, 1, 1)``, of the residual branch.
        spatial_gate: the same of what S and ST feed.
        weight_prior: coefficient of ``||w||^2`` for the convolution that D1 drops; None without
            D1, and under a hard mask, where nothing is learned.
    """

    rows: tf.Tensor | None
    paths: Sequence[tf.Tensor]
    scalars: Sequence[tf.Tensor] | None
    residual_gate: tf.Tensor
    spatial_gate: tf.Tensor
    weight_prior: tf.Tensor | None


def of_mask(
    mask: tf.Tensor, spatial: Sequence[bool], batch: Any, dtype: str, *, per_input: bool
) -> Factors:
    """The factors of a hard mask; a gate is 0 if all the paths behind it are dropped.

    Args:
        mask: ``(paths,)`` of 0 and 1.
        spatial: which of the paths feed the 1x3x3.
        batch: samples.
        dtype: of the layer.
        per_input: whether inputs have gates of their own.
    """
    wide = tf.cast(tf.reshape(mask, [-1, 1, 1, 1, 1, 1]), dtype)
    shape = [batch, 1, 1, 1, 1]
    every = tf.broadcast_to(tf.reduce_max(wide, 0), shape)
    some = every
    if not all(spatial):
        fed = tf.gather(wide, [n for n, feeds in enumerate(spatial) if feeds])
        some = tf.broadcast_to(tf.reduce_max(fed, 0), shape)
    rows = mask[:, None] if per_input else None
    return Factors(rows, tf.unstack(wide), tf.unstack(mask), every, some, None)
