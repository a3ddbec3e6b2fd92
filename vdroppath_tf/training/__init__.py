"""Training: recipes as data, one ``train()`` for every phase, checkpoints that resume exactly."""

from vdroppath_tf.training.recipe import Phase, Recipe
from vdroppath_tf.training.recipes import PUBLISHED, RECIPES, TRAINING_VIDEOS
from vdroppath_tf.training.runs import Clips, build_derived, build_template, template_from
from vdroppath_tf.training.summary import summary
from vdroppath_tf.training.tensorboard import SpaceToTensorBoard
from vdroppath_tf.training.trainer import train

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
