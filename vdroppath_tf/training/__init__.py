"""Training: recipes as data, one ``train()`` for every phase, checkpoints that resume exactly."""

from .recipe import RECIPES, Phase, Recipe
from .runs import Clips, build_derived, build_template, template_from
from .trainer import train

__all__ = [
    "RECIPES",
    "Clips",
    "Phase",
    "Recipe",
    "build_derived",
    "build_template",
    "template_from",
    "train",
]
