"""Runs every phase of each recipe in a reduced size, to show that it runs.

    python scripts/run_recipes_small.py --recipe=ucf101

Full-size runs need GPUs and weeks. This script takes a recipe, reduces what `reduced` lists and
nothing else, and runs its phases on a known-answer task of 16 videos: warm-up, v-DropPath, the
space, scores of draws, derivation, fine-tuning, and a test by the recipe's protocol. Without
--recipe it runs all recipes. Accuracies after two steps per phase carry no information. The cards
in zoo/recipes show the output (zoo/runs).
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import app, flags

from vdroppath_tf import ProbabilitySpace, derive, recalibrate
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.experiments.scorer import Scorer
from vdroppath_tf.experiments.steps import candidates
from vdroppath_tf.experiments.tasks.synthetic import Difficulty, write_task
from vdroppath_tf.scoring.videos import score_videos
from vdroppath_tf.training import (
    RECIPES,
    TRAINING_VIDEOS,
    Clips,
    Recipe,
    RecipeClips,
    build_template,
    train,
)

NAMES = flags.DEFINE_multi_enum("recipe", list(RECIPES), list(RECIPES), "recipes to run")

FRAMES, BATCH, DRAWS = 2, 4, 3
SHRINK = 7  # 224 pixels become 32, the least of which a DenseNet's five halvings leave one pixel
VIDEOS = (8, 4, 4)  # numbers of training, validation and test videos


def reduced(recipe: Recipe, videos: int) -> Recipe:
    """Returns a recipe with fewer frames, pixels, clips per batch and epochs, and k in step with N.

    Args:
        recipe: Recipe, in full size.
        videos: int, N of its full-size run. The KL weighs the weights by k / N: with the k of many
            videos, a few videos would switch every gate off at once, and there would be nothing to
            draw and derive.
    """
    phases = {
        name: dataclasses.replace(phase, epochs=1)
        for name in ("warmup", "search", "finetune")
        if (phase := getattr(recipe, name)) is not None
    }
    sampling = dataclasses.replace(
        recipe.sampling,
        frames=FRAMES,
        short_edge=_shrunk(recipe.sampling.short_edge),
        crop=_shrunk(recipe.sampling.crop),
    )
    k = recipe.weight_reg
    return recipe.replace(
        sampling=sampling,
        evaluation_crop=_shrunk(recipe.evaluation_crop),
        batch_size=BATCH,
        **({} if k is None else {"weight_reg": k * VIDEOS[0] / videos}),
        **phases,
    )


def _shrunk(pixels: Any) -> Any:
    """Divides pixels by `SHRINK`: one number, several of them, or None."""
    if isinstance(pixels, tuple):
        return tuple(_shrunk(n) for n in pixels)
    return None if pixels is None else pixels // SHRINK


def differences(full: Any, small: Any, prefix: str = "") -> Iterator[str]:
    """Yields `name full -> small` for every field that differs."""
    for field in dataclasses.fields(full):
        before, after = getattr(full, field.name), getattr(small, field.name)
        if before == after:
            continue
        if dataclasses.is_dataclass(before):
            yield from differences(before, after, f"{field.name}.")
        else:
            yield f"{prefix}{field.name} {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def run(name: str, full: Recipe, folder: Path) -> Iterator[str]:
    """Runs every phase of a recipe in its reduced size.

    Args:
        name: str, the recipe's name.
        full: Recipe, in full size.
        folder: Path, the folder of the videos and the checkpoints.

    Yields:
        str, a line after each step.
    """
    recipe = reduced(full, TRAINING_VIDEOS[name])
    yield f"{name}: {full.network}, reduced: {', '.join(differences(full, recipe))}"
    size = Difficulty(frames=2 * FRAMES, size=48)
    files = write_task(folder / "videos", "motion", clips=VIDEOS, difficulty=size)
    clips = Clips(files.manifest("train"))  # without validation, which takes long to trace
    yield f"videos: {', '.join(map(str, VIDEOS))} (training, validation, test), 4 classes"

    template = build_template(recipe, clips)
    phases = recipe.template_phases()
    history = train(template, phases, recipe, clips, folder=folder / "template")
    yield from (_epoch(entry) for entry in history)

    space = ProbabilitySpace.from_model(template)
    units = {str(unit): f"{p.mean():.3f}" for unit, p in space.marginals().items()}
    yield f"space: {len(space)} layers, mean marginals {units}"

    maker = RecipeClips(recipe, clips.cache)
    strategies = candidates(space, DRAWS, recipe.seed)
    scores = Scorer(template, maker, clips.train).scores(strategies, files.manifest("validation"))
    yield f"scores: {len(scores)} strategies, best {scores.best.top1:.2f} of {VIDEOS[1]} clips"

    network = derive(template, scores.best.strategy, dropout=recipe.finetune_dropout)
    recalibrate(network, maker.recalibration(clips.train))
    yield f"derived: {network.count_params():,} of the template's {template.count_params():,}"

    if recipe.finetune is not None:
        tuned = train(network, (recipe.finetune,), recipe, clips, folder=folder / "derived")
        yield from (_epoch(entry) for entry in tuned)
    protocol = PROTOCOLS[recipe.protocol]
    test = files.manifest("test")
    top1 = score_videos(network, test, recipe.evaluation, protocol, batch_size=BATCH).top1
    yield f"test: top-1 {top1:.2f} of {VIDEOS[2]} videos, clips a video: {protocol.clips}"


def _epoch(entry: dict[str, Any]) -> str:
    told = {key: entry[key] for key in ("loss", "task_loss", "kl", "val_loss") if key in entry}
    numbers = ", ".join(f"{key} {value:.3g}" for key, value in told.items())
    return f"{entry['phase']}: epoch {entry['epoch']}, {numbers}"


def main(_: list[str]) -> None:
    """Runs the recipes one after another, and prints their lines."""
    # Tracing a graph of 61 layers takes minutes, and an eager step takes seconds.
    tf.config.run_functions_eagerly(True)
    for name in NAMES.value:
        before = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for line in run(name, RECIPES[name], Path(folder)):
                print(line, flush=True)
        print(f"{name}: {time.monotonic() - before:.0f} s", flush=True)


if __name__ == "__main__":
    app.run(main)
