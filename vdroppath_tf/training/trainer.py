"""train(): the phases of a run, one after another, from wherever the run stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from vdroppath_tf.data.clips.pipeline import (
    FaultLog,
    evaluation_clips,
    training_clips,
    video_errors,
)
from vdroppath_tf.layers.gates import freeze_gates, set_strategy
from vdroppath_tf.models.fusion_model import FusionModel, accuracy_metrics, cross_entropy
from vdroppath_tf.training.backup import Backup, SendAfterEpoch
from vdroppath_tf.training.bad_videos import CountFaults, keep_quarantine, say_what_was_bad
from vdroppath_tf.training.callbacks import Record, StopOnNonFiniteLoss
from vdroppath_tf.training.checkpoint import CheckpointStore, Position
from vdroppath_tf.training.optimizer import GateSGD
from vdroppath_tf.training.recipe import Phase, Recipe
from vdroppath_tf.training.runs import Clips, check_run, describe_run
from vdroppath_tf.training.schedules import learning_rate
from vdroppath_tf.training.tensorboard import SpaceToTensorBoard


@dataclass(frozen=True)
class _Run:
    """What the phases of one run share."""

    recipe: Recipe
    clips: Clips
    folder: Path | None
    on_step: Callable[[], None] | None
    verbose: int | str
    backup: Backup | None
    faults: FaultLog
    picture_every: int


def train(
    model: FusionModel,
    phases: Sequence[Phase],
    recipe: Recipe,
    clips: Clips,
    *,
    folder: str | os.PathLike[str] | None = None,
    backup: Backup | None = None,
    on_step: Callable[[], None] | None = None,
    verbose: int | str = 0,
    picture_every: int = 1,
) -> list[dict[str, Any]]:
    """Trains a template or a derived network through phases; a stopped run goes on where it stood.

    Order, augmentation and gate noise are functions of seed and step, so a run that was stopped
    and taken up again ends with the weights it would have had.

    A training video that cannot be read is replaced by the next in order, a validation video is
    left out; both are counted and named in ``quarantine.json``, and more than
    ``clips.max_bad_fraction`` of them stop the run.

    Args:
        model: built as it was when the run began, in the scope of a ``tf.distribute`` strategy if
            one is wanted.
        phases: ``recipe.template_phases()``, ``recipe.alone_phases()`` or fine-tuning.
        recipe: batch size, clips, gates and seed.
        clips: the videos.
        folder: for checkpoints and TensorBoard; None keeps nothing.
        backup: of that folder; fetched from first where the folder has no run, sent to after every
            epoch and at the end.
        on_step: called after every step, for a progress bar.
        verbose: of ``keras.Model.fit``.
        picture_every: epochs from one picture of the marginals in TensorBoard to the next; 0 draws
            none.

    Returns:
        One dict an epoch: phase, epoch, what Keras logged, ``bad_clips`` that were replaced and
        ``val_bad_clips`` that were left out and, for a template, ``drop``: p of
        every gate, layer by layer, and ``classifier_drop`` where its classifier has a gate.

    Raises:
        ValueError: when the folder holds another run (other settings, videos or starting weights),
            or the videos are too few, or of more classes than the model.
        VideoError: when too many videos cannot be read.
        NonFiniteLossError: when the loss is no number; checkpoints stay as they were.
    """
    faults = FaultLog(clips.max_bad_fraction)
    check_run(model, recipe, clips, faults)
    steps = len(clips.train) // recipe.batch_size
    path = None if folder is None else Path(folder)
    store = None
    if path is not None:
        description = describe_run(model, phases, recipe, clips)
        if backup is not None:
            backup.fetch(description)
        store = CheckpointStore(path, description)
    position = Position(0, 0) if store is None else store.position()
    run = _Run(recipe, clips, path, on_step, verbose, backup, faults, picture_every)
    trained = False
    for number, phase in enumerate(phases):
        if number < position.phase:
            continue
        _prepare(model, phase, recipe, steps)
        done = position.epochs if number == position.phase else 0
        if store is not None and position.history and number == position.phase:
            store.restore(model)
        first = sum(earlier.epochs for earlier in phases[:number])
        if done < phase.epochs:
            trained = True
            if verbose:
                logging.info("%s", _told(phase, done))
            record = Record(phase.name, number, position, store)
            try:
                _fit(model, phase, run, first=first, done=done, record=record)
            finally:
                keep_quarantine(faults, clips, path)
            position = Position(number, phase.epochs, tuple(record.history))
    if not trained and verbose:
        logging.info("This run was finished before: nothing is left to train.")
    if backup is not None:
        backup.send()
    say_what_was_bad(faults, clips, path)
    return list(position.history)


def _told(phase: Phase, done: int) -> str:
    """What begins now, or goes on, for somebody who watches."""
    gates = "the gates learn" if phase.gates else "no gate learns"
    goes_on = f"; goes on after epoch {done}" if done else ""
    return f"{phase.name}: {phase.epochs} epochs, {gates}{goes_on}"


def _prepare(model: FusionModel, phase: Phase, recipe: Recipe, steps: int) -> None:
    """Freezes or frees the gates and compiles the phase's optimizer."""
    if model.gates:
        freeze_gates(model, not phase.gates)
        set_strategy(model, "mode" if phase.gates else "all")
    with model.distribute_strategy.scope():
        optimizer = GateSGD(
            learning_rate(phase, steps),
            gate_multiplier=recipe.gate_learning_rate / phase.learning_rate,
            momentum=recipe.momentum,
            weight_decay=phase.weight_decay or None,
        )
        # slots that are made inside the first step would have it traced twice
        optimizer.build(model.trainable_variables)
        classes, soft = model.output_shape[-1], recipe.augment.soft_labels
        model.compile(
            optimizer, cross_entropy(soft=soft), metrics=accuracy_metrics(classes, soft=soft)
        )


def _fit(
    model: FusionModel,
    phase: Phase,
    run: _Run,
    *,
    first: int,
    done: int,
    record: Record,
) -> None:
    """``fit`` over an endless stream that starts at the run's place."""
    recipe, clips = run.recipe, run.clips
    stream = training_clips(
        clips.train,
        recipe.sampling,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        first_epoch=first + done,
        epochs=None,
        cache_bytes=clips.cache,
        faults=run.faults,
        augment=recipe.augment,
    )
    validation = None
    if clips.validation is not None:
        validation = evaluation_clips(
            clips.validation,
            recipe.evaluation,
            batch_size=recipe.batch_size,
            cache_bytes=clips.cache,
            faults=run.faults,
        )
    if recipe.augment.soft_labels:
        classes = model.output_shape[-1]
        stream = shares_of_classes(stream, classes)
        validation = None if validation is None else shares_of_classes(validation, classes)
    callbacks: list[keras.callbacks.Callback] = [
        StopOnNonFiniteLoss(phase.name, run.folder),
        CountFaults(run.faults, clips, first, run.folder),
        record,
    ]
    if run.folder is not None:
        shape = tuple(stream.element_spec[0].shape[1:4])
        callbacks.append(
            SpaceToTensorBoard(
                run.folder / "tensorboard",
                clip_shape=shape,
                picture_every=run.picture_every,
                first_epoch=first,
            )
        )
    if run.backup is not None:
        callbacks.append(SendAfterEpoch(run.backup))
    if run.on_step is not None:
        callbacks.append(_EachStep(run.on_step))
    with video_errors():
        model.fit(
            stream,
            validation_data=validation,
            steps_per_epoch=len(clips.train) // recipe.batch_size,
            initial_epoch=done,
            epochs=phase.epochs,
            callbacks=callbacks,
            verbose=run.verbose,
            shuffle=False,
        )


def shares_of_classes(clips: tf.data.Dataset, classes: int) -> tf.data.Dataset:
    """Labels as shares of all classes of a network: what a loss of mixed clips compares with."""

    def widen(batch: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if labels.shape.rank == 1:
            return batch, tf.one_hot(labels, classes)
        return batch, tf.pad(labels, [[0, 0], [0, classes - labels.shape[1]]])

    return clips.map(widen)


class _EachStep(keras.callbacks.Callback):
    """Calls a function after every step."""

    def __init__(self, on_step: Callable[[], None]) -> None:
        super().__init__()
        self.on_step = on_step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_step()
