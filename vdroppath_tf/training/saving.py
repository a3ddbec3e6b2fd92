"""Saves a run within its epochs, and before it is stopped by a signal."""

from __future__ import annotations

import signal
import time
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from vdroppath_tf.names import named
from vdroppath_tf.training.backup import send
from vdroppath_tf.training.callbacks import Record
from vdroppath_tf.training.finite import check_finite
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.run import Run


@named
class SaveWithin(keras.callbacks.Callback):
    """Saves a run within its epochs, and stops it if a signal requests that.

    It must come after ``Record``, which saves at the end of an epoch.

    Args:
        run: The run, which must have checkpoints.
        record: The callback that keeps the history.
        start: The position of the run when this ``fit`` began.
        first: The number of the phase's first epoch in the whole run.
    """

    def __init__(self, run: Run, record: Record, start: Position, first: int) -> None:
        super().__init__()
        self.run, self.record, self.start, self.first = run, record, start, first
        self.signals = run.signals
        if run.store is None or run.kept is None:
            raise ValueError("SaveWithin needs a run that is kept in a folder.")
        self.store, self.interval = run.store, run.kept.interval
        self.epoch, self.steps = start.epochs, start.steps
        self._earlier: tuple[Any, ...] = ()
        self._stop: int | None = None  # the signal that requested it
        self._measured: dict[str, Any] = {}
        self._saved_at()

    def _saved_at(self) -> None:
        self._since, self._time = 0, time.monotonic()
        self.signals.unsaved = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        goes_on = epoch == self.start.epochs
        self.epoch, self.steps = epoch, self.start.steps if goes_on else 0
        self._earlier = self.start.metrics if self.steps else ()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # before the first step: a step in parts adds several values, and the order of sums counts
        if self._earlier:
            add_to_metrics(self.model, self._earlier)
            self._earlier = ()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        self._since += 1
        self.signals.unsaved = True
        at_end = self.steps == self.run.steps_per_epoch
        late = time.monotonic() - self._time >= self.interval.seconds
        due = self._agree(late) or self._since >= self.interval.steps
        save = (due and not at_end) or self._stop is not None
        if at_end or save:
            self._measured = self._measure()  # at the end of the epoch, before validation clears it
        if save:
            self._save()

    def _agree(self, late: bool = False) -> bool:
        """Whether any worker is due to save; all workers learn of a signal at the same step."""
        asked = [self.signals.pending == number for number in (signal.SIGTERM, signal.SIGINT)]
        late, terminate, interrupt = self.run.workers.any(late, *asked)
        if terminate or interrupt:
            self._stop = int(signal.SIGTERM if terminate else signal.SIGINT)
        return late

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._agree()
        if self._stop is not None:
            if self.record.averages is not None:
                self.record.averages.restore()  # validation exchanged them with the weights
            self._save()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._saved_at()
        self._agree()
        self._stop_if_asked()

    def _measure(self) -> dict[str, Any]:
        """Returns the values of Keras' metrics in the epoch so far."""
        logs = {name: float(value) for name, value in self.model.get_metrics_result().items()}
        return {"metrics": metrics_of(self.model), "logs": logs}

    def _save(self) -> None:
        check_finite(self.model, f"epoch {self.epoch + 1}, step {self.steps}")
        self.run.share_faults()
        carried = self.start.bad_clips if self.epoch == self.start.epochs else 0
        done = self.steps * self.run.maker.recipe.batch_size
        bad = carried + self.run.maker.faults.replaced(self.first + self.epoch, before=done)
        history = tuple(self.record.history)
        position = Position(
            self.record.number, self.epoch, history, self.steps, bad_clips=bad, **self._measured
        )
        self.store.save(self.model, position)
        self._saved_at()
        if self.run.backup is not None:
            send(self.run.backup)
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._stop is not None:
            logging.info("Saved in %s: the same call resumes from there.", self.store.folder)
            self.signals.stop(self._stop)


def metrics_of(model: keras.Model) -> tuple[Any, ...]:
    """Returns the metrics' variables on each replica, as exact numbers and lists."""
    return tuple([part.numpy().tolist() for part in _parts(model, v)] for v in _sums(model))


def add_to_metrics(model: keras.Model, earlier: tuple[Any, ...]) -> None:
    """Adds the values that ``metrics_of`` returned for earlier steps; metrics are sums."""
    for variable, values in zip(_sums(model), earlier, strict=True):
        for part, value in zip(_parts(model, variable), values, strict=True):
            part.assign_add(tf.constant(value, part.dtype))


def _sums(model: keras.Model) -> list[Any]:
    return [variable.value for variable in model.metrics_variables]


def _parts(model: keras.Model, variable: Any) -> tuple[Any, ...]:
    """Returns a variable's value on each replica."""
    return tuple(model.distribute_strategy.experimental_local_results(variable))
