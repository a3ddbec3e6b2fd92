"""FusionConv: the parallel paths of a fusion layer, and their gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.convolution import Triple, convolve
from vdroppath_tf.layers.drop_path import VariationalDropPath, gate_like
from vdroppath_tf.layers.path import FORMS, Path
from vdroppath_tf.spaces.unit import FusionUnit

# sub-layer and kernel of each branch. The shared 1x3x3 follows S and ST (Fig. 3); T goes round it.
BRANCHES: dict[str, tuple[str, Triple]] = {
    "S": ("spatial", (1, 1, 1)),
    "T": ("temporal", (3, 1, 1)),
    "ST": ("spatiotemporal", (3, 1, 1)),
}


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class FusionConv(keras.layers.Layer):
    """The S (1x1x1), ST (3x1x1) and T (3x1x1) paths of a layer (Fig. 3; T is our extension).

    S and ST are summed, for the 1x3x3 convolution that follows. T comes out by itself: it has no
    3x3 in space, and joins what the 1x3x3 gives.

    As a template (``unit=None``) all branches exist and variational DropPath gates them. With a
    unit only its branches exist and nothing is gated. Where paths are convolutions alone and their
    factors are the same for the whole batch (hard masks, ``noise="batch"``) S and ST run as one
    merged convolution, which is exact.

    Args:
        filters: channels of S and ST.
        branches: the branches of the template.
        unit: the fusion unit of a derived network; None makes a template.
        gate: options of ``VariationalDropPath`` (template only).
        form: ``"plain"``, each path a convolution; ``"pre"``, BN and ReLU of its own before it;
            ``"post"``, BN and ReLU6 after it.
        temporal: channels and strides of T, ``(filters, (time, height, width))``.
        widths: channels of each of the layer's inputs, which are concatenated, where each input
            has gates of its own (so the unit reads ``S@101+ST@011``); None: one gate for all.

    Call arguments:
        inputs: ``(batch, time, height, width, channels)``.
        training: bool.

    Returns:
        Derived: ``(batch, time, height, width, filters)``, T's output instead for the unit T, both
        where there are both. Template: S and ST; then ``alive``, ``(batch, 1, 1, 1, 1)``, the
        factor of everything the layer feeds alone (0 where no path is on); then the coefficient of
        ``||w||^2`` for the next convolution (0 without D1), a scalar; and with the branch T, its
        output, and the factor of what S and ST feed alone.
    """

    def __init__(
        self,
        filters: int,
        *,
        branches: Sequence[str] = ("S", "ST"),
        unit: str | None = None,
        gate: dict[str, Any] | None = None,
        form: str = "plain",
        temporal: tuple[int, Triple] | None = None,
        widths: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.branches, self.gate = filters, tuple(branches), dict(gate or {})
        self.form, self.widths = form, None if widths is None else tuple(widths)
        self.temporal: Any = None if temporal is None else (temporal[0], tuple(temporal[1]))
        self.unit = None if unit is None else FusionUnit(unit)
        self.wanted = self.branches if self.unit is None else self.unit.branches
        self._check(unit)
        self._paths = {branch: self._make_path(branch) for branch in self.wanted}
        self.paths = [path.convolution for path in self._paths.values()]
        self.norms = [path.norm for path in self._paths.values() if path.norm is not None]
        self.drop_path: Any = None  # a template's VariationalDropPath
        if self.unit is None:
            gates = len(self.wanted) * self.inputs
            self.drop_path = VariationalDropPath(gates, name="drop_path", **self.gate)

    @property
    def inputs(self) -> int:
        """How many inputs have gates of their own; 1 where all share them."""
        return 1 if self.widths is None else len(self.widths)

    def _check(self, unit: Any) -> None:
        unknown = [b for b in self.branches if b not in BRANCHES]
        absent = [b for b in self.wanted if b not in self.branches]
        masks = () if self.unit is None else self.unit.inputs.values()
        wrong = [mask for mask in masks if self.widths is None or len(mask) != self.inputs]
        if unknown or absent or not self.wanted or wrong or self.form not in FORMS:
            inputs = "all inputs share" if self.widths is None else f"{self.inputs} inputs have"
            raise ValueError(
                f"{self.name}: a fusion layer needs at least one branch of {list(BRANCHES)}, a "
                f"unit of its own branches that {inputs}, and a form of {FORMS}. "
                f"Received: branches={self.branches}, unit={unit!r}, form={self.form!r}"
            )
        if "T" in self.wanted and self.temporal is None:
            raise ValueError(f"{self.name}: the branch T needs temporal=(filters, strides).")
        if self.unit is None and not self._spatial:
            raise ValueError(f"{self.name}: a template needs the branch S or ST beside T.")
        if self.widths is not None and self.form == "post":
            raise ValueError(f"{self.name}: gates per input need a path without BN after it.")

    def _make_path(self, branch: str) -> Path:
        name, size = BRANCHES[branch]
        filters, strides = self.filters, (1, 1, 1)
        if branch == "T" and self.temporal is not None:
            filters, strides = self.temporal
        return Path(
            name,
            filters,
            size,
            strides,
            form=self.form,
            widths=self.widths or (),
            kept=None if self.unit is None else self.unit.inputs.get(branch),
            dtype=self.dtype_policy,
        )

    def build(self, input_shape: Sequence[int | None]) -> None:
        for path in self._paths.values():
            path.build(input_shape)
        if self.drop_path is not None:
            self.drop_path.build()

    def call(self, inputs: tf.Tensor, training: bool = False) -> Any:
        if self.drop_path is None:
            return self._derived(inputs, training)
        batch = tf.shape(inputs)[0]
        shared = None
        if self.drop_path.per_sample(training):
            keep = self.drop_path.keep(batch, training=training)
        else:  # not the first row of keep(): a replica's batch may be empty
            shared = self.drop_path.shared_keep(training)
            keep = tf.repeat(shared[None], batch, 0)
        self.drop_path.add_kl(self._squared_norms(), training=training)
        factors = self._by_branch(keep, batch)
        if self._mergeable and shared is not None:
            merged = dict(zip(self.wanted, tf.unstack(shared[: len(self.wanted)]), strict=True))
            kernel = self._merged_kernel({branch: merged[branch] for branch in self._spatial})
            y = convolve(inputs, kernel)
        else:
            y = tf.add_n([self._gated(b, inputs, factors[b], training) for b in self._spatial])
        alive = _any_on(list(factors.values())) * tf.reduce_prod(keep[:, self.drop_path.paths :], 1)
        outputs = y, gate_like(alive, y), self._next_prior(training)
        if "T" not in factors:
            return outputs
        spatial = _any_on([factors[b] for b in self._spatial])
        y = self._gated("T", inputs, factors["T"], training)
        return *outputs, y, gate_like(spatial, y)

    def _by_branch(self, keep: tf.Tensor, batch: Any) -> dict[str, tf.Tensor]:
        """Each branch's ``(batch, inputs)`` factors."""
        branches = len(self.wanted)
        paths = tf.reshape(keep[:, : self.drop_path.paths], [batch, self.inputs, branches])
        return dict(zip(self.wanted, tf.unstack(paths, branches, axis=2), strict=True))

    @property
    def _spatial(self) -> list[str]:
        """The branches whose sum the 1x3x3 convolution sees."""
        return [branch for branch in self.wanted if branch != "T"]

    @property
    def _mergeable(self) -> bool:
        return self.form == "plain" and self.widths is None

    def _derived(self, x: tf.Tensor, training: bool) -> Any:
        both = self.only(x, dict.fromkeys(self.wanted), training)
        outputs = [y for y in both if y is not None]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def only(
        self,
        inputs: tf.Tensor,
        keeps: Mapping[str, Any],
        training: bool = False,
        convolve: Callable[[tf.Tensor, tf.Tensor], Any] = convolve,
    ) -> tuple[Any, tf.Tensor | None]:
        """Some of the branches, wholly on; the others are not computed.

        Args:
            inputs: ``(batch, time, height, width, channels)``.
            keeps: the branches, each with its ``(1 or batch, inputs)`` factors where inputs have
                gates of their own, or None.
            training: of the batch norms.
            convolve: runs, or notes down, the merged convolution of S and ST.

        Returns:
            S and ST summed, and T; None for what is not among the branches.
        """
        x = tf.cast(inputs, self.compute_dtype)
        spatial = [branch for branch in self._spatial if branch in keeps]
        y = temporal = None
        if spatial and self._mergeable:
            y = convolve(x, self._merged_kernel(dict.fromkeys(spatial, 1.0)))
        elif spatial:
            y = tf.add_n([self._paths[b](x, keeps[b], training) for b in spatial])
        if "T" in keeps:
            temporal = self._paths["T"](x, keeps["T"], training)
        return y, temporal

    def _gated(self, branch: str, x: tf.Tensor, keep: tf.Tensor, training: bool) -> tf.Tensor:
        if self.widths is not None:
            return self._paths[branch](x, keep, training)
        y = self._paths[branch](x, None, training)
        return y * gate_like(keep[:, 0], y)

    def _merged_kernel(self, factors: dict[str, Any]) -> tf.Tensor:
        """The sum of the kernels, each padded in time to the longest: one convolution for all."""
        convolutions = [self._paths[branch].convolution for branch in factors]
        longest = max(one.kernel_size[0] for one in convolutions)
        kernels = []
        for branch, convolution in zip(factors, convolutions, strict=True):
            pad = (longest - convolution.kernel_size[0]) // 2
            kernel = tf.convert_to_tensor(convolution.kernel)
            kernel = kernel * tf.cast(factors[branch], kernel.dtype)
            kernels.append(tf.pad(kernel, [[pad, pad]] + [[0, 0]] * 4))
        return tf.cast(tf.add_n(kernels), self.compute_dtype)

    def _squared_norms(self) -> tf.Tensor:
        """``(paths,)``, input by input, as the gates stand."""
        norms = [path.squared_norms() for path in self._paths.values()]
        return tf.reshape(tf.stack(norms, 1), [-1])

    def _next_prior(self, training: bool) -> tf.Tensor:
        if self.drop_path.drop_layer and self.drop_path.random(training):
            return self.drop_path.priors()[-1]
        return tf.zeros(())

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        y = keras.KerasTensor((*inputs.shape[:-1], self.filters), self.compute_dtype)
        temporal: list[Any] = []
        if "T" in self._paths:
            temporal = [self._paths["T"].convolution.compute_output_spec(inputs)]
        if self.unit is not None:
            outputs = [y] * bool(self._spatial) + temporal
            return outputs[0] if len(outputs) == 1 else tuple(outputs)
        factor = (inputs.shape[0], 1, 1, 1, 1)
        alive = keras.KerasTensor(factor, self.compute_dtype)
        prior = keras.KerasTensor((), "float32")
        if not temporal:
            return y, alive, prior
        return y, alive, prior, *temporal, keras.KerasTensor(factor, self.compute_dtype)

    def macs(self, input_shape: Sequence[int]) -> int:
        """Multiply-adds for one clip, every branch counted as its own convolution."""
        return sum(sum(macs) for macs in self.macs_by_branch(input_shape).values())

    def macs_by_branch(self, input_shape: Sequence[int]) -> dict[str, list[int]]:
        """Multiply-adds of each path for one clip, by input where inputs have gates of their own.

        A derived layer has one number for each path: what the unit's inputs cost together.
        """
        return {branch: path.macs(input_shape) for branch, path in self._paths.items()}

    def parameters_by_branch(self) -> dict[str, list[int]]:
        """Parameters of each path, in the same way."""
        return {branch: path.parameters() for branch, path in self._paths.items()}

    def weight_paths(self, branch: str) -> list[str]:
        """Paths of the weights of one of the branches."""
        path = self._paths[branch]
        own = [path.convolution, *([] if path.norm is None else [path.norm])]
        return [v.path for layer in own for v in layer.weights]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "branches": self.branches,
            "unit": None if self.unit is None else str(self.unit),
            "gate": self.gate if self.drop_path is None else self.drop_path.updated(self.gate),
            "form": self.form,
            "temporal": self.temporal,
            "widths": self.widths,
        }


def _any_on(factors: Sequence[tf.Tensor]) -> tf.Tensor:
    """``(batch,)``: 1 - (all of the ``(batch, inputs)`` paths dropped)."""
    return 1.0 - tf.reduce_prod(1.0 - tf.concat(list(factors), 1), 1)


def batch_norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Every batch norm of a network, those of the paths of fusion layers included."""
    found = []
    for layer in model.layers:
        if isinstance(layer, FusionConv):
            found += layer.norms
        elif isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
    return found
