"""What is watched while a run trains: its pace, its memory, the time left, and what goes wrong."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
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
from vdroppath_tf.training.shown import epoch_line, show, speed_words
from vdroppath_tf.training.signs import dead_layers, input_bound, saturated_gates, variances

_EVERY = 10.0  # seconds from one note of the progress to the next
_LINES = 60.0  # seconds from one line within an epoch to the next, where there is no bar
_ENOUGH = 5.0  # seconds of training before anything is said of waiting


@named
class RunWatch:
    """What the phases of one run know of its pace, for the time that is left.

    Args:
        phases: All phases of the run.
        run: What they share.
    """

    def __init__(self, phases: Sequence[Phase], run: Run) -> None:
        self.phases, self.run = tuple(phases), run
        self.validation_seconds = 0.0
        self.progress = Progress(phases=tuple((phase.name, phase.epochs) for phase in phases))
        self._said: set[tuple[str, str]] = set()

    @property
    def has_bar(self) -> bool:
        """Whether a bar shows the steps of an epoch: on a terminal, unless lines were asked for."""
        return bool(self.run.verbose) and self.run.verbose != 2 and sys.stderr.isatty()

    def epochs_before(self, number: int) -> int:
        """The epochs of the phases before one, as planned: epochs of the run are numbered so."""
        return sum(phase.epochs for phase in self.phases[:number])

    def note(self, **changes: Any) -> None:
        """Keeps how far the run is, where it has a folder."""
        self.progress = self.progress.now(**changes)
        if self.run.folder is not None and self.run.folder.is_dir():
            self.progress.write(self.run.folder)

    def say(self, phase: str, kind: str, line: str | None) -> None:
        """Says once a phase what goes wrong, and keeps it."""
        if line is None or (phase, kind) in self._said:
            return
        self._said.add((phase, kind))
        logging.warning("%s", line)
        self.progress = self.progress.now(bad=(*self.progress.bad, line))

    def seconds_left(self, number: int, epoch: int, step: int, pace: Pace | None) -> float | None:
        """What the rest of all phases takes at this pace, with its validations."""
        if pace is None:
            return None
        epochs = sum(phase.epochs for phase in self.phases[number:]) - epoch
        steps = epochs * self.run.steps_per_epoch - step
        return steps * pace.step_seconds + epochs * self.validation_seconds

    def failed(self, error: BaseException) -> None:
        """Keeps what ended the run: a failure, or a signal."""
        if isinstance(error, Exception):
            self.note(state="failed", error=str(error) or type(error).__name__)
        else:
            self.note(state="stopped")

    def finished(self, history: Sequence[dict[str, Any]]) -> None:
        """Keeps that the run is at its end."""
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
    """Watches one ``fit``; shows each epoch in a line, and a line a minute where there is no bar.

    The logs stay as they are: history and checkpoints hold nothing that another machine would
    measure otherwise.

    Args:
        whole: What the phases know.
        start: Where the run stood when this ``fit`` began, in the phase that is trained.
        arrivals: Notes when clips come, or None.
    """

    def __init__(self, whole: RunWatch, start: Position, arrivals: Arrivals | None) -> None:
        super().__init__()
        self.whole, self.start, self.arrivals = whole, start, arrivals
        self.phase = whole.phases[start.phase]
        self.epoch, self.steps = start.epochs, start.steps
        self._watch = Stopwatch()
        self._seconds = 0.0  # of the steps that were timed
        self._began = self._tested = self._noted = self._shown = time.perf_counter()
        self._before: float | None = None  # when the step before ended, in this epoch
        self._building = True  # the first step of a ``fit`` builds the graph
        self._variances: dict[str, Any] = {}  # of batch norms when the epoch began
        self._trained = 0  # steps since then
        self._last = -1  # number of the last step that Keras counted

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
        self._tested = time.perf_counter()

    def on_test_end(self, logs: Any = None) -> None:
        self.whole.validation_seconds = time.perf_counter() - self._tested

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch, self.steps = epoch + 1, 0
        found = {name: float(value) for name, value in (logs or {}).items()}
        self.whole.progress = self.whole.progress.now(metrics=found)
        if self.whole.run.verbose:
            self._shown = time.perf_counter()
            speed = speed_words(self.measured(), self._left())
            show("; ".join(filter(None, [epoch_line(self.phase, self.epoch, found), speed])))
        for kind, line in self._signs():
            self.whole.say(self.phase.name, kind, line)
        self._note()

    def speeds(self) -> dict[str, float]:
        """What TensorBoard shows of an epoch: clips/s, the share of waiting, memory, hours left."""
        memory = memory_bytes()
        found = {f"memory_{name}_gb": value / 1e9 for name, value in memory.items()}
        found |= self.measured()
        left = self._left()
        return found if left is None else {**found, "hours_left": left / 3600}

    def _signs(self) -> Iterator[tuple[str, str | None]]:
        if self._seconds >= _ENOUGH:
            yield "input", input_bound(self._watch.pace)
        gated = self.phase.gates
        if gated:
            yield "gates", saturated_gates(self.model, self.epoch, self.phase.epochs)
        line = dead_layers(self.model, gated=gated, before=self._variances, steps=self._trained)
        yield "layers", line

    def measured(self) -> dict[str, float]:
        """Clips/s and the share of waiting, where they are known."""
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
