"""Describes how a run was trained, for a report."""

from __future__ import annotations

from vdroppath_tf.names import named
from vdroppath_tf.spaces.prior import prior_words
from vdroppath_tf.training.recipe import Recipe
from vdroppath_tf.training.recipes import PUBLISHED, RECIPES, TRAINING_VIDEOS


def describe_prior(recipe: Recipe, num_train_examples: int | None) -> str:
    """Describes the strength of the prior of a recipe with N training videos."""
    return prior_words(
        weight_reg=recipe.weight_reg,
        prior_strength=recipe.prior_strength,
        num_examples=num_train_examples,
        form=recipe.kl,
    )


@named
def summary(recipe: Recipe, num_train_examples: int | None = None) -> dict[str, str]:
    """Returns the settings by name: network, clips, epochs, rates, KL, prior, initial p, seed.

    Args:
        recipe: The recipe.
        num_train_examples: N of Eq. 5, the number of training videos. Defaults to None: unknown.

    Example:
    ```python
    summary(RECIPES["small"], num_train_examples=512)["prior"]
    ```
    """
    sampling = recipe.evaluation
    size, edge = "as in the videos", sampling.fixed_short_edge()
    if sampling.crop is not None:
        size = "x".join(map(str, sampling.crop_size))
    elif edge is not None:
        size = f"of short edge {edge}"
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
        **_steps(recipe),
    }


def _steps(recipe: Recipe) -> dict[str, str]:
    """Returns the settings of a step that differ from the default."""
    parts = [f"{recipe.precision}"] if recipe.precision not in (None, "float32") else []
    parts += [f"in {recipe.accumulate} parts"] if recipe.accumulate > 1 else []
    parts += [f"norm clipped at {recipe.clip_norm:g}"] if recipe.clip_norm is not None else []
    parts += [f"averages, decay {recipe.ema:g}"] if recipe.ema is not None else []
    parts += [f"patience {recipe.patience}"] if recipe.patience is not None else []
    parts += ["blocks rematerialised"] if recipe.remat else []
    return {"steps": ", ".join(parts)} if parts else {}


@named
def few_steps(recipe: Recipe, name: str, num_videos: int) -> str | None:
    """Returns advice if a named recipe has far fewer steps than it was designed for, else None.

    A recipe sets epochs, so on a tenth of the videos it takes a tenth of the steps. There is no
    advice for the published recipes: their epochs are the paper's.

    Args:
        recipe: The recipe of the run.
        name: The name of the recipe it was made from.
        num_videos: The training videos.

    Returns:
        A sentence with the epochs that give as many steps; None if there are at least half as many
        steps, or the epochs are not those of the named recipe.

    Example:
    ```python
    print(few_steps(RECIPES["small"], "small", num_videos=100))
    ```
    """
    usual, steps = RECIPES[name], num_videos // recipe.batch_size
    same = [(phase.name, phase.epochs) for phase in usual.template_phases()]
    own = [(phase.name, phase.epochs) for phase in recipe.template_phases()]
    full = TRAINING_VIDEOS[name] // usual.batch_size
    enough = enough_epochs(recipe, name, num_videos)
    if own != same or not enough:
        return None
    flags = " ".join(f"--{phase}_epochs={enough[phase]}" for phase, _ in own)
    return (
        f"{num_videos:,} videos make {steps * sum(n for _, n in own)} steps; the recipe {name!r} "
        f"was designed for {full * sum(n for _, n in own)}. {flags} would give as many."
    )


@named
def enough_epochs(recipe: Recipe, name: str, num_videos: int) -> dict[str, int]:
    """Returns the epochs of each phase that give as many steps as the recipe was designed for.

    Args:
        recipe: The recipe of the run.
        name: The name of the recipe it was made from.
        num_videos: The training videos.

    Returns:
        Epochs by phase; empty if there are at least half as many steps, or for a published recipe.

    Example:
    ```python
    enough_epochs(RECIPES["small"], "small", num_videos=100)  # {"warmup": ..., "search": ...}
    ```
    """
    usual, steps = RECIPES[name], num_videos // recipe.batch_size
    full = TRAINING_VIDEOS[name] // usual.batch_size
    if name in PUBLISHED or not 0 < 2 * steps < full:
        return {}
    phases = (usual.warmup, usual.search, usual.finetune)
    return {phase.name: round(phase.epochs * full / steps) for phase in phases if phase}
