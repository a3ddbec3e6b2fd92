"""3D MobileNetV2: one function over a table (method: supplementary section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from typing_extensions import Unpack

from vdroppath_tf.layers.convolution import Triple
from vdroppath_tf.models.common import (
    FusionMaker,
    Tensor,
    convolution,
    linear,
    normalized,
    strides_in_time,
)
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import Network, NetworkOptions

RELU6 = 6.0


class Stage(NamedTuple):
    """Inverted residuals of one width: t, c, n, s of the 2D network's table; k of the 1xkxk."""

    expansion: int
    filters: int
    blocks: int
    stride: int
    kernel: int = 3


class Row(NamedTuple):
    """One network of the family: channels of the stem and of the last convolution, its stages."""

    stem: int
    head: int
    stages: tuple[Stage, ...]


TABLE = {
    "mobilenet_v2": Row(
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
}


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
        kind: dict[str, Any] = {"form": "post", "temporal": (inner, stride)}
        fused = fusion(x, inner, name=f"{name}_fusion", droppable=residual, **kind)
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


def mobilenet_v2(
    row: str,
    num_classes: int,
    *,
    temporal_strides: Sequence[int] | None = None,
    **options: Unpack[NetworkOptions],
) -> FusionModel:
    """A 3D MobileNetV2 (ours: the gates on this backbone).

    Args:
        row: of ``TABLE``.
        num_classes: logits of the classifier.
        temporal_strides: of the stem (2 where left out), and of each further stage with a stride.
        **options: see ``NetworkOptions``.

    Returns:
        A ``FusionModel`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.

    Raises:
        ValueError: where an option is out of range, or the strategy does not fit.
    """
    stem, head, stages = TABLE[row]
    strided = [n for n, stage in enumerate(stages) if stage.stride > 1]
    in_time = strides_in_time(temporal_strides, (2, *(1 for _ in strided)))
    network = Network("mobilenet_v2", row, num_classes, options, temporal_strides=list(in_time))
    x = network.stem(stem, (5, 3, 3), (in_time[0], 2, 2), RELU6)
    block = 0
    for n, stage in enumerate(stages):
        first = (in_time[1 + strided.index(n)] if n in strided else 1, stage.stride, stage.stride)
        for b in range(stage.blocks):
            block += 1
            step: Triple = first if b == 0 else (1, 1, 1)
            x = inverted_residual(x, stage, step, fusion=network.fusion, name=f"block{block}")
    x = convolution(x, head, (1, 1, 1), name="head_conv")
    return network.finish(normalized(x, name="head", max_value=RELU6))
