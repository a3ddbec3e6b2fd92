"""DenseNets: section 3.1 and Fig. 3; DenseNet-121 is the template of the paper."""

from __future__ import annotations

from typing_extensions import Unpack

from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.zoo.constructors import (
    DenseNetOptions,
    DenseNetTemplateOptions,
    derived,
    explicit,
    template,
)


@explicit
def template_densenet121(
    num_classes: int = 174, **options: Unpack[DenseNetTemplateOptions]
) -> FusionModel:
    """DenseNet-121, the paper's template: 61 fusion layers, named as in Fig. 4, of gated paths.

    Zhou et al., CVPR 2020, Table 2: S 41.8, ST 47.5, S+ST 46.5, best strategy 50.2 on
    Something-Something V1.

    Args:
        num_classes: logits of the classifier.
        **options: see ``DenseNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("densenet121", num_classes, options)


@explicit
def derived_densenet121(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[DenseNetOptions]
) -> FusionModel:
    """DenseNet-121 with the paths of one strategy of 61 units only."""
    return derived("densenet121", strategy, num_classes, options)


@explicit
def template_densenet169(
    num_classes: int = 174, **options: Unpack[DenseNetTemplateOptions]
) -> FusionModel:
    """DenseNet-169: 85 fusion layers of gated paths.

    Ours: the paper's template on a deeper row of the family; nothing was published for it.

    Args:
        num_classes: logits of the classifier.
        **options: see ``DenseNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("densenet169", num_classes, options)


@explicit
def derived_densenet169(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[DenseNetOptions]
) -> FusionModel:
    """DenseNet-169 with the paths of one strategy of 85 units only."""
    return derived("densenet169", strategy, num_classes, options)


@explicit
def template_densenet201(
    num_classes: int = 174, **options: Unpack[DenseNetTemplateOptions]
) -> FusionModel:
    """DenseNet-201: 101 fusion layers of gated paths.

    Ours: the paper's template on a deeper row of the family; nothing was published for it.

    Args:
        num_classes: logits of the classifier.
        **options: see ``DenseNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("densenet201", num_classes, options)


@explicit
def derived_densenet201(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[DenseNetOptions]
) -> FusionModel:
    """DenseNet-201 with the paths of one strategy of 101 units only."""
    return derived("densenet201", strategy, num_classes, options)


@explicit
def template_densenet161(
    num_classes: int = 174, **options: Unpack[DenseNetTemplateOptions]
) -> FusionModel:
    """DenseNet-161 (growth 48): 81 fusion layers of gated paths.

    Ours: the paper's template on a wider row of the family; nothing was published for it.

    Args:
        num_classes: logits of the classifier.
        **options: see ``DenseNetTemplateOptions``: of the network, and of its gates.

    Returns:
        A ``keras.Model`` from clips ``(batch, time, height, width, 3)``, RGB 0..255, to logits.
    """
    return template("densenet161", num_classes, options)


@explicit
def derived_densenet161(
    strategy: FusionStrategy | str, num_classes: int = 174, **options: Unpack[DenseNetOptions]
) -> FusionModel:
    """DenseNet-161 with the paths of one strategy of 81 units only."""
    return derived("densenet161", strategy, num_classes, options)
