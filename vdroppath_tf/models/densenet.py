"""3D DenseNets, the paper's template: one builder over a table of rows (section 3.1, Fig. 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from vdroppath_tf.layers.zeros import Zeros
from vdroppath_tf.models.common import (
    FusionMaker,
    Tensor,
    average_pool,
    convolution,
    max_pool,
    normalized,
    stem,
)
from vdroppath_tf.models.conventions import Convention, Table
from vdroppath_tf.models.family import Family, FusionLayer
from vdroppath_tf.models.options import BRANCHES, OPEN, ClipShape, arguments
from vdroppath_tf.models.row import Row as AnyRow
from vdroppath_tf.models.row import check_layers
from vdroppath_tf.names import named
from vdroppath_tf.spaces.strategy import FusionStrategy

BOTTLENECK = 4  # a layer's inner channels, in growths


@named
@dataclass(frozen=True)
class Row(AnyRow):
    """One network of the family.

    Attributes:
        name: str, the name of the network.
        stem: int, the channels of the first convolution.
        growth: int, the channels of each layer's output.
        blocks: tuple of int, the number of layers of each dense block.
        num_classes: int, the logits of the classifier by default. Defaults to 174.
        share_inputs: bool. True has one gate for each path of a layer, as the paper's experiments.
            False has one for each of the layer's inputs (the block's input and every earlier layer
            of the block), so that the vector v of the paper's triplets is learned too. Defaults to
            True.
    """

    stem: int
    growth: int
    blocks: tuple[int, ...]
    share_inputs: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_layers(sum(self.blocks) + len(self.blocks) - 1)


TABLE = (
    Row("densenet121", 64, 32, (6, 12, 24, 16)),
    Row("densenet169", 64, 32, (6, 12, 32, 32)),
    Row("densenet201", 64, 32, (6, 12, 48, 32)),
    Row("densenet161", 96, 48, (6, 12, 36, 24)),
)


def fusion_layers(row: Row) -> tuple[FusionLayer, ...]:
    """Every dense layer, and the transition that closes each block but the last.

    A transition has no residual branch around it, and no 3x3 in space: there T would be ST.
    """
    found = []
    for b, layers in enumerate(row.blocks):
        found += [FusionLayer(f"B{b + 1}.L{n + 1}", b) for n in range(layers)]
        if b + 1 < len(row.blocks):
            found.append(FusionLayer(f"T{b + 1}", b, has_residual=False, has_t=False))
    return tuple(found)


def temporal_strides(row: Row) -> tuple[int, ...]:
    """Of the stem, its max-pool, and each transition's average-pool."""
    return (1,) * (1 + len(row.blocks))


@dataclass
class Features:
    """All earlier features of a dense block, its input first.

    Attributes:
        x: what has been concatenated.
        widths: channels of each of the inputs that later layers see.
        last: the latest of them, where it is not yet in ``x``.
    """

    x: Tensor
    widths: tuple[int, ...]
    last: Tensor | None = None

    def append(self, y: Tensor) -> None:
        """The output of a layer; the layer before it has been seen."""
        self.last, self.widths = y, (*self.widths, y.shape[-1])

    def concatenated(self, name: str) -> Tensor:
        """All of them for the layer of that name: each is copied in once, to what was there."""
        if self.last is not None:
            self.x = keras.layers.Concatenate(name=f"{name}_inputs")([self.x, self.last])
            self.last = None
        return self.x


def dense_layer(
    inputs: Features, growth: int, *, fusion: FusionMaker, share_inputs: bool, name: str
) -> Tensor:
    """Fusion of BN - ReLU - convolution paths, then BN - ReLU - 1x3x3, gated: what is appended."""
    x = inputs.concatenated(name)
    fused = fusion(
        x,
        BOTTLENECK * growth,
        name=name,
        before="relu",
        temporal=(growth, (1, 1, 1)),
        widths=None if share_inputs else inputs.widths,
    )

    def spatial(y: Tensor) -> Tensor:
        prior = fused.weight_prior
        y = normalized(y, name=name)
        return convolution(y, growth, (1, 3, 3), name=f"{name}_conv", weight_prior=prior)

    if fused.empty:  # what follows sees zeros in its place, as in the template
        return Zeros(growth, name=f"{name}_zeros")(x)
    return fused.gate(fused.through(spatial))


def transition(
    inputs: Features, stride: int, *, fusion: FusionMaker, share_inputs: bool, name: str
) -> Tensor:
    """Fusion to half the channels, then average-pool; without a 3x3, T would equal ST."""
    x = inputs.concatenated(name)
    widths = None if share_inputs else inputs.widths
    fused = fusion(x, x.shape[-1] // 2, name=name, has_residual=False, before="relu", widths=widths)
    return average_pool(fused.output, (stride, 2, 2), (stride, 2, 2), name=f"{name}_pool")


def features(
    row: Row,
    clips: Tensor,
    fusion: FusionMaker,
    *,
    temporal_strides: Sequence[int],
    temporal_pool: bool,
) -> Tensor:
    """What a 3D DenseNet makes of clips: the paper's template network."""
    first, *between = temporal_strides
    x = stem(clips, row.stem, (5, 7, 7), (first, 2, 2), temporal_pool=temporal_pool)
    x = max_pool(x, (3, 3, 3), (between[0], 2, 2), name="stem_pool")
    made: dict[str, Any] = {"fusion": fusion, "share_inputs": row.share_inputs}
    for b, layers in enumerate(row.blocks, 1):
        inputs = Features(x, (x.shape[-1],))
        for n in range(1, layers + 1):
            inputs.append(dense_layer(inputs, row.growth, name=f"B{b}.L{n}", **made))
        if b < len(row.blocks):
            x = transition(inputs, between[b], name=f"T{b}", **made)
    return normalized(inputs.concatenated("features"), name="features")


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
    share_inputs: bool | None = None,
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
    """What is asked of a DenseNet template, for ``build_network``; see ``options.MEANINGS``."""
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
    share_inputs: bool | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """What is asked of the DenseNet of one strategy, for ``build_network``."""
    return arguments(**locals())


# layers of 2D networks, see ``conventions``
_DENSE = "features.denseblock{b}.denselayer{l}"
_KERAS: Table = (
    ("stem_conv", "conv1_conv"),
    ("stem_bn", "conv1_bn"),
    ("B{b}.L{l}/{path}_bn", "conv{b2}_block{l}_0_bn"),
    ("B{b}.L{l}/{path}", "conv{b2}_block{l}_1_conv"),
    ("B{b}.L{l}_bn", "conv{b2}_block{l}_1_bn"),
    ("B{b}.L{l}_conv", "conv{b2}_block{l}_2_conv"),
    ("T{t}/{path}_bn", "pool{t2}_bn"),
    ("T{t}/{path}", "pool{t2}_conv"),
    ("features_bn", "bn"),
    ("classifier", "predictions"),
)
_TORCH: Table = (
    ("stem_conv", "features.conv0"),
    ("stem_bn", "features.norm0"),
    ("B{b}.L{l}/{path}_bn", f"{_DENSE}.norm1"),
    ("B{b}.L{l}/{path}", f"{_DENSE}.conv1"),
    ("B{b}.L{l}_bn", f"{_DENSE}.norm2"),
    ("B{b}.L{l}_conv", f"{_DENSE}.conv2"),
    ("T{t}/{path}_bn", "features.transition{t}.norm"),
    ("T{t}/{path}", "features.transition{t}.conv"),
    ("features_bn", "features.norm5"),
    ("classifier", "classifier"),
)

CONVENTIONS = (
    Convention(
        "keras.applications' DenseNet",
        _KERAS,
        mark="pool2_conv",  # its other names are among those of a ResNet
        epsilon=1.001e-5,
        spellings=((r"fc1000(?=/)", "predictions"),),
        networks={
            "densenet121": keras.applications.DenseNet121,
            "densenet169": keras.applications.DenseNet169,
            "densenet201": keras.applications.DenseNet201,
        },
    ),
    Convention(
        "torchvision's DenseNet",
        _TORCH,
        mark="features.denseblock1.denselayer1.conv1",
        torch=True,
        spellings=(
            (r"(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.([12]\..*)", r"\1\2"),
        ),
    ),
)

FAMILY = Family(
    name="densenet",
    row=Row,
    rows=TABLE,
    layers=fusion_layers,
    strides=temporal_strides,
    features=features,
    template=template,
    derived=derived,
    block=r"B(\d+)\.L\d+",
    conventions=CONVENTIONS,
    options={
        "share_inputs": "bool. False gives each input of a layer gates of its own: v is learned "
        "too. Defaults to that of the row, True."
    },
)
