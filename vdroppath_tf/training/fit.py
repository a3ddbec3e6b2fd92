"""One phase of a run: its optimizer, its stream of clips, what watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from vdroppath_tf.data.clips.pipeline import video_errors
from vdroppath_tf.layers.gates import freeze_gates, set_strategy
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.objectives import accuracy_metrics, cross_entropy
from vdroppath_tf.training.backup import Backup, SendAfterEpoch
from vdroppath_tf.training.bad_videos import CountFaults
from vdroppath_tf.training.callbacks import LogLossParts, Record, StopOnNonFiniteLoss
from vdroppath_tf.training.clips import RecipeClips
from vdroppath_tf.training.optimizer import GateSGD
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.recipe import Recipe
from vdroppath_tf.training.runs import Clips
from vdroppath_tf.training.schedules import learning_rate
from vdroppath_tf.training.tensorboard import SpaceToTensorBoard


@dataclass(frozen=True)
class Run:
    """What the phases of one run share.

    Attributes:
        clips: The videos.
        maker: Makes the clips of them.
        folder: The folder of the run, or None.
        backup: The copy of that folder, or None.
        on_step: Called after every step, or None.
        verbose: That of ``keras.Model.fit``.
        picture_every: Epochs from one picture of the marginals to the next.
    """

    clips: Clips
    maker: RecipeClips
    folder: Path | None
    backup: Backup | None
    on_step: Callable[[], None] | None
    verbose: int | str
    picture_every: int

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches of training videos."""
        return len(self.clips.train) // self.maker.recipe.batch_size


def prepare(model: FusionModel, phase: Phase, recipe: Recipe, steps: int) -> None:
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
        labels = {"soft": recipe.augment.soft_labels, "multi_label": model.multi_label}
        metrics = accuracy_metrics(model.output_shape[-1], **labels)
        model.compile(optimizer, cross_entropy(**labels), metrics=metrics)


def fit(
    model: FusionModel, phase: Phase, run: Run, *, first: int, done: int, record: Record
) -> None:
    """``keras.Model.fit`` over an endless stream that starts where the run stands.

    Args:
        model: The compiled model.
        phase: The phase.
        run: What it shares with the others.
        first: The number of the phase's first epoch in the whole run.
        done: Epochs of the phase that are finished.
        record: Keeps the history.
    """
    clips, classes = run.clips, model.output_shape[-1]
    stream = run.maker.training(clips.train, classes=classes, first_epoch=first + done)
    validation = None
    if clips.validation is not None:
        validation = run.maker.validation(clips.validation, classes=classes)
    shape = tuple(stream.element_spec[0].shape[1:4])
    with video_errors():
        model.fit(
            stream,
            validation_data=validation,
            steps_per_epoch=run.steps_per_epoch,
            initial_epoch=done,
            epochs=phase.epochs,
            callbacks=_callbacks(phase, run, first, record, shape),
            verbose=run.verbose,
            shuffle=False,
            num_train_examples=len(clips.train),
        )


def _callbacks(
    phase: Phase, run: Run, first: int, record: Record, clip_shape: tuple[int, ...]
) -> list[keras.callbacks.Callback]:
    """In an order that matters: a bad loss stops the run before a checkpoint keeps it."""
    callbacks: list[keras.callbacks.Callback] = [
        StopOnNonFiniteLoss(phase.name, run.folder),
        CountFaults(run.maker.faults, run.clips, first, run.folder),
        record,
    ]
    if run.folder is not None:
        callbacks.append(
            SpaceToTensorBoard(
                run.folder / "tensorboard",
                clip_shape=clip_shape,
                picture_every=run.picture_every,
                first_epoch=first,
            )
        )
    if run.backup is not None:
        callbacks.append(SendAfterEpoch(run.backup))
    if run.verbose:
        callbacks.append(LogLossParts(phase))
    if run.on_step is not None:
        callbacks.append(_EachStep(run.on_step))
    return callbacks


class _EachStep(keras.callbacks.Callback):
    """Calls a function after every step."""

    def __init__(self, on_step: Callable[[], None]) -> None:
        super().__init__()
        self.on_step = on_step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_step()
