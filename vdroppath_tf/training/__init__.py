"""Training: recipes as data, one ``train()`` for every phase, checkpoints that resume exactly."""

from .recipe import Phase, Recipe
from .recipes import PUBLISHED, RECIPES
from .runs import Clips, build_derived, build_template, template_from
from .trainer import train

__all__ = [
    "PUBLISHED",
    "RECIPES",
    "Clips",
    "Phase",
    "Recipe",
    "build_derived",
    "build_template",
    "template_from",
    "train",
]
