"""3D ResNets with a fusion layer at the head of every block: one function over a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from typing_extensions import Unpack

from vdroppath_tf.layers.convolution import Triple
from vdroppath_tf.models.common import (
    FusionMaker,
    Tensor,
    average_pool,
    convolution,
    linear,
    max_pool,
    normalized,
    strides_in_time,
)
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import Network, NetworkOptions


class Stem(NamedTuple):
    """First convolution: filters, kernel, stride; then a 3x3x3 max-pool, or none."""

    filters: int
    size: Triple
    stride: Triple
    pool: bool


class Stage(NamedTuple):
    """Blocks of one resolution, their width; ``expansion`` times that many channels leave each."""

    blocks: int
    filters: int
    stride: int
    expansion: int
    groups: int = 1


class Row(NamedTuple):
    """One network of the family."""

    stem: Stem
    stages: tuple[Stage, ...]


def _imagenet(
    blocks: tuple[int, int, int, int], width: int = 64, expansion: int = 4, groups: int = 1
) -> Row:
    """Four stages, each with twice the width of the one before it at half its resolution."""
    stages = (
        Stage(n, width * 2**i, 1 if i == 0 else 2, expansion, groups) for i, n in enumerate(blocks)
    )
    return Row(Stem(64, (5, 7, 7), (1, 2, 2), pool=True), tuple(stages))


TABLE = {
    "resnet50": _imagenet((3, 4, 6, 3)),
    "resnet101": _imagenet((3, 4, 23, 3)),
    "resnext50": _imagenet((3, 4, 6, 3), 128, 2, 32),  # 32x4d
    "resnext101": _imagenet((3, 4, 23, 3), 256, 1, 32),  # 32x8d
    # for CPUs and known-answer tasks; the stem sees single frames, so only fusion layers see time
    "micro": Row(
        Stem(16, (1, 5, 5), (1, 4, 4), pool=False),
        (Stage(6, 16, 1, 2),),
    ),
}

SHORTCUTS = ("pool", "conv")


def shortcut_of(x: Tensor, filters: int, stride: Triple, *, kind: str, name: str) -> Tensor:
    """1x1x1 and BN where the shape changes; before it, an average-pool where there is a stride.

    With ``kind="conv"`` the 1x1x1 has the stride instead, as 2D ResNets have it.
    """
    if stride == (1, 1, 1) and x.shape[-1] == filters:
        return x
    if stride != (1, 1, 1) and kind == "pool":
        x, stride = average_pool(x, (1, 3, 3), stride, name=f"{name}_pool"), (1, 1, 1)
    x = convolution(x, filters, (1, 1, 1), stride, name=f"{name}_conv")
    return linear(x, name=name)


def bottleneck(
    x: Tensor, stage: Stage, stride: Triple, *, fusion: FusionMaker, kind: str, name: str
) -> Tensor:
    """fusion - BN - ReLU - 1x3x3 - BN - ReLU - 1x1x1 - BN, gated, plus the shortcut - ReLU."""
    filters, leaving = stage.filters, stage.expansion * stage.filters
    around = shortcut_of(x, leaving, stride, kind=kind, name=f"{name}_shortcut")
    fused = fusion(x, filters, name=f"{name}_fusion", temporal=(filters, stride))

    def spatial(y: Tensor) -> Tensor:
        options: dict[str, Any] = {"groups": stage.groups, "weight_prior": fused.weight_prior}
        y = normalized(y, name=f"{name}_fusion")
        return convolution(y, filters, (1, 3, 3), stride, name=f"{name}_conv", **options)

    if not fused.empty:
        y = normalized(fused.through(spatial), name=f"{name}_conv")
        y = convolution(y, leaving, (1, 1, 1), name=f"{name}_expand")
        y = linear(y, name=f"{name}_expand")
        around = keras.layers.Add(name=f"{name}_add")([around, fused.gate(y)])
    return keras.layers.ReLU(name=f"{name}_out")(around)


def resnet(
    row: str,
    num_classes: int,
    *,
    shortcut: str = "pool",
    temporal_strides: Sequence[int] | None = None,
    **options: Unpack[NetworkOptions],
) -> FusionModel:
    """A 3D ResNet or ResNeXt (method: supplementary section 3; ours: the gates on this backbone).

    Args:
        row: of ``TABLE``.
        num_classes: logits of the classifier.
        shortcut: where there is a stride, ``"pool"``, the paper's average-pool before the 1x1x1, or
            ``"conv"``, a strided 1x1x1 as in 2D ResNets.
        temporal_strides: of the stem, its max-pool, and the first block of each further stage.
        **options: see ``NetworkOptions``.

    Returns:
        A ``FusionModel`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.

    Raises:
        ValueError: where an option is out of range, or the strategy does not fit.
    """
    if shortcut not in SHORTCUTS:
        raise ValueError(f"shortcut must be one of {SHORTCUTS}. Received: {shortcut!r}")
    stem, stages = TABLE[row]
    in_time = strides_in_time(temporal_strides, (1,) * (1 + len(stages)))
    own = {"shortcut": shortcut, "temporal_strides": list(in_time)}
    network = Network("resnet", row, num_classes, options, **own)
    x = network.stem(stem.filters, stem.size, (in_time[0], *stem.stride[1:]))
    if stem.pool:
        x = max_pool(x, (3, 3, 3), (in_time[1], 2, 2), name="stem_pool")
    for s, stage in enumerate(stages, 1):
        for b in range(1, stage.blocks + 1):
            first = (in_time[s] if s > 1 else 1, stage.stride, stage.stride)
            step: Triple = first if b == 1 else (1, 1, 1)
            name = f"stage{s}_block{b}"
            x = bottleneck(x, stage, step, fusion=network.fusion, kind=shortcut, name=name)
    return network.finish(x)
