"""ResNets: supplementary section 3 of the paper, with fixed strategies; learned gates are ours."""

from __future__ import annotations

from typing_extensions import Unpack

from ..models.common import GateOptions
from ..models.fusion_model import FusionModel
from ..models.resnet import resnet
from ..strategy import FusionStrategy

ClipShape = tuple[int | None, int | None, int | None]
OPEN: ClipShape = (None, None, None)


def _strategy(strategy: FusionStrategy | str) -> FusionStrategy:
    return FusionStrategy.parse(strategy) if isinstance(strategy, str) else strategy


def template_resnet50(
    num_classes: int = 174,
    *,
    clip_shape: ClipShape = OPEN,
    dropout: float = 0.0,
    **gates: Unpack[GateOptions],
) -> FusionModel:
    """ResNet-50 as a template: 16 fusion layers, each with gated S and ST paths.

    Zhou et al., CVPR 2020, Table 6: S 33.8, ST 40.1, S+ST 38.9, best strategy 41.2 on
    Something-Something V1.

    Args:
        num_classes: logits of the classifier.
        clip_shape: frames, height and width; None leaves a size open.
        dropout: before the classifier; 0 while gates train, in the paper.
        **gates: ``num_train_examples`` (N of Eq. 5; ``fit`` fills it in where it can),
            ``weight_reg``, ``kl``, ``noise``, ``initial_drop``, ``temperature``, ``drop_layer``,
            ``seed``: see ``VariationalDropPath``.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return resnet("resnet50", num_classes, clip_shape=clip_shape, dropout=dropout, gates=gates)


def derived_resnet50(
    strategy: FusionStrategy | str,
    num_classes: int = 174,
    *,
    clip_shape: ClipShape = OPEN,
    dropout: float = 0.0,
) -> FusionModel:
    """ResNet-50 with the paths of one strategy of 16 units only; see ``template_resnet50``."""
    units = _strategy(strategy)
    return resnet("resnet50", num_classes, clip_shape=clip_shape, dropout=dropout, strategy=units)


def template_micro(
    num_classes: int = 4,
    *,
    clip_shape: ClipShape = OPEN,
    dropout: float = 0.0,
    **gates: Unpack[GateOptions],
) -> FusionModel:
    """A ResNet of 6 fusion layers for CPUs and known-answer tasks; see ``template_resnet50``.

    Its stem and pools see one frame at a time, so what it knows of time the fusion layers have
    told it.
    """
    return resnet("micro", num_classes, clip_shape=clip_shape, dropout=dropout, gates=gates)


def derived_micro(
    strategy: FusionStrategy | str,
    num_classes: int = 4,
    *,
    clip_shape: ClipShape = OPEN,
    dropout: float = 0.0,
) -> FusionModel:
    """The micro ResNet with the paths of one strategy of 6 units only."""
    units = _strategy(strategy)
    return resnet("micro", num_classes, clip_shape=clip_shape, dropout=dropout, strategy=units)
