"""What hard masks of a fusion layer let through: the counterpart of ``together.Drawn``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Masks:
    """The factors of one call of a fusion layer whose paths are switched by a hard mask.

    Attributes:
        rows: ``(paths, 1)`` of 0 and 1, input by input.
        paths: the rows in the layer's dtype, each ``(1, 1, 1, 1, 1)``.
        scalars: the rows as numbers.
        residual_gate: ``(batch, 1, 1, 1, 1)``: 0 if all paths are dropped.
        spatial_gate: the same of what S and ST feed.
        weight_prior: None, as nothing is learned.
    """

    rows: tf.Tensor
    paths: Sequence[tf.Tensor]
    scalars: Sequence[tf.Tensor]
    residual_gate: tf.Tensor
    spatial_gate: tf.Tensor
    weight_prior: None = None

    @classmethod
    def of(cls, mask: tf.Tensor, spatial: Sequence[bool], batch: Any, dtype: str) -> Masks:
        """The factors of a mask.

        Args:
            mask: ``(paths,)`` of 0 and 1.
            spatial: which of the paths feed the 1x3x3.
            batch: samples.
            dtype: of the layer.
        """
        wide = tf.cast(tf.reshape(mask, [-1, 1, 1, 1, 1, 1]), dtype)
        shape = [batch, 1, 1, 1, 1]
        every = tf.broadcast_to(tf.reduce_max(wide, 0), shape)
        some = every
        if not all(spatial):
            fed = tf.gather(wide, [n for n, feeds in enumerate(spatial) if feeds])
            some = tf.broadcast_to(tf.reduce_max(fed, 0), shape)
        return cls(
            mask[:, None],
            tf.unstack(wide),
            tf.unstack(mask),
            every,
            some,
        )
