"""The steps from videos to a served network, which ``run`` and the commands share.

``training.train`` is the first, and ``Scorer`` scores strategies in between. Each step writes the
files from which the next command starts.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import logging

from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.derivation import derive
from vdroppath_tf.files import write_json
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.scoring.recalibration import recalibrate
from vdroppath_tf.scoring.video_scores import VideoScores
from vdroppath_tf.scoring.videos import score_videos
from vdroppath_tf.serving.export import export_saved_model
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training.clips import ONE_CLIP, RecipeClips
from vdroppath_tf.training.model_files import save_model, trained_file
from vdroppath_tf.training.recipe import Recipe
from vdroppath_tf.training.runs import Clips
from vdroppath_tf.training.trainer import train


@named
def save_trained(
    model: FusionModel,
    history: Sequence[Mapping[str, Any]],
    folder: Path,
    recipe: Recipe,
    labels: tuple[str, ...],
) -> None:
    """Writes a trained model with its recipe, classes, history and, for a template, its space.

    Args:
        model: A template, which becomes ``template.keras`` with ``space.json``, or a network of
            one strategy, which becomes ``network.keras``.
        history: The result of ``train``.
        folder: The folder for the files.
        recipe: The recipe of the run.
        labels: The names of the classes.

    Example:
    ```python
    save_trained(network, history=[], folder=Path("out"), recipe=recipe, labels=train_videos.labels)
    ```
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "history.json", history)
    save_model(model, trained_file(folder, model), recipe, labels)
    if not model.gates:
        return
    ProbabilitySpace.from_model(model).save(folder / "space.json")
    logging.info("Wrote %s", folder / "space.json")


@named
def candidates(space: ProbabilitySpace, draws: int, seed: int) -> list[FusionStrategy]:
    """Returns the strategies to choose from: the mode, then draws without repeats.

    Example:
    ```python
    space = vdroppath_tf.zoo.published_space("ucf101")
    strategies = candidates(space, draws=24, seed=0)
    ```
    """
    return list(dict.fromkeys([space.mode(), *space.sample(draws, seed=seed)]))


@named
@dataclass(frozen=True)
class FineTuning:
    """The effect of fine-tuning on a derived network's accuracy on validation videos.

    Attributes:
        before: float, top-1 of the derived network with the template's weights, 0 to 1.
        after: float, top-1 after fine-tuning.
        clips: int, the number of validation videos that were scored.

    Example:
    ```python
    FineTuning(before=0.61, after=0.66, clips=200).kept  # True
    ```
    """

    before: float
    after: float
    clips: int

    @property
    def kept(self) -> bool:
        """Whether fine-tuning is kept: it is undone if it lowers the top-1 on these videos."""
        return self.after >= self.before

    def __str__(self) -> str:
        end = "kept" if self.kept else "undone, since the template's weights answer more of them"
        return (
            f"Fine-tuning: top-1 {self.before:.3f} before and {self.after:.3f} after, on "
            f"{self.clips:,} validation videos; {end}."
        )


@named
def derive_network(
    template: FusionModel,
    strategy: FusionStrategy,
    clips: RecipeClips,
    videos: Clips | None,
    *,
    finetune_in: Path | None = None,
    validation: Manifest | None = None,
    on_tuned: Callable[[FineTuning], object] | None = None,
    on_step: Callable[[], None] | None = None,
    verbose: int | str = 0,
) -> FusionModel:
    """Derives, recalibrates and fine-tunes the network of one strategy.

    Without dropped paths a network soon memorises a small data set, and fine-tuning then lowers its
    accuracy. With validation videos, fine-tuning is undone in this case.

    Args:
        template: The trained template.
        strategy: The strategy.
        clips: The maker of the clips.
        videos: The training videos; None skips the recalibration of batch norm.
        finetune_in: A folder for the checkpoints of the recipe's fine-tuning, which needs
            ``videos``. Defaults to None: no fine-tuning.
        validation: The videos that decide whether fine-tuning is kept. Defaults to None: it is
            kept.
        on_tuned: Called with the effect on these videos.
        on_step: Called after every step of fine-tuning.
        verbose: The ``verbose`` of ``train``. Defaults to 0.

    Returns:
        The derived network.

    Raises:
        ValueError: If fine-tuning is requested without videos or such a phase.

    Example:
    ```python
    maker = vdroppath_tf.training.RecipeClips(recipe)
    network = derive_network(template, space.mode(), maker, videos)  # recalibrates batch norm
    ```
    """
    recipe, dropout = clips.recipe, None
    if finetune_in is not None:
        if videos is None or recipe.finetune is None:
            raise ValueError("Fine-tuning needs training videos, and a recipe with that phase.")
        dropout = recipe.finetune_dropout
    keras.utils.set_random_seed(recipe.seed)  # for the dropout
    network = derive(template, strategy, dropout=dropout)
    if videos is not None:
        recalibrate(network, clips.recalibration(videos.train))
        if finetune_in is not None and recipe.finetune is not None:
            with _undone_if_worse(network, validation, clips, on_tuned):
                train(
                    network,
                    (recipe.finetune,),
                    recipe,
                    videos,
                    folder=finetune_in,
                    on_step=on_step,
                    verbose=verbose,
                )
    return network


@contextlib.contextmanager
def _undone_if_worse(
    network: FusionModel,
    validation: Manifest | None,
    clips: RecipeClips,
    on_tuned: Callable[[FineTuning], object] | None,
) -> Iterator[None]:
    """Undoes the fine-tuning in its body if fewer validation videos are answered right."""
    if validation is None:
        yield
        return
    size = clips.recipe.batch_size
    untuned = network.get_weights()
    before = score_network(network, validation, clips, batch_size=size)
    yield
    after = score_network(network, validation, clips, batch_size=size)
    tuning = FineTuning(before.top1, after.top1, after.scored)
    if not tuning.kept:
        network.set_weights(untuned)
    if on_tuned is not None:
        on_tuned(tuning)


@named
def score_network(
    network: FusionModel, videos: Manifest, clips: RecipeClips, *, batch_size: int
) -> VideoScores:
    """Scores one network on videos, one clip each, as strategies are scored.

    Example:
    ```python
    maker = vdroppath_tf.training.RecipeClips(recipe)
    print(score_network(network, test_videos, maker, batch_size=8).top1)
    ```
    """
    return score_videos(
        network,
        videos,
        clips.recipe.evaluation,
        ONE_CLIP,
        batch_size=batch_size,
        cache=clips.cache,
        faults=clips.faults,
    )


@named
def export_network(
    network: FusionModel,
    folder: str | os.PathLike[str],
    recipe: Recipe,
    labels: Sequence[str],
    *,
    fold: bool = True,
    clips: np.ndarray | None = None,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Exports a SavedModel with the recipe's sampling of clips; see ``export_saved_model``.

    Args:
        network: A derived network.
        folder: The folder to write, such as ``served/1``.
        recipe: The recipe, which defines the network's clips; the model's manifest holds it.
        labels: The names of the classes.
        fold: Whether the network is folded. Defaults to True.
        clips: Clips on which the SavedModel is compared with the network. Defaults to None, which
            generates two.
        about: Further entries of the manifest. Defaults to none.
        overwrite: Whether to replace an existing folder. Defaults to False.

    Returns:
        The folder.

    Example:
    ```python
    export_network(network, "exported/1", recipe, train_videos.labels)
    ```
    """
    return export_saved_model(
        network,
        folder,
        labels=labels,
        sampling=recipe.evaluation,
        fold=fold,
        clips=clips,
        about={"recipe": json.loads(recipe.to_json()), **(about or {})},
        overwrite=overwrite,
    )
