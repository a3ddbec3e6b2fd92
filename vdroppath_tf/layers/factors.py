"""What the gates of a fusion layer let through: pure functions of one draw, or of a hard mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class Factors(NamedTuple):
    """The factors of one call of a fusion layer.

    Attributes:
        keep: ``(batch, gates)``, as ``VariationalDropPath.keep`` gives it: the paths, input by
            input, then D1 where there is such a gate.
        shared: ``(gates,)``, the one row of ``keep`` where all samples share it; else None.
        branches: the branches of the layer, in the order of its paths.
        inputs: how many inputs have gates of their own; 1 where all share them.
        counted: whether "some path is on" is a factor of what paths feed. A hard mask needs it,
            or an empty layer would not be its shortcut; the published relaxation has none.
    """

    keep: tf.Tensor
    shared: tf.Tensor | None
    branches: tuple[str, ...]
    inputs: int
    counted: bool = True

    @property
    def paths(self) -> int:
        """How many of the gates are those of paths."""
        return self.inputs * len(self.branches)

    def of(self, branch: str) -> tf.Tensor:
        """``(batch, inputs)`` of one branch."""
        keep = tf.reshape(self.keep[:, : self.paths], [-1, self.inputs, len(self.branches)])
        return keep[:, :, self.branches.index(branch)]

    def any_of(self, branches: Sequence[str]) -> tf.Tensor:
        """``(batch,)``, the factor of what the branches feed: 0 if all their paths are dropped."""
        if not self.counted:
            return tf.ones(tf.shape(self.keep)[:1])
        return 1.0 - tf.reduce_prod(1.0 - tf.concat([self.of(b) for b in branches], 1), 1)

    def residual_gate(self) -> tf.Tensor:
        """``(batch,)``, the factor of the residual branch: 0 if all paths are dropped, or by D1."""
        return self.any_of(self.branches) * tf.reduce_prod(self.keep[:, self.paths :], 1)
