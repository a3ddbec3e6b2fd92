"""What is peculiar to each kind of 2D network that can be inflated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from vdroppath_tf.layers.normalization import EPSILON
from vdroppath_tf.models.common import MEAN, STD
from vdroppath_tf.models.inflation import source_names as names


@dataclass(frozen=True)
class InputStatistics:
    """What a 2D network is fed: ``(rgb - mean) / std`` of values 0..255, BGR if ``bgr``."""

    mean: tuple[float, ...] = tuple(255 * m for m in MEAN)
    std: tuple[float, ...] = tuple(255 * s for s in STD)
    bgr: bool = False

    def from_ours(self) -> tuple[np.ndarray, np.ndarray]:
        """``(factor, shift)``, each ``(3,)`` in RGB order: theirs = factor * ours + shift."""
        our_mean, our_std = 255 * np.array(MEAN), 255 * np.array(STD)
        return our_std / np.array(self.std), (our_mean - np.array(self.mean)) / np.array(self.std)


@dataclass(frozen=True)
class Convention:
    """One kind of 2D network: its names and where it differs from the networks here.

    Attributes:
        title: for messages.
        family: of ours that it inflates to.
        table: its layers and ours.
        mark: a layer by which its weights are known.
        torch: named and laid out as in PyTorch.
        epsilon: of its batch norms.
        statistics: of its input.
        biased: its convolutions have biases; that of ``x_conv`` comes before the BN ``x_bn``.
        changed: what no weight can make up for, as sentences.
    """

    title: str
    family: str
    table: names.Table
    mark: str
    torch: bool = False
    epsilon: float = EPSILON
    statistics: InputStatistics = InputStatistics()
    biased: bool = False
    changed: tuple[str, ...] = ()

    @property
    def separator(self) -> str:
        """Between a layer and its variable."""
        return "." if self.torch else "/"

    def source_of(self, path: str) -> str | None:
        """The source's name for the weight ``path`` of ours; None where it has none."""
        layer, _, variable = path.rpartition("/")
        found = names.source_layer(self.table, layer)
        spelt = TORCH_VARIABLES.get(variable) if self.torch else variable
        return None if found is None or spelt is None else f"{found}{self.separator}{spelt}"

    def layer_of(self, name: str) -> str | None:
        """Our layer for the source's weight ``name``; None for an unknown one."""
        return names.our_layer(self.table, name.rpartition(self.separator)[0])


TORCH_VARIABLES: Mapping[str, str] = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "bias": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
CAFFE = InputStatistics(mean=(123.68, 116.779, 103.939), std=(1.0, 1.0, 1.0), bgr=True)
MINUS_ONE_TO_ONE = InputStatistics(mean=(127.5,) * 3, std=(127.5,) * 3)

CONVENTIONS = (
    Convention(
        "keras.applications' ResNet",
        "resnet",
        names.RESNET_KERAS,
        mark="conv2_block1_3_conv",
        epsilon=1.001e-5,
        statistics=CAFFE,
        biased=True,
        changed=(
            "The source has the stride 2 of a stage on its first 1x1 convolution, this network on "
            "the 1x3x3 that follows: same weights, other positions, in the first block of each "
            "stage but the first.",
        ),
    ),
    Convention(
        "torchvision's ResNet or ResNeXt",
        "resnet",
        names.RESNET_TORCH,
        mark="layer1.0.conv1",
        torch=True,
    ),
    Convention(
        "keras.applications' DenseNet",
        "densenet",
        names.DENSENET_KERAS,
        mark="conv2_block1_0_bn",
        epsilon=1.001e-5,
    ),
    Convention(
        "torchvision's DenseNet",
        "densenet",
        names.DENSENET_TORCH,
        mark="features.denseblock1.denselayer1.conv1",
        torch=True,
    ),
    Convention(
        "keras.applications' MobileNetV2",
        "mobilenet_v2",
        names.MOBILENET_V2_KERAS,
        mark="expanded_conv_depthwise",
        epsilon=1e-3,
        statistics=MINUS_ONE_TO_ONE,
        changed=(
            "The source pads a stride-2 convolution of an even-sized input below and to the right "
            "only, this network on all sides: positions differ by one there. Odd sizes agree.",
        ),
    ),
    Convention(
        "torchvision's MobileNetV2",
        "mobilenet_v2",
        names.MOBILENET_V2_TORCH,
        mark="features.1.conv.0.0",
        torch=True,
    ),
)


def convention_of(weights: Iterable[str]) -> Convention | None:
    """The kind of network that these names belong to; None for none of them."""
    layers = {re.sub(r"[/.][^/.]*$", "", name) for name in weights}
    return next((each for each in CONVENTIONS if each.mark in layers), None)


def blocks_in(layers: Iterable[str]) -> str:
    """``"3, 4, 6, 3"``: how many blocks each stage has, out of the names of our layers."""
    block = re.compile(r"(?:stage|B)?(\d*)[._]?(?:block|L)(\d+)")
    found = {match.groups() for name in layers if (match := block.match(name))}
    counts = Counter(int(stage or 1) for stage, _ in found)
    return ", ".join(str(counts[stage]) for stage in sorted(counts))
