"""FusionConv: the parallel convolutions of a fusion layer, and their gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ..strategy import FusionUnit
from .convolution import Convolution, Triple, convolve
from .drop_path import VariationalDropPath, gate_like

# sub-layer and kernel of each branch; the shared 1x3x3 follows the fusion layer (Fig. 3)
BRANCHES: dict[str, tuple[str, Triple]] = {
    "S": ("spatial", (1, 1, 1)),
    "ST": ("spatiotemporal", (3, 1, 1)),
}


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class FusionConv(keras.layers.Layer):
    """The S (1x1x1) and ST (3x1x1) convolutions of a layer, summed (Fig. 3).

    As a template (``unit=None``) all branches exist and variational DropPath gates them. With a
    unit only its branches exist and nothing is gated. Where the factors of the paths are the same
    for the whole batch (hard masks, ``noise="batch"``) the branches run as one merged convolution,
    which is exact.

    Args:
        filters: channels of the output.
        branches: the branches of the template.
        unit: the fusion unit of a derived network; None makes a template.
        gate: options of ``VariationalDropPath`` (template only).

    Call arguments:
        inputs: ``(batch, time, height, width, channels)``.
        training: bool.

    Returns:
        Derived: ``(batch, time, height, width, filters)``. Template: that, then ``alive``,
        ``(batch, 1, 1, 1, 1)``, the factor of everything the layer feeds alone (0 where no path is
        on), then the coefficient of ``||w||^2`` for the next convolution (0 without D1), a scalar.
    """

    def __init__(
        self,
        filters: int,
        *,
        branches: Sequence[str] = ("S", "ST"),
        unit: str | None = None,
        gate: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.branches, self.gate = filters, tuple(branches), dict(gate or {})
        self.unit = None if unit is None else FusionUnit(unit)
        wanted = self.branches if self.unit is None else self.unit.branches
        unknown = [b for b in self.branches if b not in BRANCHES]
        absent = [b for b in wanted if b not in self.branches]
        if unknown or absent or not wanted or (self.unit is not None and self.unit.inputs):
            raise ValueError(
                f"{self.name}: a fusion layer needs at least one branch of {list(BRANCHES)}, and a "
                "unit of its own branches that all inputs share. "
                f"Received: branches={self.branches}, unit={unit!r}"
            )
        self.paths = []
        for branch in wanted:
            name, kernel_size = BRANCHES[branch]
            self.paths.append(Convolution(filters, kernel_size, dtype=self.dtype_policy, name=name))
        self.drop_path: Any = None  # a template's VariationalDropPath
        if self.unit is None:
            self.drop_path = VariationalDropPath(len(self.paths), name="drop_path", **self.gate)

    def build(self, input_shape: Sequence[int | None]) -> None:
        for path in self.paths:
            path.build(input_shape)
        if self.drop_path is not None:
            self.drop_path.build()

    def call(self, inputs: tf.Tensor, training: bool = False) -> Any:
        if self.drop_path is None:
            return self._merged(inputs, [1.0] * len(self.paths))
        batch = tf.shape(inputs)[0]
        if self.drop_path.per_sample(training):
            keep = self.drop_path.keep(batch, training=training)
            y = self._summed(inputs, keep)
        else:  # not the first row of keep(): a replica's batch may be empty
            shared = self.drop_path.shared_keep(training)
            y = self._merged(inputs, tf.unstack(shared[: len(self.paths)]))
            keep = tf.repeat(shared[None], batch, 0)
        self.drop_path.add_kl(self._squared_norms(), training=training)
        return y, self._alive(keep, y.dtype), self._next_prior(training)

    def _summed(self, inputs: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
        paths = [path(inputs) for path in self.paths]
        return tf.add_n([y * gate_like(keep[:, i], y) for i, y in enumerate(paths)])

    def _merged(self, inputs: tf.Tensor, factors: Sequence[Any]) -> tf.Tensor:
        """One convolution with the sum of the kernels, each padded in time to the longest."""
        longest = max(path.kernel_size[0] for path in self.paths)
        kernels = []
        for path, factor in zip(self.paths, factors, strict=True):
            pad = (longest - path.kernel_size[0]) // 2
            kernel = tf.convert_to_tensor(path.kernel)
            kernel = kernel * tf.cast(factor, kernel.dtype)
            kernels.append(tf.pad(kernel, [[pad, pad]] + [[0, 0]] * 4))
        return convolve(inputs, tf.cast(tf.add_n(kernels), self.compute_dtype))

    def _squared_norms(self) -> tf.Tensor:
        norms = [tf.reduce_sum(tf.cast(path.kernel, "float32") ** 2) for path in self.paths]
        return tf.stack(norms)

    def _alive(self, keep: tf.Tensor, dtype: Any) -> tf.Tensor:
        """How much of the layer is there: 1 - (all paths dropped), times the keep of D1."""
        paths = len(self.paths)
        alive = 1.0 - tf.reduce_prod(1.0 - keep[:, :paths], 1)
        alive *= tf.reduce_prod(keep[:, paths:], 1)
        return tf.cast(alive[:, None, None, None, None], dtype)

    def _next_prior(self, training: bool) -> tf.Tensor:
        if self.drop_path.drop_layer and self.drop_path.random(training):
            return self.drop_path.priors()[-1]
        return tf.zeros(())

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        y = keras.KerasTensor((*inputs.shape[:-1], self.filters), self.compute_dtype)
        if self.unit is not None:
            return y
        alive = keras.KerasTensor((inputs.shape[0], 1, 1, 1, 1), self.compute_dtype)
        return y, alive, keras.KerasTensor((), "float32")

    def macs(self, input_shape: Sequence[int]) -> int:
        """Multiply-adds for one clip, every branch counted as its own convolution."""
        return sum(path.macs(input_shape) for path in self.paths)

    def get_config(self) -> dict[str, Any]:
        gate = dict(self.gate)
        if self.drop_path is not None:  # what may have changed since
            if self.drop_path.num_train_examples is not None:
                gate["num_train_examples"] = self.drop_path.num_train_examples
            gate.pop("trainable", None)
            if not self.drop_path.trainable:
                gate["trainable"] = False
        return {
            **super().get_config(),
            "filters": self.filters,
            "branches": self.branches,
            "unit": None if self.unit is None else str(self.unit),
            "gate": gate,
        }
