"""What every family is built of: the fusion layer as a callable, small blocks, both ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
from typing_extensions import TypedDict

from ..layers.convolution import Convolution, Triple
from ..layers.fusion import FusionConv
from ..strategy import NONE, FusionStrategy

Tensor = Any
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, on [0, 1]


class GateOptions(TypedDict, total=False):
    """Options of a template's gates, as ``VariationalDropPath`` takes them."""

    num_train_examples: float | None
    weight_reg: float
    kl: str
    noise: str
    initial_drop: float
    temperature: float
    drop_layer: bool
    seed: int


def _ungated(branch: Tensor) -> Tensor:
    return branch


@dataclass(frozen=True)
class Fused:
    """What a fusion layer hands to its block.

    Attributes:
        output: of the layer; None where the strategy gives the layer no path.
        gate: to call on everything the layer feeds alone, after its last BN.
        weight_prior: for the convolution that D1 drops; None without D1.
    """

    output: Tensor | None
    gate: Callable[[Tensor], Tensor] = _ungated
    weight_prior: Tensor | None = None


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

    def __call__(self, x: Tensor, filters: int, *, name: str, droppable: bool = True) -> Fused:
        self.made += 1
        if self.strategy is None:
            return self._gated(x, filters, name, droppable)
        unit = self.strategy[self.made - 1] if self.made <= len(self.strategy) else NONE
        if unit != NONE:
            return Fused(FusionConv(filters, branches=self.branches, unit=unit, name=name)(x))
        if not droppable:
            raise ValueError(f"{name} cannot be dropped: no shortcut goes round it.")
        return Fused(None)

    def _gated(self, x: Tensor, filters: int, name: str, droppable: bool) -> Fused:
        options = {**self.options, "droppable": droppable}
        layer = FusionConv(filters, branches=self.branches, gate=options, name=name)
        y, alive, prior = layer(x)

        def gate(branch: Tensor) -> Tensor:
            return keras.layers.Multiply(name=f"{name}_gate")([branch, alive])

        return Fused(y, gate, prior if self.options.get("drop_layer") else None)

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
    weight_prior: Tensor | None = None,
) -> Tensor:
    """Bias-free convolution, padded by half its kernel."""
    layer = Convolution(filters, size, stride, name=name)
    return layer(x) if weight_prior is None else layer(x, weight_prior=weight_prior)


def normalized(x: Tensor, *, name: str, relu: bool = True) -> Tensor:
    """BN (eps 1e-5, momentum 0.9, statistics of all replicas), then ReLU unless told otherwise."""
    x = keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, synchronized=True, name=f"{name}_bn"
    )(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x


def normalized_clip(clips: Tensor) -> Tensor:
    """RGB 0..255 to zero mean and unit variance with ImageNet's statistics."""
    return keras.layers.Normalization(
        mean=[255 * m for m in MEAN], variance=[(255 * s) ** 2 for s in STD], name="normalization"
    )(clips)


def max_pool(x: Tensor, size: Triple, stride: Triple, *, name: str) -> Tensor:
    """Max-pool of what a ReLU gave, zero-padded by half its size (0 never beats a value there)."""
    x = keras.layers.ZeroPadding3D([n // 2 for n in size], name=f"{name}_pad")(x)
    return keras.layers.MaxPooling3D(size, stride, name=name)(x)


def average_pool(x: Tensor, size: Triple, stride: Triple, *, name: str) -> Tensor:
    """Average-pool, padded by half its size, padding counted; in float32, as CPUs have no half."""
    x = keras.layers.ZeroPadding3D([n // 2 for n in size], name=f"{name}_pad")(x)
    return keras.layers.AveragePooling3D(size, stride, dtype="float32", name=name)(x)


def classifier(x: Tensor, num_classes: int, dropout: float) -> Tensor:
    """Global average over time and space, dropout, logits in float32."""
    x = keras.layers.GlobalAveragePooling3D(name="pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.layers.Dense(num_classes, dtype="float32", name="classifier")(x)
