"""Trains one phase of a run: its optimizer, its stream of clips and its callbacks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras

from vdroppath_tf.data.clips.pipeline import video_errors
from vdroppath_tf.layers.gates import freeze_gates, set_strategy
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.gated_training import KeepPushes
from vdroppath_tf.models.objectives import accuracy_metrics, cross_entropy
from vdroppath_tf.training.arrivals import Arrivals
from vdroppath_tf.training.averages import KeepAverages, WeightAverages
from vdroppath_tf.training.backup import SendAfterEpoch
from vdroppath_tf.training.bad_videos import CountFaults
from vdroppath_tf.training.callbacks import Record
from vdroppath_tf.training.finite import StopOnNonFiniteLoss
from vdroppath_tf.training.loggers import ToLoggers
from vdroppath_tf.training.optimizer import GateSGD
from vdroppath_tf.training.patience import StopWhenPatienceEnds, has_ended
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.recipe import Recipe
from vdroppath_tf.training.run import Run
from vdroppath_tf.training.saving import SaveWithin
from vdroppath_tf.training.schedules import learning_rate
from vdroppath_tf.training.shown import StepBar
from vdroppath_tf.training.tensorboard import SpaceToTensorBoard
from vdroppath_tf.training.watch import RunWatch, Watch


def prepare(model: FusionModel, phase: Phase, recipe: Recipe, steps: int) -> WeightAverages | None:
    """Freezes or unfreezes the gates, compiles the optimizer, and returns the averages, if any."""
    if model.gates:
        freeze_gates(model, not phase.gates)
        set_strategy(model, "mode" if phase.gates else "all")
    with model.distribute_strategy.scope():
        optimizer = GateSGD(
            learning_rate(phase, steps),
            gate_multiplier=recipe.gate_learning_rate / phase.learning_rate,
            momentum=recipe.momentum,
            weight_decay=phase.weight_decay or None,
            global_clipnorm=recipe.clip_norm,
        )
        if model.dtype_policy.name == "mixed_float16":  # Keras would do so, but after a restore
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        # if the first step created the slots, it would be traced twice
        optimizer.build(model.trainable_variables)
        averages = None if recipe.ema is None else WeightAverages(model, optimizer, recipe.ema)
        labels = {"soft": recipe.augment.soft_labels, "multi_label": model.multi_label}
        metrics = accuracy_metrics(model.output_shape[-1], **labels)
        model.compile(optimizer, cross_entropy(**labels), metrics=metrics, auto_scale_loss=False)
        # the first step would build them, and a resumed epoch sets them before it
        model._compile_metrics.build(model.output, model.output)
    model.accumulate, model.remat = recipe.accumulate, recipe.remat or model.remat
    return averages


def finish(averages: WeightAverages | None) -> None:
    """Ends a phase: the weights become the averages, if there are any."""
    if averages is not None:
        averages.take()


@dataclasses.dataclass(frozen=True)
class Stretch:
    """The part of a phase that is trained: all of it, or the rest of a stopped run.

    Attributes:
        model: The compiled model.
        watch: The watch of the run, which holds what the phases share.
        start: The position of the run.
        record: The callback that keeps the history.
    """

    model: FusionModel
    watch: RunWatch
    start: Position
    record: Record

    @property
    def run(self) -> Run:
        """The settings that the phases share."""
        return self.watch.run

    @property
    def phase(self) -> Phase:
        """The phase."""
        return self.watch.phases[self.start.phase]

    @property
    def first(self) -> int:
        """The number of the phase's first epoch in the whole run."""
        return self.watch.epochs_before(self.start.phase)


def fit(stretch: Stretch) -> None:
    """Calls ``keras.Model.fit`` on an endless stream that starts at the run's position."""
    start, phase = stretch.start, stretch.phase
    if 0 < start.steps < stretch.run.steps_per_epoch:
        _fit(stretch, epochs=start.epochs + 1)
    elif start.steps:
        _validate(stretch)
    if start.steps:
        start = Position(start.phase, start.epochs + 1)
        stretch = dataclasses.replace(stretch, start=start)
    patience = stretch.run.maker.recipe.patience
    ended = has_ended(stretch.record.history, phase, patience)
    if start.epochs < phase.epochs and not ended:
        _fit(stretch, epochs=phase.epochs)


def _fit(stretch: Stretch, *, epochs: int) -> None:
    run, start, model, arrivals = stretch.run, stretch.start, stretch.model, Arrivals()
    videos, first = run.clips.train, stretch.first + start.epochs
    stream = run.maker.training(
        videos, classes=model.output_shape[-1], first_epoch=first, first_step=start.steps
    )
    shape = tuple(stream.element_spec[0].shape[1:4])
    size = run.maker.recipe.batch_size
    with video_errors():
        model.fit(
            run.workers.distributed(arrivals.behind(stream), size, whole=True),
            validation_data=_validation(model, run),
            validation_steps=_validation_steps(run),
            steps_per_epoch=run.steps_per_epoch - start.steps,
            initial_epoch=start.epochs,
            epochs=epochs,
            callbacks=_callbacks(stretch, arrivals, shape),
            verbose=0,
            shuffle=False,
            num_train_examples=len(videos),
        )


def _validation(model: FusionModel, run: Run) -> Any:
    videos = run.clips.validation
    if not videos:
        return videos
    clips = run.maker.validation(videos, classes=model.output_shape[-1])
    return run.workers.distributed(clips, run.maker.recipe.batch_size, whole=False)


def _validation_steps(run: Run) -> int | None:
    """Returns the validation batches if workers would count different numbers, else None."""
    if run.clips.validation is None or run.workers.count == 1:
        return None
    return math.ceil(len(run.clips.validation) / run.maker.recipe.batch_size)


def _validate(stretch: Stretch) -> None:
    """Finishes an epoch whose steps are all done: its validation, and the callbacks after it."""
    run, model, start = stretch.run, stretch.model, stretch.start
    own = _callbacks(stretch, None, run.maker.clip_shape(run.clips.train))
    if stretch.phase.gates:
        own.insert(0, KeepPushes(model.start_record()))
    callbacks = keras.callbacks.CallbackList(own, model=model)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(start.epochs)
    with video_errors():
        found = model.evaluate(
            _validation(model, run),
            steps=_validation_steps(run),
            return_dict=True,
            verbose=0,
            callbacks=callbacks,
        )
    logs = {**start.logs, **{f"val_{name}": value for name, value in found.items()}}
    callbacks.on_epoch_end(start.epochs, logs)
    callbacks.on_train_end(logs)


def _callbacks(
    stretch: Stretch, arrivals: Arrivals | None, clip_shape: tuple[Any, ...]
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks, in an order that matters.

    A bad loss stops the run before a checkpoint keeps it. TensorBoard gets an epoch's points before
    the checkpoint marks the epoch as done, and the backup copies both. A progress bar disappears
    before the line of its epoch is shown.
    """
    run, start, phase, record = stretch.run, stretch.start, stretch.phase, stretch.record
    first, patience = stretch.first, run.maker.recipe.patience
    watch = Watch(stretch.watch, start, arrivals)

    def batch(epoch: int, step: int) -> list[str]:
        return run.maker.batch_names(run.clips.train, epoch=first + epoch, step=step)

    begun = start.epochs, start.steps
    callbacks: list[keras.callbacks.Callback] = [
        StopOnNonFiniteLoss(phase.name, run.folder, batch=batch, begun=begun),
        CountFaults(run.maker.faults, run.clips, first, run.folder, start, share=run.share_faults),
    ]
    if record.averages is not None:
        callbacks.append(KeepAverages(record.averages))
    if run.loggers:
        callbacks.append(ToLoggers(run.loggers, first))
    if run.kept is not None and run.folder is not None and "tensorboard" in run.kept.log:
        board = SpaceToTensorBoard(
            run.kept.path / "tensorboard",
            clip_shape=clip_shape,
            picture_every=run.kept.picture_every,
            first_epoch=first,
        )
        board.done, board.speeds = start.epochs, watch.speeds
        callbacks.append(board)
    callbacks.append(record)
    if run.store is not None:
        callbacks.append(SaveWithin(run, record, start, first))
    if run.backup is not None:
        callbacks.append(SendAfterEpoch(run.backup))
    if stretch.watch.has_bar:
        bar = StepBar(phase, run.steps_per_epoch, begun=begun, measured=watch.measured)
        callbacks.append(bar)
    callbacks.append(watch)
    if patience is not None:
        callbacks.append(StopWhenPatienceEnds(phase, record, patience))
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
