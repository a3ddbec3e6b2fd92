"""ResNets: supplementary section 3 of the paper, with fixed strategies; learned gates are ours."""

from __future__ import annotations

from typing_extensions import Unpack

from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo.constructors import (
    ResNetOptions,
    ResNetTemplateOptions,
    derived,
    explicit,
    template,
)


@explicit
def template_resnet50(
    num_classes: int = 174, **options: Unpack[ResNetTemplateOptions]
) -> FusionModel:
    """ResNet-50: 16 fusion layers of gated paths.

    Zhou et al., CVPR 2020, Table 6: S 33.8, ST 40.1, S+ST 38.9, best strategy 41.2 on
    Something-Something V1.

    Args:
        num_classes: logits of the classifier.
        **options: see ``ResNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("resnet50", num_classes, options)


@explicit
def derived_resnet50(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[ResNetOptions]
) -> FusionModel:
    """ResNet-50 with the paths of one strategy of 16 units only."""
    return derived("resnet50", strategy, num_classes, options)


@explicit
def template_resnet101(
    num_classes: int = 174, **options: Unpack[ResNetTemplateOptions]
) -> FusionModel:
    """ResNet-101: 33 fusion layers of gated paths.

    Ours: nothing was published for it.

    Args:
        num_classes: logits of the classifier.
        **options: see ``ResNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("resnet101", num_classes, options)


@explicit
def derived_resnet101(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[ResNetOptions]
) -> FusionModel:
    """ResNet-101 with the paths of one strategy of 33 units only."""
    return derived("resnet101", strategy, num_classes, options)


@explicit
def template_resnext50(
    num_classes: int = 174, **options: Unpack[ResNetTemplateOptions]
) -> FusionModel:
    """ResNeXt-50 32x4d: 16 fusion layers of gated paths.

    Zhou et al., CVPR 2020, Table 6: S 35.2, ST 42.1, S+ST 40.7, best strategy 43.6 on
    Something-Something V1.

    Args:
        num_classes: logits of the classifier.
        **options: see ``ResNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("resnext50", num_classes, options)


@explicit
def derived_resnext50(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[ResNetOptions]
) -> FusionModel:
    """ResNeXt-50 32x4d with the paths of one strategy of 16 units only."""
    return derived("resnext50", strategy, num_classes, options)


@explicit
def template_resnext101(
    num_classes: int = 174, **options: Unpack[ResNetTemplateOptions]
) -> FusionModel:
    """ResNeXt-101 32x8d: 33 fusion layers of gated paths.

    Zhou et al., CVPR 2020, Table 6: S 36.6, ST 42.7, S+ST 42.3, best strategy 44.0 on
    Something-Something V1.

    Args:
        num_classes: logits of the classifier.
        **options: see ``ResNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("resnext101", num_classes, options)


@explicit
def derived_resnext101(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[ResNetOptions]
) -> FusionModel:
    """ResNeXt-101 32x8d with the paths of one strategy of 33 units only."""
    return derived("resnext101", strategy, num_classes, options)


@explicit
def template_micro(num_classes: int = 4, **options: Unpack[ResNetTemplateOptions]) -> FusionModel:
    """A ResNet for CPUs and known-answer tasks: 6 fusion layers of gated paths.

    Ours. Its stem and pools see one frame at a time, so what it knows of time the fusion layers
    have told it.

    Args:
        num_classes: logits of the classifier.
        **options: see ``ResNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("micro", num_classes, options)


@explicit
def derived_micro(
    strategy: FusionStrategy | str, num_classes: int = 4, **options: Unpack[ResNetOptions]
) -> FusionModel:
    """A ResNet for CPUs and known-answer tasks with the paths of one strategy of 6 units only."""
    return derived("micro", strategy, num_classes, options)
