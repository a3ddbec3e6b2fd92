"""train(): trains the phases of a run, one after another, from the run's position."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.training.bad_videos import keep_quarantine, log_bad_videos
from vdroppath_tf.training.callbacks import Record
from vdroppath_tf.training.checkpoint import CheckpointStore
from vdroppath_tf.training.clips import RecipeClips
from vdroppath_tf.training.event_files import drop_later_points
from vdroppath_tf.training.fit import Stretch, finish, fit, prepare
from vdroppath_tf.training.lock import run_lock
from vdroppath_tf.training.loggers import logging_to
from vdroppath_tf.training.model_files import check_beside, trained_file
from vdroppath_tf.training.patience import has_ended
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.recipe import Recipe
from vdroppath_tf.training.run import Run
from vdroppath_tf.training.run_folder import RunFolder
from vdroppath_tf.training.runs import Clips, check_run, describe_run
from vdroppath_tf.training.shared_store import SharedStore
from vdroppath_tf.training.shown import show
from vdroppath_tf.training.signals import StopSignals
from vdroppath_tf.training.watch import RunWatch
from vdroppath_tf.training.workers import Workers


@named
def train(
    model: FusionModel,
    phases: Sequence[Phase],
    recipe: Recipe,
    clips: Clips,
    *,
    folder: str | os.PathLike[str] | RunFolder | None = None,
    on_step: Callable[[], None] | None = None,
    verbose: int | str = 0,
) -> list[dict[str, Any]]:
    """Trains a template or a derived network in phases; a stopped run resumes.

    Order, augmentation and gate noise are functions of seed and step, so a run that was stopped and
    resumed ends with the weights that it would have had without the stop.

    A training video that cannot be read is replaced by the next in order, and a validation video is
    left out. Both are counted and listed in ``quarantine.json``, and the run stops if their share
    exceeds ``clips.max_bad_fraction``.

    Args:
        model: A new network, built as at the start of the run, in the scope of a ``tf.distribute``
            strategy if one is used.
        phases: ``recipe.template_phases()``, ``recipe.stand_alone_phases()`` or fine-tuning.
        recipe: The recipe: batch size, clips, gates and seed.
        clips: The videos.
        folder: The folder for checkpoints and TensorBoard's files, or a ``RunFolder``, which also
            sets how often to save and whether to keep a copy. Defaults to None, which keeps
            nothing.
        on_step: A function called after every step, for a progress bar. Defaults to None.
        verbose: 1 shows each epoch in a line and, on a terminal, its steps in a progress bar; 2
            shows the lines without the bar; 0 shows nothing. Defaults to 0.

    Returns:
        One dict for each epoch: phase, epoch, Keras' logs, the numbers ``bad_clips`` that were
            replaced and ``val_bad_clips`` that were left out and, for a template, ``drop``: p of
            every gate, by layer, and ``classifier_drop`` if its classifier has a gate.

    Raises:
        ValueError: If the folder holds another run (other settings, videos or initial weights) or
            is in use by another process, there are too few videos, or they have more classes than
            the model.
        VideoError: If too many videos cannot be read.
        NonFiniteLossError: If the loss is NaN or infinite; checkpoints are left unchanged.
        OSError: If the disk has no room for a checkpoint; existing ones are left unchanged.
        LostWorkerError: If another process of a run on several machines has ended.
        KeyboardInterrupt, SystemExit: After SIGINT or SIGTERM (code 143), once the run is saved.

    Example:
    ```python
    model = build_template(recipe, videos)
    history = train(model, recipe.template_phases(), recipe, videos, folder="trained")
    ```
    """
    workers = Workers(model.distribute_strategy)
    shard = workers.index, workers.count
    faults = FaultLog(clips.max_bad_fraction)
    check_run(model, recipe, clips, faults)
    maker = RecipeClips(recipe, clips.cache, faults, shard)
    kept = folder if folder is None or isinstance(folder, RunFolder) else RunFolder(folder)
    with StopSignals() as signals, contextlib.ExitStack() as stack:
        store: CheckpointStore | SharedStore | None = None
        backup = kept.copy if kept is not None and workers.chief else None
        if kept is not None:
            description = describe_run(model, phases, recipe, clips)
            file = trained_file(kept.path, model)
            check_files = functools.partial(check_beside, file, recipe, clips.train.labels)
            opened = _opened(stack, kept, description, workers, check_files)
            shared = workers.count > 1
            store = SharedStore(workers, kept.path, opened) if shared else opened
        verbose = verbose if workers.chief else 0
        loggers: list[Any] = []
        if kept is not None and workers.chief:
            loggers = stack.enter_context(logging_to(kept.log, kept.path, recipe.to_json()))
        run = Run(clips, maker, kept, store, backup, signals, on_step, verbose, workers, loggers)
        watch = RunWatch(phases, run)
        watch.note(command="" if kept is None else kept.command)
        try:
            with workers.watched():
                history = _train_phases(model, phases, watch)
        except BaseException as error:
            watch.failed(error)
            raise
        watch.finished(history)
        if backup is not None:
            backup.send()
        log_bad_videos(maker.faults, clips, run.folder)
    return history


def _opened(
    stack: contextlib.ExitStack,
    kept: RunFolder,
    description: str,
    workers: Workers,
    check_files: Callable[[], None],
) -> CheckpointStore | None:
    """Locks the folder of a run and opens its checkpoints; None if another process does so."""
    found: list[CheckpointStore] = []

    def open_folder() -> None:
        stack.enter_context(run_lock(kept.path))
        if kept.copy is not None:
            kept.copy.fetch(description)
        found.append(CheckpointStore(kept.path, description))
        check_files()  # now, not when the trained model is saved next to them

    workers.chief_first(open_folder)
    return found[0] if found else None


def _train_phases(
    model: FusionModel, phases: Sequence[Phase], watch: RunWatch
) -> list[dict[str, Any]]:
    """Trains the rest of the phases, and returns the history of all of them."""
    run, store, recipe = watch.run, watch.run.store, watch.run.maker.recipe
    position = Position(0, 0) if store is None else store.position()
    if store is not None and run.workers.chief:
        finished = watch.epochs_before(position.phase) + position.epochs
        drop_later_points(store.folder / "tensorboard", finished)
    trained = False
    for number, phase in enumerate(phases):
        if number < position.phase:
            continue
        averages = prepare(model, phase, recipe, run.steps_per_epoch)
        here = number == position.phase
        start = position if here else Position(number, 0, position.history)
        if store is not None and here and (start.epochs or start.steps):
            store.restore(model)
        if start.epochs >= phase.epochs or has_ended(start.history, phase, recipe.patience):
            finish(averages)
            continue
        trained = True
        if run.verbose:
            goes_on = f"; resumes {start}" if start.epochs or start.steps else ""
            show(f"{phase.description}{goes_on}")
            show("The first step builds the network's graph, which can take minutes.")
        record = Record(phase.name, start, store)
        record.averages = averages
        try:
            fit(Stretch(model, watch, start, record))
        finally:
            keep_quarantine(run.maker.faults, run.clips, run.folder)
        finish(averages)
        position = Position(number, phase.epochs, tuple(record.history))
    if not trained and run.verbose:
        show("This run is already finished: nothing is left to train.")
    return list(position.history)
