"""Builds the parts of a run: its videos, its network, and a description that identifies it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.data.catalog import Manifest
from vdroppath_tf.data.clips.check import check_videos
from vdroppath_tf.data.clips.pipeline import FaultLog, VideoCache
from vdroppath_tf.data.faults.fault import MAX_BAD_FRACTION
from vdroppath_tf.layers.gates import gates_of
from vdroppath_tf.models.changes import policy
from vdroppath_tf.models.families import row_of_values
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.weights import LoadReport, copy_weights
from vdroppath_tf.names import named
from vdroppath_tf.training.identity import FORMAT
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.recipe import Recipe
from vdroppath_tf.zoo.constructors import constructors


@named
@dataclass(frozen=True)
class Clips:
    """The videos of a run.

    Attributes:
        train: The training videos; their number is N of Eq. 5.
        validation: The validation videos, or None.
        cache: The cache of decoded videos, which runs on the same videos can share.
        max_bad_fraction: The largest share of bad videos, see `data.faults.fault_log.FaultLog`.

    Example:
    ```python
    files = vdroppath_tf.experiments.tasks.write_task("clips", "motion", clips=(8, 4, 4))
    videos = Clips(files.manifest("train"), files.manifest("validation"))
    ```
    """

    train: Manifest
    validation: Manifest | None = None
    cache: VideoCache = field(default_factory=VideoCache)
    max_bad_fraction: float = MAX_BAD_FRACTION


def _networks(recipe: Recipe) -> tuple[Callable[..., FusionModel], Callable[..., FusionModel]]:
    """Returns the constructors of the recipe's template and derived network."""
    if recipe.row is None:
        return constructors(recipe.network)
    row = row_of_values(recipe.row["family"], recipe.row["row"])
    if row.name != recipe.network:
        raise ValueError(f"The recipe's row is of {row.name!r}. Expected {recipe.network!r}.")
    return constructors(row)


def _classes(videos: Manifest) -> int:
    """Returns the number of classes; raises a ValueError if there is only one."""
    if videos.num_classes < 2 and not videos.multi_label:
        raise ValueError(
            f"{videos.source}: all videos are of one class, {videos.labels[0]!r}, so there is "
            "nothing to classify: its probability would be 1 for every clip. Add videos of "
            "another class, such as videos that do not show it."
        )
    return videos.num_classes


def _several(clips: Clips) -> dict[str, Any]:
    """Returns the option for videos with several classes (multi-label)."""
    return {"multi_label": True} if clips.train.multi_label else {}


@named
def build_template(recipe: Recipe, clips: Clips) -> FusionModel:
    """Builds the recipe's template for these clips, initialised with the recipe's seed.

    Raises:
        ValueError: If there is no such network, or it cannot have these options.

    Example:
    ```python
    template = build_template(recipe, videos)
    ```
    """
    template, _ = _networks(recipe)
    keras.utils.set_random_seed(recipe.seed)
    options: dict[str, Any] = {**_several(clips), **recipe.network_options, **recipe.gate_options}
    with _precision(recipe):
        model = template(_classes(clips.train), **options)
    for gate in gates_of(model):  # as ``train`` does; an option would be saved in files
        gate.counted_examples = len(clips.train)
    return model


@named
def build_derived(recipe: Recipe, clips: Clips, strategy: Any, dropout: float = 0.0) -> FusionModel:
    """Builds the recipe's network of one strategy, initialised with the recipe's seed.

    Raises:
        ValueError: If there is no such network, or it cannot have these options or strategy.

    Example:
    ```python
    network = build_derived(recipe, videos, space.mode(), dropout=0.5)
    ```
    """
    _, derived = _networks(recipe)
    keras.utils.set_random_seed(recipe.seed)
    options = {**_several(clips), **recipe.network_options}
    with _precision(recipe):
        return derived(strategy, _classes(clips.train), dropout=dropout, **options)


def _precision(recipe: Recipe) -> AbstractContextManager[None]:
    """Returns a context in which new layers have the recipe's precision, if it sets one."""
    return nullcontext() if recipe.precision is None else policy(recipe.precision)


@named
def template_from(
    trained: FusionModel, recipe: Recipe, clips: Clips, *, keep_classifier: bool
) -> tuple[FusionModel, LoadReport]:
    """Builds the recipe's template with the weights and gates of a trained one.

    Args:
        trained: A template of the same network.
        recipe: The recipe of the new run; its gate options replace those of ``trained``.
        clips: The videos of the new run.
        keep_classifier: Whether the classes are the same; otherwise the classifier is new.

    Returns:
        The template, and a report of the weights that were copied and that are new.

    Raises:
        ValueError: If the weights do not fit; the message names each.

    Example:
    ```python
    model, report = template_from(template, recipe, videos, keep_classifier=True)
    ```
    """
    model = build_template(recipe, clips)
    start = () if keep_classifier else ("classifier/",)
    return model, copy_weights(trained, model, may_be_new=lambda path: path.startswith(start))


@named
def check_run(model: FusionModel, recipe: Recipe, clips: Clips, faults: FaultLog) -> None:
    """Makes all checks before anything is written, and records bad videos."""
    if recipe.batch_size > len(clips.train):
        raise ValueError(
            f"batch_size {recipe.batch_size} exceeds the {len(clips.train)} training videos of "
            f"{clips.train.source}."
        )
    _check_share(recipe, model.distribute_strategy.num_replicas_in_sync)
    if recipe.patience is not None and clips.validation is None:
        raise ValueError(
            f"patience={recipe.patience} ends a phase by its validation loss, but there are no "
            "validation videos. Pass validation videos, or no patience."
        )
    _classes(clips.train)
    recipe.sampling.check_flip(clips.train)
    parts = (
        ("train", clips.train, recipe.sampling),
        ("validation", clips.validation, recipe.evaluation),
    )
    for split, videos, sampling in parts:
        if videos is None:
            continue
        if videos.num_classes > model.output_shape[-1]:
            raise ValueError(
                f"{videos.source}: has {videos.num_classes} classes. Expected at most the "
                f"{model.output_shape[-1]} of the network."
            )
        videos.check_kind(multi_label=model.multi_label)
        _check_channels(model, videos)
        check_videos(videos, sampling, cache=clips.cache, split=split, faults=faults)


def _check_share(recipe: Recipe, replicas: int) -> None:
    """Checks that every replica gets the same number of clips, in equal parts."""
    if recipe.batch_size % (replicas * recipe.accumulate):
        parts = f" in accumulate={recipe.accumulate} parts each" if recipe.accumulate > 1 else ""
        raise ValueError(
            f"batch_size={recipe.batch_size} cannot be shared evenly by {replicas} devices{parts}. "
            f"Pass a batch_size that is a multiple of {replicas * recipe.accumulate}."
        )


def _check_channels(model: FusionModel, videos: Manifest) -> None:
    for entry in videos:
        if entry.source.channels != model.input_shape[-1]:
            raise ValueError(
                f"{entry.path} ({entry.origin}): clips have {entry.source.channels} channels; the "
                f"network takes {model.input_shape[-1]}: 3 are RGB, 2 optical flow. Pass modality=."
            )


def _described(videos: Manifest) -> dict[str, Any]:
    """Describes the videos, independently of the place of their list."""
    own = {"source": PurePath(videos.source).name, "videos": len(videos)}
    return {**own, "classes": videos.num_classes, "digest": videos.digest()}


@named
def describe_run(model: FusionModel, phases: Sequence[Phase], recipe: Recipe, clips: Clips) -> str:
    """Returns the description that identifies a run, as JSON."""
    network: dict[str, Any] = dict(model.architecture or {})
    if network.get("gates", {}).get("num_train_examples", 0) is None:
        # with N, which is part of the description since templates take it as an option
        network["gates"] = {**network["gates"], "num_train_examples": len(clips.train)}
    start = hashlib.sha256()
    for weight in model.trainable_variables:
        start.update(tf.convert_to_tensor(weight).numpy().tobytes())
    return json.dumps(
        {
            "format": FORMAT,
            "network": network,
            "recipe": json.loads(recipe.to_json()),
            "phases": [phase.__dict__ for phase in phases],
            "training videos": _described(clips.train),
            "validation videos": None if clips.validation is None else _described(clips.validation),
            "starting weights": start.hexdigest(),
        },
        indent=1,
    )
