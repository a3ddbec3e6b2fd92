"""Runs each recipe with everything but its sizes: a sign that it runs, and of nothing else.

    python scripts/run_recipes_small.py --recipe=ucf101

Full-size runs need GPUs and weeks. This takes a recipe, reduces what `reduced` names and nothing
else, and goes through its phases on a known-answer task of 12 videos: warm-up, v-DropPath, the
space, scores of draws, derivation, fine-tuning, a test on two clips a video. Without --recipe it
runs all of them. Accuracies after two steps a phase say nothing. The cards in zoo/recipes show what
it printed (zoo/runs).
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

NAMES = flags.DEFINE_multi_enum("recipe", list(RECIPES), list(RECIPES), "which; all of them")

FRAMES, BATCH, DRAWS = 2, 4, 3
SHRINK = 7  # 224 pixels become 32, the smallest that a DenseNet's five halvings leave one pixel of
VIDEOS = (8, 4, 4)  # training, validation, test


def reduced(recipe: Recipe, videos: int) -> Recipe:
    """The recipe with fewer frames, pixels, clips a batch and epochs, and k in step with N.

    Args:
        recipe: in full size.
        videos: N of its full run. The KL prices weights at k / N: with the k of many videos, a few
            would switch every gate off at once, and there would be nothing to draw and derive.
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
    """One number, several of them, or None."""
    if isinstance(pixels, tuple):
        return tuple(_shrunk(n) for n in pixels)
    return None if pixels is None else pixels // SHRINK


def differences(full: Any, small: Any, prefix: str = "") -> Iterator[str]:
    """`name full -> small` of every field that differs."""
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
    """Goes through every phase of a recipe in its reduced size.

    Args:
        name: of the recipe, to say.
        full: the recipe.
        folder: for videos and checkpoints.

    Yields:
        A line for each step, when it is done.
    """
    recipe = reduced(full, TRAINING_VIDEOS[name])
    yield f"{name}: {full.network}, reduced: {', '.join(differences(full, recipe))}"
    size = Difficulty(frames=2 * FRAMES, size=48)
    files = write_task(folder / "videos", "motion", clips=VIDEOS, difficulty=size)
    clips = Clips(files.manifest("train"))  # tracing a validation would take longer than it tells
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
    """Runs the recipes one after another."""
    tf.config.run_functions_eagerly(
        True
    )  # graphs of 61 layers take minutes to trace, steps seconds
    for name in NAMES.value:
        before = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for line in run(name, RECIPES[name], Path(folder)):
                print(line, flush=True)
        print(f"{name}: {time.monotonic() - before:.0f} s", flush=True)


if __name__ == "__main__":
    app.run(main)
