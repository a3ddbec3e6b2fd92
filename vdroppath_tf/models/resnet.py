"""3D ResNets with a fusion layer at the head of every block: one builder over a table of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from vdroppath_tf.layers.convolve import Triple
from vdroppath_tf.models.common import (
    FusionMaker,
    Tensor,
    average_pool,
    convolution,
    linear,
    max_pool,
    normalized,
    stem,
)
from vdroppath_tf.models.conventions import Convention, InputStatistics, Table
from vdroppath_tf.models.family import Family, FusionLayer
from vdroppath_tf.models.options import BRANCHES, OPEN, ClipShape, arguments
from vdroppath_tf.models.row import Row as AnyRow
from vdroppath_tf.models.row import Values, check_layers
from vdroppath_tf.names import named
from vdroppath_tf.spaces.strategy import FusionStrategy

SHORTCUTS = ("pool", "conv")


@named
@dataclass(frozen=True)
class Stem(Values):
    """The first convolution, and the max-pool after it.

    Attributes:
        filters: int, the channels of the convolution.
        size: tuple of int, its kernel in time, height and width.
        stride: tuple of int, its stride in time, height and width.
        pool: bool, whether a 3x3x3 max-pool follows, which halves height and width.
    """

    filters: int
    size: Triple
    stride: Triple
    pool: bool


@named
@dataclass(frozen=True)
class Stage(Values):
    """Blocks of one resolution.

    Attributes:
        blocks: int, the number of blocks.
        filters: int, the channels inside each block.
        stride: int, the stride of the first block in height and width; the others have 1.
        expansion: int, the channels that leave each block, as a multiple of ``filters``.
        groups: int, the groups of the 1x3x3 convolution, as in ResNeXt. Defaults to 1.
    """

    blocks: int
    filters: int
    stride: int
    expansion: int
    groups: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.filters % self.groups:
            raise ValueError(f"groups must divide the {self.filters} filters. Received: {self}")


@named
@dataclass(frozen=True)
class Row(AnyRow):
    """One network of the family.

    Attributes:
        name: str, the name of the network.
        stem: Stem, the layers before the blocks.
        stages: tuple of Stage, the blocks.
        num_classes: int, the logits of the classifier by default. Defaults to 174.
        shortcut: str, where there is a stride, ``"pool"``, the paper's average-pool before the
            1x1x1, or ``"conv"``, a strided 1x1x1 as in 2D ResNets. Defaults to ``"pool"``.
    """

    stem: Stem
    stages: tuple[Stage, ...]
    shortcut: str = field(default="pool", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shortcut not in SHORTCUTS:
            raise ValueError(f"shortcut must be one of {SHORTCUTS}. Received: {self.shortcut!r}")
        check_layers(sum(stage.blocks for stage in self.stages))


def _imagenet(
    name: str,
    blocks: tuple[int, int, int, int],
    width: int = 64,
    expansion: int = 4,
    groups: int = 1,
) -> Row:
    """Four stages, each with twice the width of the one before it at half its resolution."""
    stages = (
        Stage(n, width * 2**i, 1 if i == 0 else 2, expansion, groups) for i, n in enumerate(blocks)
    )
    return Row(name, Stem(64, (5, 7, 7), (1, 2, 2), pool=True), tuple(stages))


TABLE = (
    _imagenet("resnet50", (3, 4, 6, 3)),
    _imagenet("resnet101", (3, 4, 23, 3)),
    _imagenet("resnext50", (3, 4, 6, 3), 128, 2, 32),  # 32x4d
    _imagenet("resnext101", (3, 4, 23, 3), 256, 1, 32),  # 32x8d
    # for CPUs and known-answer tasks; the stem sees single frames, so only fusion layers see time
    Row(
        "micro",
        Stem(16, (1, 5, 5), (1, 4, 4), pool=False),
        (Stage(6, 16, 1, 2),),
        num_classes=4,
    ),
)


def fusion_layers(row: Row) -> tuple[FusionLayer, ...]:
    """The first layer of each block."""
    return tuple(
        FusionLayer(f"stage{s + 1}_block{b + 1}_fusion", s)
        for s, stage in enumerate(row.stages)
        for b in range(stage.blocks)
    )


def temporal_strides(row: Row) -> tuple[int, ...]:
    """Of the stem, its max-pool, and the first block of each further stage."""
    return (1,) * (1 + len(row.stages))


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


def features(
    row: Row,
    clips: Tensor,
    fusion: FusionMaker,
    *,
    temporal_strides: Sequence[int],
    temporal_pool: bool,
) -> Tensor:
    """What a 3D ResNet or ResNeXt makes of clips (method: supplementary section 3)."""
    first, step = row.stem, temporal_strides
    stride = (step[0], *first.stride[1:])
    x = stem(clips, first.filters, first.size, stride, temporal_pool=temporal_pool)
    if first.pool:
        x = max_pool(x, (3, 3, 3), (step[1], 2, 2), name="stem_pool")
    for s, stage in enumerate(row.stages, 1):
        for b in range(1, stage.blocks + 1):
            strided = (step[s] if s > 1 else 1, stage.stride, stage.stride)
            strides: Triple = strided if b == 1 else (1, 1, 1)
            name = f"stage{s}_block{b}"
            x = bottleneck(x, stage, strides, fusion=fusion, kind=row.shortcut, name=name)
    return x


def template(
    row: Row,
    num_classes: int | None = None,
    *,
    clip_shape: ClipShape = OPEN,
    channels: int = 3,
    temporal_strides: Sequence[int] | None = None,
    temporal_pool: bool = False,
    branches: Sequence[str] = BRANCHES,
    dropout: float = 0.0,
    include_top: bool = True,
    multi_label: bool = False,
    shortcut: str | None = None,
    num_train_examples: float | None = None,
    weight_reg: float | None = None,
    prior_strength: float | None = None,
    kl: str = "code",
    noise: str = "sample",
    initial_drop: float = 0.1,
    temperature: float = 0.2,
    drop_layer: bool = False,
    residual_gate: str = "hard",
    gate_classifier: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> dict[str, Any]:
    """What is asked of a ResNet template, for ``build_network``; see ``options.MEANINGS``."""
    return arguments(**locals())


def derived(
    row: Row,
    strategy: FusionStrategy | str,
    num_classes: int | None = None,
    *,
    clip_shape: ClipShape = OPEN,
    channels: int = 3,
    temporal_strides: Sequence[int] | None = None,
    temporal_pool: bool = False,
    branches: Sequence[str] = BRANCHES,
    dropout: float = 0.0,
    include_top: bool = True,
    multi_label: bool = False,
    shortcut: str | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """What is asked of the ResNet of one strategy, for ``build_network``."""
    return arguments(**locals())


# layers of 2D networks, see ``conventions``
_BLOCK = "stage{s}_block{b}"
_KERAS: Table = (
    ("stem_conv", "conv1_conv"),
    ("stem_bn", "conv1_bn"),
    (f"{_BLOCK}_fusion/{{path}}", "conv{s2}_block{b}_1_conv"),
    (f"{_BLOCK}_fusion_bn", "conv{s2}_block{b}_1_bn"),
    (f"{_BLOCK}_conv", "conv{s2}_block{b}_2_conv"),
    (f"{_BLOCK}_conv_bn", "conv{s2}_block{b}_2_bn"),
    (f"{_BLOCK}_expand", "conv{s2}_block{b}_3_conv"),
    (f"{_BLOCK}_expand_bn", "conv{s2}_block{b}_3_bn"),
    (f"{_BLOCK}_shortcut_conv", "conv{s2}_block{b}_0_conv"),
    (f"{_BLOCK}_shortcut_bn", "conv{s2}_block{b}_0_bn"),
    ("classifier", "predictions"),
)
_TORCH: Table = (
    ("stem_conv", "conv1"),
    ("stem_bn", "bn1"),
    (f"{_BLOCK}_fusion/{{path}}", "layer{s}.{b0}.conv1"),
    (f"{_BLOCK}_fusion_bn", "layer{s}.{b0}.bn1"),
    (f"{_BLOCK}_conv", "layer{s}.{b0}.conv2"),
    (f"{_BLOCK}_conv_bn", "layer{s}.{b0}.bn2"),
    (f"{_BLOCK}_expand", "layer{s}.{b0}.conv3"),
    (f"{_BLOCK}_expand_bn", "layer{s}.{b0}.bn3"),
    (f"{_BLOCK}_shortcut_conv", "layer{s}.{b0}.downsample.0"),
    (f"{_BLOCK}_shortcut_bn", "layer{s}.{b0}.downsample.1"),
    ("classifier", "fc"),
)


def _shortcut(row: Row) -> tuple[str, ...]:
    if row.shortcut == "conv":
        return ()
    return (
        "The source's shortcut convolution with stride 2 runs here with stride 1 after an "
        "average-pool; shortcut='conv' builds it as in the source.",
    )


CONVENTIONS = (
    Convention(
        "keras.applications' ResNet",
        _KERAS,
        mark="conv2_block1_3_conv",
        epsilon=1.001e-5,
        statistics=InputStatistics(mean=(123.68, 116.779, 103.939), std=(1.0, 1.0, 1.0), bgr=True),
        biased=True,
        changed=(
            "The source has the stride 2 of a stage on its first 1x1 convolution, this network on "
            "the 1x3x3 that follows: same weights, other positions, in the first block of each "
            "stage but the first.",
        ),
        changed_in=_shortcut,
        spellings=((r"(probs|fc1000)(?=/)", "predictions"),),
        networks={
            "resnet50": keras.applications.ResNet50,
            "resnet101": keras.applications.ResNet101,
        },
    ),
    Convention(
        "torchvision's ResNet or ResNeXt",
        _TORCH,
        mark="layer1.0.conv1",
        torch=True,
        changed_in=_shortcut,
    ),
)

FAMILY = Family(
    name="resnet",
    row=Row,
    rows=TABLE,
    layers=fusion_layers,
    strides=temporal_strides,
    features=features,
    template=template,
    derived=derived,
    block=r"stage(\d+)_block\d+",
    conventions=CONVENTIONS,
    options={
        "shortcut": 'str, ``"pool"``, the paper\'s, or ``"conv"``, strided as in 2D ResNets. '
        "Defaults to that of the row, the paper's."
    },
)
