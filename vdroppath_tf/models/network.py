"""Network: the two ends that all families share, and the description a model carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from typing_extensions import TypedDict

from vdroppath_tf.layers.convolution import Triple
from vdroppath_tf.models.common import (
    CLIP_STATISTICS,
    FusionMaker,
    GateOptions,
    Tensor,
    convolution,
    head,
    max_pool,
    normalized,
    normalized_clip,
)
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.spaces.strategy import FusionStrategy

ClipShape = tuple[int | None, int | None, int | None]
OPEN: ClipShape = (None, None, None)


class NetworkOptions(TypedDict, total=False):
    """What every family takes.

    ``clip_shape``: frames, height and width of the clips; None leaves a size open.
    ``channels``: of the clips: 3 for RGB, 2 for optical flow.
    ``branches``: of the fusion layers, out of S, T and ST in that order.
    ``strategy``: None makes a template; a strategy makes the network that has only its paths.
    ``gates``: options of the template's gates.
    ``temporal_pool``: max-pool over three frames, stride 2, behind the stem's first convolution:
    half as many frames from there on (Fig. 6).
    ``dropout``: before the classifier; the paper has 0 while gates train.
    ``include_top``: False leaves pool and classifier out; the features come out.
    """

    clip_shape: ClipShape
    channels: int
    branches: Sequence[str]
    strategy: FusionStrategy | None
    gates: GateOptions | None
    temporal_pool: bool
    dropout: float
    include_top: bool


class Network:
    """A network while it is built: stem, the maker of its fusion layers, head, description.

    Args:
        family: name of the function that builds it.
        name: its row in the family's table.
        num_classes: logits of the classifier.
        options: what every family takes.
        **own: what this family takes beside it, for the description.
    """

    def __init__(
        self, family: str, name: str, num_classes: int, options: NetworkOptions, **own: Any
    ) -> None:
        self.strategy = options.get("strategy")
        self.gates: GateOptions | None = None
        if self.strategy is None:
            self.gates = options.get("gates") or GateOptions()
        branches = tuple(options.get("branches", ("S", "ST")))
        self.fusion = FusionMaker(branches, self.strategy, self.gates or GateOptions())
        self.architecture: dict[str, Any] = {
            "family": family,
            "name": name,
            "num_classes": num_classes,
            "clip_shape": list(options.get("clip_shape", OPEN)),
            "channels": options.get("channels", 3),
            "branches": list(branches),
            "temporal_pool": options.get("temporal_pool", False),
            "dropout": options.get("dropout", 0.0),
            "include_top": options.get("include_top", True),
            "strategy": None if self.strategy is None else str(self.strategy),
            "gates": dict(self.gates or {}),
            **own,
        }
        check_clip_shape(self.architecture["clip_shape"])
        check_channels(self.architecture["channels"])
        clip = (*self.architecture["clip_shape"], self.architecture["channels"])
        self.input = keras.Input(clip, name="video")

    def stem(
        self, filters: int, size: Triple, stride: Triple, max_value: float | None = None
    ) -> Tensor:
        """The clips, normalised, through the first convolution, BN, ReLU, and the temporal pool."""
        x = normalized_clip(self.input)
        x = convolution(x, filters, size, stride, name="stem_conv")
        x = normalized(x, name="stem", max_value=max_value)
        if not self.architecture["temporal_pool"]:
            return x
        return max_pool(x, (3, 1, 1), (2, 1, 1), name="temporal_pool")

    def finish(self, features: Tensor) -> FusionModel:
        """The model, once the last block's features are there."""
        name, kind = self.architecture["name"], "derived" if self.strategy else "template"
        self.fusion.finish(name)
        outputs = features
        if self.architecture["include_top"]:
            classes, dropout = self.architecture["num_classes"], self.architecture["dropout"]
            outputs = head(features, classes, dropout, self.gates)
        return FusionModel.of(
            self.architecture, inputs=self.input, outputs=outputs, name=f"{kind}_{name}"
        )


def check_clip_shape(shape: Sequence[int | None]) -> None:
    """ValueError unless ``shape`` is frames, height and width, each 1 or more, or None for any."""
    if len(shape) != 3 or not all(n is None or (isinstance(n, int) and n > 0) for n in shape):
        raise ValueError(
            "clip_shape must be (frames, height, width), None for a size that stays open. "
            f"Received: {tuple(shape)}"
        )


def check_channels(channels: int) -> None:
    """ValueError unless clips with so many channels are known."""
    if channels not in CLIP_STATISTICS:
        raise ValueError(
            f"channels must be 3 (RGB) or 2 (optical flow, x and y). Received: {channels}"
        )
