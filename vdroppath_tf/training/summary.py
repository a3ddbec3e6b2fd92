"""How a run was trained, in words for a reader of its report."""

from __future__ import annotations

from vdroppath_tf.names import named
from vdroppath_tf.training.recipe import Recipe


@named
def summary(recipe: Recipe) -> dict[str, str]:
    """What was chosen, by name: network, clips, epochs, rates, KL, starting p, seed."""
    sampling = recipe.evaluation
    crop = None if sampling.crop is None else sampling.crop_size
    size = "as in the videos" if crop is None else "x".join(map(str, crop))
    return {
        "network": recipe.network,
        "clips": f"{sampling.frames} frames, stride {sampling.stride}, size {size}",
        "epochs": " + ".join(phase.description for phase in (recipe.warmup, recipe.search)),
        "batch": str(recipe.batch_size),
        "learning rates": f"{recipe.search.learning_rate:g}, gates {recipe.gate_learning_rate:g}",
        "KL": f'form "{recipe.kl}", weight_reg {recipe.weight_reg:g}',
        "starting p": f"{recipe.initial_drop:g}",
        "seed": str(recipe.seed),
    }
