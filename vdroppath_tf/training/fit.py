"""One phase of a run: its optimizer, its stream of clips, what watches it."""

from __future__ import annotations

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
from vdroppath_tf.training.callbacks import LogLossParts, Record
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
from vdroppath_tf.training.tensorboard import SpaceToTensorBoard
from vdroppath_tf.training.watch import RunWatch, Watch


def prepare(model: FusionModel, phase: Phase, recipe: Recipe, steps: int) -> WeightAverages | None:
    """Freezes or frees the gates and compiles the phase's optimizer; the averages, if wanted."""
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
        if model.dtype_policy.name == "mixed_float16":  # as Keras would, too late to be restored
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        # slots that are made inside the first step would have it traced twice
        optimizer.build(model.trainable_variables)
        averages = None if recipe.ema is None else WeightAverages(model, optimizer, recipe.ema)
        labels = {"soft": recipe.augment.soft_labels, "multi_label": model.multi_label}
        metrics = accuracy_metrics(model.output_shape[-1], **labels)
        model.compile(optimizer, cross_entropy(**labels), metrics=metrics, auto_scale_loss=False)
    model.accumulate, model.remat = recipe.accumulate, recipe.remat or model.remat
    return averages


def finish(averages: WeightAverages | None) -> None:
    """Ends a phase: what it leaves are the averages, where there are any."""
    if averages is not None:
        averages.take()


def fit(
    model: FusionModel,
    phase: Phase,
    watch: RunWatch,
    *,
    first: int,
    start: Position,
    record: Record,
) -> None:
    """``keras.Model.fit`` over an endless stream that starts where the run stands.

    Args:
        model: The compiled model.
        phase: The phase.
        watch: Watches the run, and knows what the phases share.
        first: The number of the phase's first epoch in the whole run.
        start: Where the run stands, in this phase.
        record: Keeps the history.
    """
    if 0 < start.steps < watch.run.steps_per_epoch:
        _fit(model, phase, watch, first, start, record, epochs=start.epochs + 1)
    elif start.steps:
        _validate(model, phase, watch, first, start, record)
    if start.steps:
        start = Position(start.phase, start.epochs + 1)
    ended = has_ended(record.history, phase, watch.run.maker.recipe.patience)
    if start.epochs < phase.epochs and not ended:
        _fit(model, phase, watch, first, start, record, epochs=phase.epochs)


def _fit(
    model: FusionModel,
    phase: Phase,
    watch: RunWatch,
    first: int,
    start: Position,
    record: Record,
    *,
    epochs: int,
) -> None:
    run, arrivals = watch.run, Arrivals()
    clips, classes = run.clips, model.output_shape[-1]
    stream = run.maker.training(
        clips.train, classes=classes, first_epoch=first + start.epochs, first_step=start.steps
    )
    shape = tuple(stream.element_spec[0].shape[1:4])
    own = Watch(watch, phase, start, arrivals)
    size = run.maker.recipe.batch_size
    with video_errors():
        model.fit(
            run.workers.distributed(arrivals.behind(stream), size, whole=True),
            validation_data=_validation(model, run),
            validation_steps=_validation_steps(run),
            steps_per_epoch=run.steps_per_epoch - start.steps,
            initial_epoch=start.epochs,
            epochs=epochs,
            callbacks=_callbacks(phase, own, first, start, record, shape),
            verbose=run.verbose,
            shuffle=False,
            num_train_examples=len(clips.train),
        )


def _validation(model: FusionModel, run: Run) -> Any:
    videos = run.clips.validation
    if not videos:
        return videos
    clips = run.maker.validation(videos, classes=model.output_shape[-1])
    return run.workers.distributed(clips, run.maker.recipe.batch_size, whole=False)


def _validation_steps(run: Run) -> int | None:
    """Batches of the validation, where workers would find different numbers in their parts."""
    if run.clips.validation is None or run.workers.count == 1:
        return None
    return math.ceil(len(run.clips.validation) / run.maker.recipe.batch_size)


def _validate(
    model: FusionModel,
    phase: Phase,
    watch: RunWatch,
    first: int,
    start: Position,
    record: Record,
) -> None:
    """The end of an epoch whose steps are all done: its validation, and what follows that."""
    run = watch.run
    shape = run.maker.clip_shape(run.clips.train)
    own = _callbacks(phase, Watch(watch, phase, start, None), first, start, record, shape)
    if phase.gates:
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
    phase: Phase,
    watch: Watch,
    first: int,
    start: Position,
    record: Record,
    clip_shape: tuple[Any, ...],
) -> list[keras.callbacks.Callback]:
    """In an order that matters.

    A bad loss stops the run before a checkpoint keeps it; TensorBoard has an epoch's points before
    the checkpoint that says the epoch is done, and a copy is made of both.
    """
    run = watch.whole.run

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
    if run.verbose:
        callbacks.append(LogLossParts(phase))
    callbacks.append(watch)
    if run.maker.recipe.patience is not None:
        callbacks.append(StopWhenPatienceEnds(phase, record, run.maker.recipe.patience))
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
