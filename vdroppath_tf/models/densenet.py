"""3D DenseNets, the paper's template: one function over a table (section 3.1, Fig. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from typing_extensions import Unpack

from vdroppath_tf.layers.zeros import Zeros
from vdroppath_tf.models.common import (
    FusionMaker,
    Tensor,
    average_pool,
    convolution,
    max_pool,
    normalized,
    strides_in_time,
)
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import Network, NetworkOptions


class Row(NamedTuple):
    """One network of the family: channels of the stem, of each layer's output, layers a block."""

    stem: int
    growth: int
    blocks: tuple[int, ...]


TABLE = {
    "densenet121": Row(64, 32, (6, 12, 24, 16)),
    "densenet169": Row(64, 32, (6, 12, 32, 32)),
    "densenet201": Row(64, 32, (6, 12, 48, 32)),
    "densenet161": Row(96, 48, (6, 12, 36, 24)),
}
BOTTLENECK = 4  # a layer's inner channels, in growths


def dense_layer(
    inputs: list[Tensor], growth: int, *, fusion: FusionMaker, share_inputs: bool, name: str
) -> Tensor:
    """Fusion of BN - ReLU - convolution paths, then BN - ReLU - 1x3x3, gated: what is appended."""
    x = concatenated(inputs, name)
    fused = fusion(
        x,
        BOTTLENECK * growth,
        name=name,
        form="pre",
        temporal=(growth, (1, 1, 1)),
        widths=None if share_inputs else widths_of(inputs),
    )

    def spatial(y: Tensor) -> Tensor:
        prior = fused.weight_prior
        y = normalized(y, name=name)
        return convolution(y, growth, (1, 3, 3), name=f"{name}_conv", weight_prior=prior)

    if fused.empty:  # what follows sees zeros in its place, as in the template
        return Zeros(growth, name=f"{name}_zeros")(x)
    return fused.gate(fused.through(spatial))


def transition(
    inputs: list[Tensor], stride: int, *, fusion: FusionMaker, share_inputs: bool, name: str
) -> Tensor:
    """Fusion to half the channels, then average-pool; without a 3x3, T would equal ST."""
    x = concatenated(inputs, name)
    widths = None if share_inputs else widths_of(inputs)
    fused = fusion(x, x.shape[-1] // 2, name=name, droppable=False, form="pre", widths=widths)
    return average_pool(fused.output, (stride, 2, 2), (stride, 2, 2), name=f"{name}_pool")


def concatenated(inputs: list[Tensor], name: str) -> Tensor:
    """All earlier features of the block, its input first."""
    return (
        inputs[0] if len(inputs) == 1 else keras.layers.Concatenate(name=f"{name}_inputs")(inputs)
    )


def widths_of(inputs: list[Tensor]) -> tuple[int, ...]:
    """Channels of each input."""
    return tuple(x.shape[-1] for x in inputs)


def densenet(
    row: str,
    num_classes: int,
    *,
    share_inputs: bool = True,
    temporal_strides: Sequence[int] | None = None,
    **options: Unpack[NetworkOptions],
) -> FusionModel:
    """A 3D DenseNet, the paper's template network.

    Args:
        row: of ``TABLE``.
        num_classes: logits of the classifier.
        share_inputs: True has one gate for each path of a layer, as the paper's experiments. False
            has one for each of the layer's inputs (the block's input and every earlier layer of the
            block), so that the vector v of the paper's triplets is learned too.
        temporal_strides: of the stem, its max-pool, and each transition's average-pool.
        **options: see ``NetworkOptions``.

    Returns:
        A ``FusionModel`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.

    Raises:
        ValueError: where an option is out of range, or the strategy does not fit.
    """
    stem, growth, blocks = TABLE[row]
    in_time = strides_in_time(temporal_strides, (1,) * (1 + len(blocks)))
    own = {"share_inputs": share_inputs, "temporal_strides": list(in_time)}
    network = Network("densenet", row, num_classes, options, **own)
    x = network.stem(stem, (5, 7, 7), (in_time[0], 2, 2))
    inputs = [max_pool(x, (3, 3, 3), (in_time[1], 2, 2), name="stem_pool")]
    made: dict[str, Any] = {"fusion": network.fusion, "share_inputs": share_inputs}
    for b, layers in enumerate(blocks, 1):
        for n in range(1, layers + 1):
            inputs.append(dense_layer(inputs, growth, name=f"B{b}.L{n}", **made))
        if b < len(blocks):
            inputs = [transition(inputs, in_time[1 + b], name=f"T{b}", **made)]
    return network.finish(normalized(concatenated(inputs, "features"), name="features"))
