"""The networks: ``template_*`` learns the space, ``derived_*`` runs one strategy of it."""

from .resnet import derived_micro, derived_resnet50, template_micro, template_resnet50

# row of the zoo -> its template and its derived network
NETWORKS = {
    "micro": (template_micro, derived_micro),
    "resnet50": (template_resnet50, derived_resnet50),
}

__all__ = [
    "NETWORKS",
    "derived_micro",
    "derived_resnet50",
    "template_micro",
    "template_resnet50",
]
