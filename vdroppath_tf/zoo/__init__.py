"""The networks: ``template_*`` learns the space, ``derived_*`` runs one strategy of it.

Beside them strategies with a name, and what the paper published.
"""

from vdroppath_tf.zoo.by_name import NETWORKS, get_model, list_models
from vdroppath_tf.zoo.densenet import (
    derived_densenet121,
    derived_densenet161,
    derived_densenet169,
    derived_densenet201,
    template_densenet121,
    template_densenet161,
    template_densenet169,
    template_densenet201,
)
from vdroppath_tf.zoo.mobilenet_v2 import derived_mobilenet_v2, template_mobilenet_v2
from vdroppath_tf.zoo.published import DATASETS, published_space, published_strategy, published_top1
from vdroppath_tf.zoo.resnet import (
    derived_micro,
    derived_resnet50,
    derived_resnet101,
    derived_resnext50,
    derived_resnext101,
    template_micro,
    template_resnet50,
    template_resnet101,
    template_resnext50,
    template_resnext101,
)
from vdroppath_tf.zoo.strategies import (
    bottom_heavy,
    i3d,
    mixed,
    observed,
    observed_kinetics,
    r2plus1d,
    top_heavy,
    uniform,
)
from vdroppath_tf.zoo.transfer import transfer

__all__ = [
    "DATASETS",
    "NETWORKS",
    "bottom_heavy",
    "derived_densenet121",
    "derived_densenet161",
    "derived_densenet169",
    "derived_densenet201",
    "derived_micro",
    "derived_mobilenet_v2",
    "derived_resnet50",
    "derived_resnet101",
    "derived_resnext50",
    "derived_resnext101",
    "get_model",
    "i3d",
    "list_models",
    "mixed",
    "observed",
    "observed_kinetics",
    "published_space",
    "published_strategy",
    "published_top1",
    "r2plus1d",
    "template_densenet121",
    "template_densenet161",
    "template_densenet169",
    "template_densenet201",
    "template_micro",
    "template_mobilenet_v2",
    "template_resnet50",
    "template_resnet101",
    "template_resnext50",
    "template_resnext101",
    "top_heavy",
    "transfer",
    "uniform",
]
