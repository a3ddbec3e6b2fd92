"""Training: recipes as data, one ``train()`` for every phase, checkpoints that resume exactly."""

from .recipe import Phase, Recipe
from .recipes import PUBLISHED, RECIPES, TRAINING_VIDEOS
from .runs import Clips, build_derived, build_template, template_from
from .summary import summary
from .tensorboard import SpaceToTensorBoard
from .trainer import train

__all__ = [
    "PUBLISHED",
    "RECIPES",
    "TRAINING_VIDEOS",
    "Clips",
    "Phase",
    "Recipe",
    "SpaceToTensorBoard",
    "build_derived",
    "build_template",
    "summary",
    "template_from",
    "train",
]
