"""What every family is built of: the fusion layer as a callable, small blocks, both ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypedDict

import keras

from vdroppath_tf.layers.convolution import Convolution
from vdroppath_tf.layers.convolve import Triple
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gated_dense import GatedDense
from vdroppath_tf.layers.normalization import batch_norm
from vdroppath_tf.layers.pooling import MaxPooling
from vdroppath_tf.layers.residual_gate import GateProduct
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import BRANCHES, NONE

Tensor = Any
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, on [0, 1]
# channels -> mean and deviation. Of flow, TSN's deviation, and the middle of the levels, no motion:
# so the mirror of a clip is its exact opposite in x. Of grey, those of ImageNet in mean.
CLIP_STATISTICS = {3: (MEAN, STD), 2: ((0.5, 0.5), (0.226, 0.226)), 1: ((0.449,), (0.226,))}
KINDS = {3: "RGB", 2: "optical flow", 1: "grey"}


class GateOptions(TypedDict, total=False):
    """Options of a template's gates; see ``VariationalDropPath``.

    ``num_train_examples``: N of Eq. 5; ``fit`` fills it in where it can.
    ``weight_reg``: k of the KL, which divides it by N.
    ``prior_strength``: what multiplies ``(1-p) ||w||^2`` for any N, instead of ``weight_reg``.
    ``kl``: ``"code"`` (the published k are its) or ``"paper"`` (Eq. 5).
    ``noise``: drawn for each ``"sample"`` or for the ``"batch"``.
    ``initial_drop``: starting drop probability.
    ``temperature``: of the relaxation.
    ``drop_layer``: D1, one more gate for each layer on a residual branch.
    ``residual_gate``: ``"hard"`` (published) or ``"relaxed"``: one more factor while gates train.
    ``gate_classifier``: one more gate for the features before the classifier.
    ``seed``: of the noise.
    """

    num_train_examples: float | None
    weight_reg: float | None
    prior_strength: float | None
    kl: str
    noise: str
    initial_drop: float
    temperature: float
    drop_layer: bool
    residual_gate: str
    gate_classifier: bool
    seed: int


@dataclass(frozen=True)
class Fused:
    """What a fusion layer hands to its block: the outputs of ``FusionConv``, None where absent.

    Attributes:
        name: of the layer.
        output: what the 1x3x3 convolution sees; None where neither S nor ST is on.
        temporal: what T gives, to be joined with what the 1x3x3 gives; None without T.
        residual_gate: multiplies the residual branch; None where nothing is gated, or where the
            layer is on none.
        spatial_gate: multiplies what S and ST feed; None without T.
        weight_prior: for the convolution that D1 drops; None without D1.
    """

    name: str
    output: Tensor | None = None
    temporal: Tensor | None = None
    residual_gate: Tensor | None = None
    spatial_gate: Tensor | None = None
    weight_prior: Tensor | None = None

    @property
    def empty(self) -> bool:
        """Whether the strategy gives the layer no path."""
        return self.output is None and self.temporal is None

    def through(self, convolve: Callable[[Tensor], Tensor]) -> Tensor:
        """The 1x3x3 convolution (with what precedes it) of S and ST, joined with T."""
        if self.output is None:
            return self.temporal
        y = convolve(self.output)
        if self.spatial_gate is not None:
            y = GateProduct(name=f"{self.name}_spatial_gate")([y, self.spatial_gate])
        if self.temporal is None:
            return y
        return keras.layers.Add(name=f"{self.name}_join")([y, self.temporal])

    def gate(self, branch: Tensor) -> Tensor:
        """The residual branch, after its last BN: 0 where no path is on."""
        if self.residual_gate is None:
            return branch
        return GateProduct(name=f"{self.name}_gate")([branch, self.residual_gate])


@dataclass
class FusionMaker:
    """Makes the fusion layers of a network one after another.

    Families call it and know nothing of S or ST: with ``strategy=None`` it makes the gated layers
    of a template, with a strategy the paths that its next unit names.
    """

    branches: tuple[str, ...] = ("S", "ST")
    strategy: FusionStrategy | None = None
    options: GateOptions = field(default_factory=GateOptions)
    made: int = 0

    def __post_init__(self) -> None:
        known = [b for b in BRANCHES if b in self.branches]
        if list(self.branches) != known or not set(known) & {"S", "ST"}:
            raise ValueError(
                f"branches must be of {BRANCHES}, in that order, S or ST among them. "
                f"Received: {self.branches}"
            )

    def __call__(
        self,
        x: Tensor,
        filters: int,
        *,
        name: str,
        has_residual: bool = True,
        before: str | None = None,
        after: str | None = None,
        temporal: tuple[int, Triple] | None = None,
        widths: tuple[int, ...] | None = None,
    ) -> Fused:
        """The next fusion layer on ``x``; see ``FusionConv``. Without ``temporal`` it has no T."""
        self.made += 1
        branches = tuple(b for b in self.branches if b != "T" or temporal is not None)
        layer = partial(
            FusionConv,
            filters,
            branches=branches,
            before=before,
            after=after,
            temporal=temporal if "T" in branches else None,
            widths=widths,
            name=name,
        )
        if self.strategy is None:
            return Fused(name, **layer(gate=self._gate(has_residual))(x))
        unit = self.strategy[self.made - 1] if self.made <= len(self.strategy) else NONE
        if unit != NONE:
            return Fused(name, **layer(unit=unit)(x))
        if not has_residual:
            raise ValueError(f"{name} cannot be dropped: it is on no residual branch.")
        return Fused(name)

    def _gate(self, has_residual: bool) -> dict[str, Any]:
        """Options of the gate: D1 drops the 1x3x3 of layers that may be dropped."""
        options = {k: v for k, v in self.options.items() if k != "gate_classifier"}
        if not has_residual:
            options["drop_layer"] = False
        return {**options, "has_residual": has_residual}

    def finish(self, architecture: str) -> None:
        """Checks that the strategy had exactly as many units as the network has fusion layers."""
        if self.strategy is not None:
            self.strategy.check(self.made, architecture, self.branches)


def convolution(
    x: Tensor,
    filters: int,
    size: Triple,
    stride: Triple = (1, 1, 1),
    *,
    name: str,
    groups: int = 1,
    weight_prior: Tensor | None = None,
) -> Tensor:
    """Bias-free convolution, padded by half its kernel."""
    layer = Convolution(filters, size, stride, groups, name=name)
    return layer(x) if weight_prior is None else layer(x, weight_prior=weight_prior)


def normalized(x: Tensor, *, name: str, max_value: float | None = None) -> Tensor:
    """BN, then ReLU, clipped at ``max_value`` where there is one."""
    return keras.layers.ReLU(max_value, name=f"{name}_relu")(linear(x, name=name))


def linear(x: Tensor, *, name: str) -> Tensor:
    """BN alone."""
    return batch_norm(name=f"{name}_bn")(x)


def normalized_clip(clips: Tensor) -> Tensor:
    """Clips 0..255 to zero mean and unit variance: RGB, flow or grey; see ``CLIP_STATISTICS``."""
    mean, std = CLIP_STATISTICS[clips.shape[-1]]
    return keras.layers.Normalization(
        mean=[255 * m for m in mean], variance=[(255 * s) ** 2 for s in std], name="normalization"
    )(clips)


def stem(
    clips: Tensor,
    filters: int,
    size: Triple,
    stride: Triple,
    *,
    temporal_pool: bool,
    max_value: float | None = None,
) -> Tensor:
    """Normalised clips through the first convolution, BN, ReLU, and the temporal pool if wanted.

    The temporal pool is a max-pool over three frames with stride 2: half as many frames from there
    on (Fig. 6).
    """
    x = convolution(clips, filters, size, stride, name="stem_conv")
    x = normalized(x, name="stem", max_value=max_value)
    return max_pool(x, (3, 1, 1), (2, 1, 1), name="temporal_pool") if temporal_pool else x


def max_pool(x: Tensor, size: Triple, stride: Triple, *, name: str) -> Tensor:
    """Max-pool of what a ReLU gave, zero-padded by half its size (0 never beats a value there)."""
    x = keras.layers.ZeroPadding3D([n // 2 for n in size], name=f"{name}_pad")(x)
    return MaxPooling(size, stride, name=name)(x)


def average_pool(x: Tensor, size: Triple, stride: Triple, *, name: str) -> Tensor:
    """Average-pool, padding counted; in float32, as CPUs have no half.

    An odd size is padded by half of it; an even one is not padded.
    """
    if any(n % 2 and n > 1 for n in size):
        pad = [n // 2 if n % 2 else 0 for n in size]
        x = keras.layers.ZeroPadding3D(pad, name=f"{name}_pad")(x)
    return keras.layers.AveragePooling3D(size, stride, dtype="float32", name=name)(x)


def head(features: Tensor, num_classes: int, dropout: float, gates: GateOptions | None) -> Tensor:
    """Global average over time and space, dropout, logits in float32.

    Args:
        features: ``(batch, time, height, width, channels)``.
        num_classes: logits.
        dropout: before the classifier.
        gates: of a template; with ``gate_classifier`` the features are gated too.
    """
    x = keras.layers.GlobalAveragePooling3D(name="pool")(features)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    if gates and gates.get("gate_classifier"):
        own = {k: v for k, v in gates.items() if k not in ("gate_classifier", "drop_layer")}
        return GatedDense(num_classes, gate=own, dtype="float32", name="classifier")(x)
    return keras.layers.Dense(num_classes, dtype="float32", name="classifier")(x)


def strides_in_time(given: Sequence[int] | None, default: Sequence[int]) -> tuple[int, ...]:
    """Temporal strides of a network's strided places; what is not given is as in ``default``.

    Raises:
        ValueError: where there are more than the network has places, or one is below 1.
    """
    if isinstance(given, int):
        raise ValueError(f"temporal_strides must be a sequence, such as (2,). Received: {given}")
    given = () if given is None else tuple(given)
    if len(given) > len(default) or any(not isinstance(s, int) or s < 1 for s in given):
        raise ValueError(
            f"temporal_strides must be at most {len(default)} numbers of 1 or more, from the stem "
            f"on. Received: {given}"
        )
    return (*given, *default[len(given) :])
