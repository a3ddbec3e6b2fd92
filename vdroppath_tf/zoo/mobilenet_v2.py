"""MobileNetV2: supplementary section 3, with fixed strategies; learned gates are ours."""

from __future__ import annotations

from typing_extensions import Unpack

from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo.constructors import (
    CommonOptions,
    TemplateOptions,
    derived,
    explicit,
    template,
)


@explicit
def template_mobilenet_v2(
    num_classes: int = 174, **options: Unpack[TemplateOptions]
) -> FusionModel:
    """MobileNetV2: 16 fusion layers of gated paths.

    Zhou et al., CVPR 2020, supplementary section 3: S 52.9, ST 59.3, S+ST 59.7, best strategy 59.5
    on Something-Something V2.

    Args:
        num_classes: logits of the classifier.
        **options: see ``TemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("mobilenet_v2", num_classes, options)


@explicit
def derived_mobilenet_v2(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[CommonOptions]
) -> FusionModel:
    """MobileNetV2 with the paths of one strategy of 16 units only."""
    return derived("mobilenet_v2", strategy, num_classes, options)
