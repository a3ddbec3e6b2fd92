"""3D MobileNetV2: one builder over a table of rows (method: supplementary section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from vdroppath_tf.layers.convolve import Triple
from vdroppath_tf.models.common import (
    FusionMaker,
    Tensor,
    convolution,
    linear,
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

RELU6 = 6.0


@named
@dataclass(frozen=True)
class Stage(Values):
    """Inverted residuals of one width; t, c, n and s are the names in the 2D network's table.

    Attributes:
        expansion: int, t: the channels inside each block, as a multiple of its input's. With 1 a
            block has no expansion, and no fusion layer.
        filters: int, c: the channels that leave each block.
        blocks: int, n: the number of blocks.
        stride: int, s: the stride of the first block in height and width; the others have 1.
        kernel: int, k of the 1xkxk depthwise convolution. Defaults to 3.
    """

    expansion: int
    filters: int
    blocks: int
    stride: int
    kernel: int = 3


@named
@dataclass(frozen=True)
class Row(AnyRow):
    """One network of the family.

    Attributes:
        name: str, the name of the network.
        stem: int, the channels of the first convolution.
        head: int, the channels of the last convolution.
        stages: tuple of Stage, the inverted residuals.
        num_classes: int, the logits of the classifier by default. Defaults to 174.
    """

    stem: int
    head: int
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_layers(sum(stage.blocks for stage in self.stages if stage.expansion > 1))


TABLE = (
    Row(
        "mobilenet_v2",
        32,
        1280,
        (
            Stage(1, 16, 1, 1),
            Stage(6, 24, 2, 2),
            Stage(6, 32, 3, 2),
            Stage(6, 64, 4, 2),
            Stage(6, 96, 3, 1),
            Stage(6, 160, 3, 2),
            Stage(6, 320, 1, 1),
        ),
    ),
)


def fusion_layers(row: Row) -> tuple[FusionLayer, ...]:
    """The first layer of each block that widens its input."""
    found, block, channels = [], 0, row.stem
    groups = [n for n, stage in enumerate(row.stages) if stage.expansion > 1]
    for n, stage in enumerate(row.stages):
        for b in range(stage.blocks):
            block += 1
            residual = channels == stage.filters and (b > 0 or stage.stride == 1)
            channels = stage.filters
            if stage.expansion > 1:
                found.append(FusionLayer(f"block{block}_fusion", groups.index(n), residual))
    return tuple(found)


def temporal_strides(row: Row) -> tuple[int, ...]:
    """Of the stem, and of each further stage with a stride."""
    return (2, *(1 for stage in row.stages if stage.stride > 1))


def inverted_residual(
    x: Tensor, stage: Stage, stride: Triple, *, fusion: FusionMaker, name: str
) -> Tensor:
    """Fusion of convolution - BN - ReLU6 paths, depthwise 1xkxk - BN - ReLU6, 1x1x1 - BN, gated.

    The input is added where neither stride nor channels change it. An expansion of 1 has no fusion.
    """
    channels = x.shape[-1]
    inner = stage.expansion * channels
    residual = stride == (1, 1, 1) and channels == stage.filters

    def depthwise(y: Tensor, **more: Any) -> Tensor:
        options: dict[str, Any] = {"groups": inner, "name": f"{name}_depthwise", **more}
        return convolution(y, inner, (1, stage.kernel, stage.kernel), stride, **options)

    if stage.expansion == 1:
        y = depthwise(x)
    else:
        kind: dict[str, Any] = {"after": "relu6", "temporal": (inner, stride)}
        fused = fusion(x, inner, name=f"{name}_fusion", has_residual=residual, **kind)
        if fused.empty:
            return x
        y = fused.through(lambda y: depthwise(y, weight_prior=fused.weight_prior))
    y = normalized(y, name=f"{name}_depthwise", max_value=RELU6)
    y = convolution(y, stage.filters, (1, 1, 1), name=f"{name}_project")
    y = linear(y, name=f"{name}_project")
    if not residual:
        return y
    y = y if stage.expansion == 1 else fused.gate(y)
    return keras.layers.Add(name=f"{name}_add")([x, y])


def features(
    row: Row,
    clips: Tensor,
    fusion: FusionMaker,
    *,
    temporal_strides: Sequence[int],
    temporal_pool: bool,
) -> Tensor:
    """What a 3D MobileNetV2 makes of clips (ours: the gates on this backbone)."""
    first, *between = temporal_strides
    strides: Triple = (first, 2, 2)
    options: dict[str, Any] = {"temporal_pool": temporal_pool, "max_value": RELU6}
    x = stem(clips, row.stem, (5, 3, 3), strides, **options)
    left, block = iter(between), 0
    for stage in row.stages:
        in_time = next(left) if stage.stride > 1 else 1
        for b in range(stage.blocks):
            block += 1
            strides = (in_time, stage.stride, stage.stride) if b == 0 else (1, 1, 1)
            x = inverted_residual(x, stage, strides, fusion=fusion, name=f"block{block}")
    x = convolution(x, row.head, (1, 1, 1), name="head_conv")
    return normalized(x, name="head", max_value=RELU6)


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
    """What is asked of a MobileNetV2 template, for ``build_network``; see ``options.MEANINGS``."""
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
    name: str | None = None,
) -> dict[str, Any]:
    """What is asked of the MobileNetV2 of one strategy, for ``build_network``."""
    return arguments(**locals())


# layers of 2D networks, see ``conventions``
_KERAS: Table = (
    ("stem_conv", "Conv1"),
    ("stem_bn", "bn_Conv1"),
    ("block1_depthwise", "expanded_conv_depthwise"),
    ("block1_depthwise_bn", "expanded_conv_depthwise_BN"),
    ("block1_project", "expanded_conv_project"),
    ("block1_project_bn", "expanded_conv_project_BN"),
    ("block{b}_fusion/{path}", "block_{b0}_expand"),
    ("block{b}_fusion/{path}_bn", "block_{b0}_expand_BN"),
    ("block{b}_depthwise", "block_{b0}_depthwise"),
    ("block{b}_depthwise_bn", "block_{b0}_depthwise_BN"),
    ("block{b}_project", "block_{b0}_project"),
    ("block{b}_project_bn", "block_{b0}_project_BN"),
    ("head_conv", "Conv_1"),
    ("head_bn", "Conv_1_bn"),
    ("classifier", "predictions"),
)
_TORCH: Table = (
    ("stem_conv", "features.0.0"),
    ("stem_bn", "features.0.1"),
    ("block1_depthwise", "features.1.conv.0.0"),
    ("block1_depthwise_bn", "features.1.conv.0.1"),
    ("block1_project", "features.1.conv.1"),
    ("block1_project_bn", "features.1.conv.2"),
    ("block{b}_fusion/{path}", "features.{b}.conv.0.0"),
    ("block{b}_fusion/{path}_bn", "features.{b}.conv.0.1"),
    ("block{b}_depthwise", "features.{b}.conv.1.0"),
    ("block{b}_depthwise_bn", "features.{b}.conv.1.1"),
    ("block{b}_project", "features.{b}.conv.2"),
    ("block{b}_project_bn", "features.{b}.conv.3"),
    ("head_conv", "features.18.0"),
    ("head_bn", "features.18.1"),
    ("classifier", "classifier.1"),
)
_PATHS_END_IN_RELU6 = ("_depthwise", "_fusion")
CONVENTIONS = (
    Convention(
        "keras.applications' MobileNetV2",
        _KERAS,
        mark="expanded_conv_depthwise",
        epsilon=1e-3,
        statistics=InputStatistics(mean=(127.5,) * 3, std=(127.5,) * 3),
        changed=(
            "The source pads a stride-2 convolution of an even-sized input below and to the right "
            "only, this network on all sides: positions differ by one there. Odd sizes agree.",
        ),
        rescaled=_PATHS_END_IN_RELU6,
        spellings=(
            (r"Logits(?=/)", "predictions"),
            (r"mobl0_conv_0_(\w+)", r"expanded_conv_\1"),
            (r"bn0_conv_0_bn_(\w+)", r"expanded_conv_\1_BN"),
            (r"mobl(\d+)_conv_\d+_(\w+)", r"block_\1_\2"),
            (r"bn(\d+)_conv_\d+_bn_(\w+)", r"block_\1_\2_BN"),
            (r"(.*/)depthwise_kernel", r"\1kernel"),
        ),
        networks={"mobilenet_v2": keras.applications.MobileNetV2},
    ),
    Convention(
        "torchvision's MobileNetV2",
        _TORCH,
        mark="features.1.conv.0.0",
        torch=True,
        rescaled=_PATHS_END_IN_RELU6,
    ),
)

FAMILY = Family(
    name="mobilenet_v2",
    row=Row,
    rows=TABLE,
    layers=fusion_layers,
    strides=temporal_strides,
    features=features,
    template=template,
    derived=derived,
    block=r"block\d+",
    conventions=CONVENTIONS,
    options={},
)
