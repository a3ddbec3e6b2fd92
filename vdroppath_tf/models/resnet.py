"""3D ResNets with a fusion layer at the head of every block: one function over a table."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras

from ..layers.convolution import Triple
from ..strategy import FusionStrategy
from .common import (
    FusionMaker,
    GateOptions,
    Tensor,
    average_pool,
    classifier,
    convolution,
    max_pool,
    normalized,
    normalized_clip,
)
from .fusion_model import FusionModel


class Stem(NamedTuple):
    """First convolution: filters, kernel, stride; then a 3x3x3 max-pool, or none."""

    filters: int
    size: Triple
    stride: Triple
    pool: bool


class Stage(NamedTuple):
    """Blocks of one resolution; ``expansion`` times ``filters`` channels leave each."""

    blocks: int
    filters: int
    stride: int
    expansion: int


class Row(NamedTuple):
    """One network of the family."""

    stem: Stem
    stages: tuple[Stage, ...]


TABLE = {
    "resnet50": Row(
        Stem(64, (5, 7, 7), (1, 2, 2), pool=True),
        (Stage(3, 64, 1, 4), Stage(4, 128, 2, 4), Stage(6, 256, 2, 4), Stage(3, 512, 2, 4)),
    ),
    # for CPUs and known-answer tasks; the stem sees single frames, so only fusion layers see time
    "micro": Row(
        Stem(16, (1, 5, 5), (1, 4, 4), pool=False),
        (Stage(6, 16, 1, 2),),
    ),
}


def shortcut(x: Tensor, filters: int, stride: int, *, name: str) -> Tensor:
    """Average-pool where the stride is 2, then 1x1x1 and BN where the shape changes."""
    if stride == 1 and x.shape[-1] == filters:
        return x
    if stride != 1:
        x = average_pool(x, (1, 3, 3), (1, stride, stride), name=f"{name}_pool")
    x = convolution(x, filters, (1, 1, 1), name=f"{name}_conv")
    return normalized(x, name=name, relu=False)


def bottleneck(
    x: Tensor, filters: int, stride: int, expansion: int, *, fusion: FusionMaker, name: str
) -> Tensor:
    """fusion - BN - ReLU - 1x3x3 - BN - ReLU - 1x1x1 - BN, gated, plus the shortcut - ReLU."""
    around = shortcut(x, expansion * filters, stride, name=f"{name}_shortcut")
    fused = fusion(x, filters, name=f"{name}_fusion")
    if fused.output is not None:
        y = normalized(fused.output, name=f"{name}_fusion")
        size, step = (1, 3, 3), (1, stride, stride)
        prior = fused.weight_prior
        y = convolution(y, filters, size, step, name=f"{name}_conv", weight_prior=prior)
        y = normalized(y, name=f"{name}_conv")
        y = convolution(y, expansion * filters, (1, 1, 1), name=f"{name}_expand")
        y = normalized(y, name=f"{name}_expand", relu=False)
        around = keras.layers.Add(name=f"{name}_add")([around, fused.gate(y)])
    return keras.layers.ReLU(name=f"{name}_out")(around)


def resnet(
    row: str,
    num_classes: int,
    *,
    clip_shape: tuple[int | None, int | None, int | None] = (None, None, None),
    dropout: float = 0.0,
    strategy: FusionStrategy | None = None,
    gates: GateOptions | None = None,
) -> FusionModel:
    """A 3D ResNet (method: supplementary section 3; ours: the gates on this backbone).

    Args:
        row: of ``TABLE``.
        num_classes: logits of the classifier.
        clip_shape: frames, height and width of the clips; None leaves a size open.
        dropout: before the classifier; the paper has 0 while gates train.
        strategy: None makes a template; a strategy makes the network that has only its paths.
        gates: options of the template's gates.

    Returns:
        A ``FusionModel`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    stem, stages = TABLE[row]
    fusion = FusionMaker(strategy=strategy, options=gates or {})
    clips = keras.Input((*clip_shape, 3), name="video")
    x = convolution(normalized_clip(clips), stem.filters, stem.size, stem.stride, name="stem_conv")
    x = normalized(x, name="stem")
    if stem.pool:
        x = max_pool(x, (3, 3, 3), (1, 2, 2), name="stem_pool")
    for s, stage in enumerate(stages, 1):
        for b in range(1, stage.blocks + 1):
            stride = stage.stride if b == 1 else 1
            name = f"stage{s}_block{b}"
            x = bottleneck(x, stage.filters, stride, stage.expansion, fusion=fusion, name=name)
    fusion.finish(row)
    architecture: dict[str, Any] = {
        "family": "resnet",
        "name": row,
        "num_classes": num_classes,
        "clip_shape": list(clip_shape),
        "dropout": dropout,
        "strategy": None if strategy is None else str(strategy),
        "gates": dict(gates or {}),
    }
    logits = classifier(x, num_classes, dropout)
    kind = "template" if strategy is None else "derived"
    return FusionModel.of(architecture, inputs=clips, outputs=logits, name=f"{kind}_{row}")
