"""The networks, one function each: ``template_*`` learns the space, ``derived_*`` runs one strategy of it."""

from .resnet import derived_micro, derived_resnet50, template_micro, template_resnet50

__all__ = ["derived_micro", "derived_resnet50", "template_micro", "template_resnet50"]
