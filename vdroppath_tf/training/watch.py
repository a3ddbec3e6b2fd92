"""Monitors a run while it trains: its pace, memory, time left, and warning signs."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
from absl import logging

from vdroppath_tf.names import named
from vdroppath_tf.training.arrivals import Arrivals
from vdroppath_tf.training.pace import Pace, Stopwatch, memory_bytes
from vdroppath_tf.training.phase import Phase
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.progress import Progress
from vdroppath_tf.training.run import Run
from vdroppath_tf.training.shared_store import SharedStore
from vdroppath_tf.training.shown import epoch_line, show, speed_words
from vdroppath_tf.training.signs import dead_layers, input_bound, saturated_gates, variances

_EVERY = 10.0  # seconds between two updates of the progress file
_LINES = 60.0  # seconds between two lines within an epoch, without a progress bar
_ENOUGH = 5.0  # seconds of training before a warning about waiting is shown


@named
class RunWatch:
    """The pace of one run over its phases, and the estimate of the time left.

    Args:
        phases: All phases of the run.
        run: The settings that they share.
    """

    def __init__(self, phases: Sequence[Phase], run: Run) -> None:
        self.phases, self.run = tuple(phases), run
        self.validation_seconds = 0.0
        self.progress = Progress(phases=tuple((phase.name, phase.epochs) for phase in phases))
        self._said: set[tuple[str, str]] = set()

    @property
    def has_bar(self) -> bool:
        """Whether a progress bar is shown: on a terminal, unless lines were requested."""
        return bool(self.run.verbose) and self.run.verbose != 2 and sys.stderr.isatty()

    def epochs_before(self, number: int) -> int:
        """Returns the planned epochs of the phases before one; epochs of a run are numbered so."""
        return sum(phase.epochs for phase in self.phases[:number])

    def note(self, **changes: Any) -> None:
        """Writes the progress of the run, if it has a folder."""
        self.progress = self.progress.now(**changes)
        if self.run.folder is not None and self.run.folder.is_dir():
            self.progress.write(self.run.folder)

    def say(self, phase: str, kind: str, line: str | None) -> None:
        """Logs a warning once in each phase, and keeps it."""
        if line is None or (phase, kind) in self._said:
            return
        self._said.add((phase, kind))
        logging.warning("%s", line)
        self.progress = self.progress.now(bad=(*self.progress.bad, line))

    def seconds_left(self, number: int, epoch: int, step: int, pace: Pace | None) -> float | None:
        """Estimates the time of the rest of all phases at this pace, including validations."""
        if pace is None:
            return None
        epochs = sum(phase.epochs for phase in self.phases[number:]) - epoch
        steps = epochs * self.run.steps_per_epoch - step
        return steps * pace.step_seconds + epochs * self.validation_seconds

    def failed(self, error: BaseException) -> None:
        """Records the failure or signal that ended the run."""
        if isinstance(error, Exception):
            self.note(state="failed", error=str(error) or type(error).__name__)
        else:
            self.note(state="stopped", **self._saved())

    def _saved(self) -> dict[str, int]:
        """Returns where the run resumes: steps after the last note may have been saved."""
        store = self.run.store.store if isinstance(self.run.store, SharedStore) else self.run.store
        if store is None:
            return {}
        saved, steps = store.position(), self.run.steps_per_epoch
        return {"number": saved.phase, "epoch": saved.epochs, "step": saved.steps, "steps": steps}

    def finished(self, history: Sequence[dict[str, Any]]) -> None:
        """Records that the run is finished."""
        last = history[-1] if history else {}
        metrics = {name: value for name, value in last.items() if isinstance(value, float)}
        number = len(self.phases) - 1
        self.note(
            state="finished",
            number=number,
            epoch=self.phases[-1].epochs if self.phases else 0,
            step=0,
            seconds_left=0.0,
            metrics=metrics,
        )


@named
class Watch(keras.callbacks.Callback):
    """Monitors one ``fit``; shows a line for each epoch, and one a minute without a bar.

    It does not change the logs: history and checkpoints hold nothing that depends on the machine.

    Args:
        whole: The watch of the whole run.
        start: The position of the run when this ``fit`` began.
        arrivals: The record of when clips arrived, or None.
    """

    def __init__(self, whole: RunWatch, start: Position, arrivals: Arrivals | None) -> None:
        super().__init__()
        self.whole, self.start, self.arrivals = whole, start, arrivals
        self.phase = whole.phases[start.phase]
        self.epoch, self.steps = start.epochs, start.steps
        self._watch = Stopwatch()
        self._seconds = 0.0  # the time of the measured steps
        self._began = self._tested = self._noted = self._shown = time.perf_counter()
        self._before: float | None = None  # when the previous step of this epoch ended
        self._building = True  # the first step of a ``fit`` builds the graph
        self._first_tested: tuple[float, int] | None = None  # when the first batches were, how many
        self._tests = 0  # the batches of this validation so far
        self._variances: dict[str, Any] = {}  # of batch norms at the start of the epoch
        self._trained = 0  # the steps since then
        self._last = -1  # the number of the last step that Keras counted

    def on_train_begin(self, logs: Any = None) -> None:
        if self.arrivals is not None:
            self.arrivals.clear()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        self.steps = self.start.steps if epoch == self.start.epochs else 0
        self._last, self._before = -1, None
        self._variances, self._trained = variances(self.model), 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        ended, steps = time.perf_counter(), batch - self._last
        waited = None if self.arrivals is None else self.arrivals.waited(self._began, steps)
        seconds = ended - (self._began if self._before is None else self._before)
        if not self._building:
            self._watch.step(seconds, waited=waited, steps=steps)
            self._seconds += seconds
        self._last, self._before, self._building = batch, ended, False
        self.steps += steps
        self._trained += steps
        if ended - self._noted >= _EVERY:
            self._noted = ended
            self._note()
        if ended - self._shown >= _LINES and self.whole.run.verbose and not self.whole.has_bar:
            self._shown = ended
            self._show_step()

    def on_test_begin(self, logs: Any = None) -> None:
        self._tested, self._tests = time.perf_counter(), 0

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._tests = batch + 1
        if self._first_tested is None:  # it builds a graph too
            self._first_tested = time.perf_counter(), self._tests

    def on_test_end(self, logs: Any = None) -> None:
        ended = time.perf_counter()
        began, built = self._tested, 0
        if self._first_tested is not None and self._first_tested[0] > began:
            began, built = self._first_tested
        if self._tests > built:
            seconds = (ended - began) * self._tests / (self._tests - built)
            self.whole.validation_seconds = seconds

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch, self.steps = epoch + 1, 0
        found = {name: float(value) for name, value in (logs or {}).items()}
        self.whole.progress = self.whole.progress.now(metrics=found)
        if self.whole.run.verbose:
            self._shown = time.perf_counter()
            speed = speed_words(self.measured(), self._left())
            show("; ".join(filter(None, [epoch_line(self.phase, self.epoch, found), speed])))
        for kind, line in self._signs(found):
            self.whole.say(self.phase.name, kind, line)
        self._note()

    def speeds(self) -> dict[str, float]:
        """Returns the speeds for TensorBoard: clips/s, share of waiting, memory, hours left."""
        memory = memory_bytes()
        found = {f"memory_{name}_gb": value / 1e9 for name, value in memory.items()}
        found |= self.measured()
        left = self._left()
        return found if left is None else {**found, "hours_left": left / 3600}

    def _signs(self, losses: Mapping[str, float]) -> Iterator[tuple[str, str | None]]:
        if self._seconds >= _ENOUGH:
            yield "input", input_bound(self._watch.pace)
        gated = self.phase.gates
        if gated:
            pushes = self.model.read_gates()["pushes"]
            line = saturated_gates(
                self.model, self.epoch, self.phase.epochs, losses=losses, pushes=pushes
            )
            yield "gates", line
        line = dead_layers(self.model, gated=gated, before=self._variances, steps=self._trained)
        yield "layers", line

    def measured(self) -> dict[str, float]:
        """Returns clips/s and the share of waiting, if they are known."""
        pace = self._watch.pace
        if pace is None:
            return {}
        found = {"clips/s": pace.clips_per_second(self.whole.run.maker.recipe.batch_size)}
        return found if math.isnan(pace.wait_share) else {**found, "waiting": pace.wait_share}

    def _left(self) -> float | None:
        number, pace = self.start.phase, self._watch.pace
        return self.whole.seconds_left(number, self.epoch, self.steps, pace)

    def _note(self) -> None:
        run, found = self.whole.run, self.measured()
        self.whole.note(
            number=self.start.phase,
            epoch=self.epoch,
            step=self.steps,
            steps=run.steps_per_epoch,
            clips_per_second=found.get("clips/s"),
            wait_share=found.get("waiting"),
            memory_bytes=memory_bytes()["host"],
            seconds_left=self._left(),
        )

    def _show_step(self) -> None:
        speed = speed_words(self.measured(), self._left())
        if speed:
            where = f"step {self.steps} of {self.whole.run.steps_per_epoch}"
            epoch = f"epoch {self.epoch + 1} of {self.phase.epochs}"
            show(f"{self.phase.name}, {epoch}, {where}: {speed}")
