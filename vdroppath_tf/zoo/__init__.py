"""The networks: ``template_*`` learns the space, ``derived_*`` runs one strategy of it.

Beside them strategies with a name, and what the paper published.
"""

from .published import DATASETS, published_space, published_strategy, published_top1
from .resnet import derived_micro, derived_resnet50, template_micro, template_resnet50
from .strategies import (
    bottom_heavy,
    i3d,
    mixed,
    observed,
    observed_kinetics,
    r2plus1d,
    top_heavy,
    uniform,
)
from .transfer import transfer

# row of the zoo -> its template and its derived network
NETWORKS = {
    "micro": (template_micro, derived_micro),
    "resnet50": (template_resnet50, derived_resnet50),
}

__all__ = [
    "DATASETS",
    "NETWORKS",
    "bottom_heavy",
    "derived_micro",
    "derived_resnet50",
    "i3d",
    "mixed",
    "observed",
    "observed_kinetics",
    "published_space",
    "published_strategy",
    "published_top1",
    "r2plus1d",
    "template_micro",
    "template_resnet50",
    "top_heavy",
    "transfer",
    "uniform",
]
