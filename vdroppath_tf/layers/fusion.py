"""FusionConv: the parallel paths of a fusion layer, and their gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.layers.branch import Branch, merged_kernel, run_branches
from vdroppath_tf.layers.convolve import Triple, convolve
from vdroppath_tf.layers.drop_path import (
    RESIDUAL_GATES,
    VariationalDropPath,
    probability,
    with_residual_gate,
)
from vdroppath_tf.layers.factors import Factors, of_mask
from vdroppath_tf.layers.losses import add_replica_loss
from vdroppath_tf.layers.sizes import size_of
from vdroppath_tf.layers.together import draw, drawn_for
from vdroppath_tf.names import named
from vdroppath_tf.spaces.layer_gates import LayerGates, layers_inside
from vdroppath_tf.spaces.prior import FORMER_WEIGHT_REG, with_strength
from vdroppath_tf.spaces.unit import FusionUnit

# sub-layer and kernel of each branch. The shared 1x3x3 follows S and ST (Fig. 3); T goes round it.
BRANCHES: dict[str, tuple[str, Triple]] = {
    "S": ("spatial", (1, 1, 1)),
    "T": ("temporal", (3, 1, 1)),
    "ST": ("spatiotemporal", (3, 1, 1)),
}


@keras.saving.register_keras_serializable(package="vdroppath_tf")
@named
class FusionConv(keras.layers.Layer):
    """The S (1x1x1), ST (3x1x1) and T (3x1x1) paths of a layer (Fig. 3; T is our extension).

    S and ST are summed, for the 1x3x3 convolution that follows. T comes out by itself: it has no
    3x3 in space, and joins what the 1x3x3 gives.

    As a template (``unit=None``) all branches exist and variational DropPath gates them. With a
    unit only its branches exist and nothing is gated. Where paths are convolutions alone and their
    factors are the same for the whole batch (hard masks, ``noise="batch"``) S and ST run as one
    merged convolution, which is exact.

    Example:
    ```python
    layer = vdroppath_tf.layers.FusionConv(8, gate={"num_train_examples": 100})
    outputs = layer(np.zeros((2, 4, 6, 6, 3), "float32"))
    sorted(outputs)  # ['output', 'residual_gate']
    ```

    Args:
        filters: int, channels of S and ST.
        branches: The branches of the template, out of S, T and ST. Defaults to ``("S", "ST")``.
        unit: str, the fusion unit of a derived network. Defaults to ``None``, which makes a
            template.
        gate: dict, options of ``VariationalDropPath`` (template only). Defaults to its defaults.
        before: str, name of the activation of each path that follows a batch norm in front of its
            convolution. Defaults to ``None``, neither of them.
        after: str, name of the activation of each path that follows a batch norm behind its
            convolution. Defaults to ``None``, neither of them.
        temporal: Channels and strides of T, ``(filters, (time, height, width))``. Defaults to
            ``None``, for a layer without T.
        widths: Channels of each of the layer's inputs, which are concatenated, where each input
            has gates of its own (so the unit reads ``S@101+ST@011``). Defaults to ``None``, one
            gate for all.
        name: str, name of the layer. Defaults to a number behind ``fusion_conv``.
        dtype: Precision of the layer, or its policy. Defaults to the global policy.
        trainable: bool, whether its weights are trained. Defaults to ``True``.

    Call arguments:
        inputs: ``(batch, time, height, width, channels)``.
        training: bool.

    Returns:
        A dict of tensors by name, those that there are:

        * ``"output"``, ``(batch, time, height, width, filters)``: S and ST, summed.
        * ``"temporal"``: T, with its own channels and strides.
        * ``"residual_gate"``, ``(batch, 1, 1, 1, 1)``: multiplies the residual branch; 0 if a hard
          mask drops all paths. Of a template on a residual branch. While gates are relaxed it is
          as the gate's option ``residual_gate`` says.
        * ``"spatial_gate"``, of the same shape: multiplies what S and ST feed; 0 if a hard mask
          drops both, and otherwise in the same way. Of a template with T.
        * ``"weight_prior"``, a scalar: the coefficient of ``||w||^2`` for the convolution that D1
          drops. Of a template with D1 (``drop_layer=True`` in ``gate``).
    """

    def __init__(
        self,
        filters: int,
        *,
        branches: Sequence[str] = ("S", "ST"),
        unit: str | None = None,
        gate: dict[str, Any] | None = None,
        before: str | None = None,
        after: str | None = None,
        temporal: tuple[int, Triple] | None = None,
        widths: Sequence[int] | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        self.filters, self.branches, self.gate = filters, tuple(branches), dict(gate or {})
        self.before, self.after = before, after
        self.widths = None if widths is None else tuple(widths)
        self.temporal: Any = None if temporal is None else (temporal[0], tuple(temporal[1]))
        self.unit = None if unit is None else FusionUnit(unit)
        self.wanted = self.branches if self.unit is None else self.unit.branches
        self._check(unit)
        self._branches = {branch: self._make(branch) for branch in self.wanted}
        self.paths = [branch.convolution for branch in self._branches.values()]
        norms = (branch.norm for branch in self._branches.values())
        self.norms = [norm for norm in norms if norm is not None]
        self.drop_path: Any = None  # a template's VariationalDropPath
        if self.unit is None:
            self.gate.setdefault(
                "residual_gate", RESIDUAL_GATES[0]
            )  # files say it, see from_config
            self.gate = with_strength(self.gate)
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
        if unknown or absent or not self.wanted or wrong:
            inputs = "all inputs share" if self.widths is None else f"{self.inputs} inputs have"
            raise ValueError(
                f"{self.name}: a fusion layer needs at least one branch of {list(BRANCHES)}, and "
                f"a unit of its own branches that {inputs}. "
                f"Received: branches={self.branches}, unit={unit!r}"
            )
        if "T" in self.wanted and self.temporal is None:
            raise ValueError(f"{self.name}: the branch T needs temporal=(filters, strides).")
        if self.unit is None and not self._spatial:
            raise ValueError(f"{self.name}: a template needs the branch S or ST in addition to T.")
        if self.widths is not None and self.after is not None:
            raise ValueError(f"{self.name}: gates per input need a path without BN after it.")

    def _make(self, branch: str) -> Branch:
        name, size = BRANCHES[branch]
        filters, strides = self.filters, (1, 1, 1)
        if branch == "T" and self.temporal is not None:
            filters, strides = self.temporal
        return Branch(
            name,
            filters,
            size,
            strides,
            before=self.before,
            after=self.after,
            widths=self.widths or (),
            kept=None if self.unit is None else self.unit.inputs.get(branch),
            dtype=self.dtype_policy,
        )

    def build(self, input_shape: Sequence[int | None]) -> None:
        for branch in self._branches.values():
            branch.build(input_shape)
        if self.drop_path is not None:
            self.drop_path.build()

    def call(self, inputs: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        if self.drop_path is None:
            return self.only(inputs, dict.fromkeys(self.wanted), training)
        batch = size_of(inputs, 0)
        if self.drop_path.random(training):
            factors = drawn_for(self) or self._own(batch)
        else:
            factors = self._masks(batch)
        outputs = self._gated(inputs, factors, training)
        if "T" in self.wanted:
            outputs["spatial_gate"] = factors.spatial_gate
        if self.drop_path.has_residual:
            outputs["residual_gate"] = factors.residual_gate
        if self.drop_path.drop_layer:
            prior = factors.weight_prior
            outputs["weight_prior"] = tf.zeros(()) if prior is None else prior
        return outputs

    def _own(self, batch: Any) -> Factors:
        """What the layer draws where no network has drawn for it."""
        drawn, kl = draw([self], batch)
        add_replica_loss(self.drop_path, kl)
        return drawn[id(self)]

    def _masks(self, batch: Any) -> Factors:
        """What a hard mask lets through."""
        mask = self.drop_path.hard_mask()
        spatial = [branch != "T" for branch in self.wanted] * self.inputs
        per_input = self.widths is not None
        return of_mask(mask, spatial, batch, self.compute_dtype, per_input=per_input)

    def _gated(self, x: tf.Tensor, factors: Factors, training: bool) -> dict[str, tf.Tensor]:
        """S and ST summed, as one convolution where that is exact, and T; all gated."""
        outputs, names = {}, self.wanted
        if self._mergeable and factors.scalars is not None:
            own = dict(zip(self.wanted, factors.scalars, strict=True))
            kernel = self._merged_kernel({b: own[b] for b in self._spatial})
            outputs["output"] = convolve(x, kernel, training=bool(training))
            names = tuple(name for name in names if name == "T")
        rows = {name: self._rows(name, factors) for name in names}
        gates = None
        if factors.rows is None:
            every = dict(zip(self.wanted, factors.paths, strict=True))
            gates = {name: tf.cast(every[name], x.dtype) for name in names}
        found = self._run(x, rows, training, gates)
        if "output" not in outputs:
            outputs["output"] = tf.add_n([found[name] for name in self._spatial])
        return outputs | ({"temporal": found["T"]} if "T" in found else {})

    def _rows(self, branch: str, factors: Factors) -> tf.Tensor | None:
        """A branch's ``(batch or 1, inputs)`` factors, where inputs have gates of their own."""
        if factors.rows is None:
            return None
        return tf.transpose(factors.rows[self.wanted.index(branch) :: len(self.wanted)])

    def _run(
        self, x: tf.Tensor, keeps: Mapping[str, Any], training: bool, gates: Any = None
    ) -> dict[str, tf.Tensor]:
        """What the branches that ``keeps`` names give."""
        own = {name: self._branches[name] for name in keeps}
        return run_branches(own, x, bool(training), keeps=keeps, gates=gates)

    @property
    def _spatial(self) -> list[str]:
        """The branches whose sum the 1x3x3 convolution sees."""
        return [branch for branch in self.wanted if branch != "T"]

    @property
    def _mergeable(self) -> bool:
        return not self.norms and self.widths is None

    def only(
        self,
        inputs: tf.Tensor,
        keeps: Mapping[str, Any],
        training: bool = False,
        merged: Callable[[tf.Tensor, tf.Tensor], Any] | None = None,
    ) -> dict[str, Any]:
        """Some of the branches, wholly on; the others are not computed.

        Args:
            inputs: ``(batch, time, height, width, channels)``.
            keeps: the branches, each with its ``(1 or batch, inputs)`` factors where inputs have
                gates of their own, or None.
            training: of the batch norms.
            merged: notes down the merged convolution of S and ST. Defaults to None, which runs it.

        Returns:
            ``"output"``, S and ST summed, and ``"temporal"``, T; those that are among the branches.
        """
        x = tf.cast(inputs, self.compute_dtype)
        spatial = [branch for branch in self._spatial if branch in keeps]
        outputs = {}
        if spatial and self._mergeable:
            run = merged or partial(convolve, training=bool(training))
            outputs["output"] = run(x, self._merged_kernel(dict.fromkeys(spatial, 1.0)))
            spatial = []
        names = [*spatial, *(name for name in ("T",) if name in keeps)]
        found = self._run(x, {name: keeps[name] for name in names}, training)
        if spatial:
            outputs["output"] = tf.add_n([found[name] for name in spatial])
        if "T" in keeps:
            outputs["temporal"] = found["T"]
        return outputs

    def _merged_kernel(self, factors: dict[str, Any]) -> tf.Tensor:
        own = [(self._branches[branch], factor) for branch, factor in factors.items()]
        return merged_kernel(own, self.compute_dtype)

    def half_squared_norms(self) -> list[tf.Tensor]:
        """``||w||^2 / 2`` of the paths: a number each, or one vector, input by input."""
        norms = [branch.half_squared_norms() for branch in self._branches.values()]
        return norms if self.widths is None else [tf.reshape(tf.stack(norms, 1), [-1])]

    def compute_output_spec(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        outputs = {}
        if self._spatial:
            shape = (*inputs.shape[:-1], self.filters)
            outputs["output"] = keras.KerasTensor(shape, self.compute_dtype)
        if "T" in self.wanted:
            convolution = self._branches["T"].convolution
            outputs["temporal"] = convolution.compute_output_spec(inputs)
        if self.drop_path is None:
            return outputs
        there = {"spatial_gate": "T" in self.wanted, "residual_gate": self.drop_path.has_residual}
        for name in (name for name, given in there.items() if given):  # a tensor of its own each
            outputs[name] = keras.KerasTensor((inputs.shape[0], 1, 1, 1, 1), self.compute_dtype)
        if self.drop_path.drop_layer:
            outputs["weight_prior"] = keras.KerasTensor((), "float32")
        return outputs

    def output_names(self, inputs: Any) -> list[str]:
        """The names of what the layer gives of inputs, in the order in which Keras flattens it."""
        there = self.compute_output_spec(inputs)
        return keras.tree.flatten({name: name for name in there})

    def macs(self, input_shape: Sequence[int]) -> int:
        """Multiply-adds for one clip, every branch counted as its own convolution."""
        return sum(sum(macs) for macs in self.macs_by_branch(input_shape).values())

    def macs_by_branch(self, input_shape: Sequence[int]) -> dict[str, list[int]]:
        """Multiply-adds of each path for one clip, by input where inputs have gates of their own.

        A derived layer has one number for each path: what the unit's inputs cost together.
        """
        return {name: branch.macs(input_shape) for name, branch in self._branches.items()}

    def parameters_by_branch(self) -> dict[str, list[int]]:
        """Parameters of each path, in the same way."""
        return {name: branch.parameters() for name, branch in self._branches.items()}

    def layer_gates(self) -> LayerGates:
        """The gates of a template's layer as they stand, as data."""
        gate = self.drop_path
        drop = probability(gate.logit).reshape(self.inputs, -1)
        whole = None if gate.layer_logit is None else float(probability(gate.layer_logit))
        return LayerGates(self.branches, drop, gate.initial_drop, gate.has_residual, whole)

    def weight_paths(self, branch: str) -> list[str]:
        """Paths of the weights of one of the branches."""
        made = self._branches[branch]
        own = [made.convolution, *([] if made.norm is None else [made.norm])]
        return [v.path for layer in own for v in layer.weights]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "branches": self.branches,
            "unit": None if self.unit is None else str(self.unit),
            "gate": self.gate if self.drop_path is None else self.drop_path.updated(self.gate),
            "before": self.before,
            "after": self.after,
            "temporal": self.temporal,
            "widths": self.widths,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FusionConv:
        if config.get("unit") is None:
            gate = with_strength(config.get("gate") or {}, FORMER_WEIGHT_REG)
            config = {**config, "gate": with_residual_gate(gate)}
        made: FusionConv = super().from_config(config)
        return made


def batch_norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Every batch norm of a model, those of the paths of fusion layers included."""
    found = []
    for _, layer in layers_inside(model):
        if isinstance(layer, FusionConv):
            found += layer.norms
        elif isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
    return found
