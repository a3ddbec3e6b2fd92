"""How a run was trained, in words for a reader of its report."""

from __future__ import annotations

from vdroppath_tf.names import named
from vdroppath_tf.spaces.prior import prior_words
from vdroppath_tf.training.recipe import Recipe


def describe_prior(recipe: Recipe, num_train_examples: int | None) -> str:
    """The strength of the prior that a recipe's gates have with N training videos, in words."""
    return prior_words(
        weight_reg=recipe.weight_reg,
        prior_strength=recipe.prior_strength,
        num_examples=num_train_examples,
        form=recipe.kl,
    )


@named
def summary(recipe: Recipe, num_train_examples: int | None = None) -> dict[str, str]:
    """What was chosen, by name: network, clips, epochs, rates, KL, prior, starting p, seed.

    Args:
        recipe: The recipe.
        num_train_examples: N of Eq. 5, the training videos. Defaults to None: not known.
    """
    sampling = recipe.evaluation
    crop = None if sampling.crop is None else sampling.crop_size
    size = "as in the videos" if crop is None else "x".join(map(str, crop))
    return {
        "network": recipe.network,
        "clips": f"{sampling.frames} frames, stride {sampling.stride}, size {size}",
        "epochs": " + ".join(phase.description for phase in (recipe.warmup, recipe.search)),
        "batch": str(recipe.batch_size),
        "learning rates": f"{recipe.search.learning_rate:g}, gates {recipe.gate_learning_rate:g}",
        "KL": f'form "{recipe.kl}"',
        "prior": describe_prior(recipe, num_train_examples),
        "starting p": f"{recipe.initial_drop:g}",
        "seed": str(recipe.seed),
    }
