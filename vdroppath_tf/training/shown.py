"""Shows a run while it trains: a line for each epoch, and a progress bar or a line a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
from absl import logging
from tqdm import tqdm

from vdroppath_tf.names import named
from vdroppath_tf.report.formats import duration
from vdroppath_tf.training.pace import memory_bytes, memory_words
from vdroppath_tf.training.phase import Phase

_VALIDATION = "val_"
_LOSSES = ("loss", "task_loss", "kl")
_COUNTS = {"bad_clips": "{:g} bad clips replaced", "val_bad_clips": "{:g} bad clips left out"}


@named
def show(line: str) -> None:
    """Logs a line; prints it if the log level hides it, as it does by default in Python."""
    if logging.get_verbosity() >= logging.INFO:
        logging.info("%s", line)
    else:
        tqdm.write(line)


@named
def epoch_line(phase: Phase, epoch: int, logs: Mapping[str, float]) -> str:
    """Summarises an epoch in one line.

    Args:
        phase: The phase.
        epoch: The number of its finished epochs.
        logs: Keras' logs: losses and metrics, of training and validation.

    Returns:
        The line, such as ``"search, epoch 3 of 16: task loss 1.93, KL 4.2 (prior), top1 0.412;
        validation:
        loss 1.8, top1 0.453"``.
    """
    trained = {name: value for name, value in logs.items() if not name.startswith(_VALIDATION)}
    start = len(_VALIDATION)
    tested = {name[start:]: v for name, v in logs.items() if name.startswith(_VALIDATION)}
    parts = [", ".join([*_losses(phase, trained), *_metrics(trained)])]
    if tested:
        parts.append(f"validation: {', '.join([*_losses(phase, tested), *_metrics(tested)])}")
    parts += [text.format(logs[name]) for name, text in _COUNTS.items() if logs.get(name)]
    return f"{phase.name}, epoch {epoch} of {phase.epochs}: {'; '.join(parts)}"


def _losses(phase: Phase, logs: Mapping[str, float]) -> Iterator[str]:
    if "task_loss" not in logs:
        if "loss" in logs:
            yield f"loss {logs['loss']:.3g}"
        return
    yield f"task loss {logs['task_loss']:.3g}"
    yield f"KL {logs['kl']:.3g} (prior)" if phase.gates else "KL off"


def _metrics(logs: Mapping[str, float]) -> list[str]:
    return [f"{n} {v:.3g}" for n, v in logs.items() if n not in _LOSSES and n != "bad_clips"]


@named
def speed_words(measured: Mapping[str, float], seconds_left: float | None) -> str:
    """Describes speed, memory and time left, such as ``"41.3 clips/s, 3% of it
    waiting for clips; 1.2 GB; about 4 min 10 s left"``; "" before anything was timed.
    """
    if "clips/s" not in measured:
        return ""
    share = measured.get("waiting")
    waiting = "" if share is None else f", {share:.0%} of it waiting for clips"
    left = f"; about {duration(seconds_left)} left" if seconds_left else ""
    return f"{measured['clips/s']:.3g} clips/s{waiting}; {memory_words(memory_bytes())}{left}"


@named
class StepBar(keras.callbacks.Callback):
    """A progress bar of the steps of each epoch, on a terminal; it disappears at its end.

    Args:
        phase: The phase.
        steps: The number of steps in an epoch.
        begun: The epoch in which this ``fit`` began, and the steps of it that were already done.
        measured: A function that returns the known speeds.
    """

    def __init__(
        self,
        phase: Phase,
        steps: int,
        *,
        begun: tuple[int, int],
        measured: Callable[[], Mapping[str, float]],
    ) -> None:
        super().__init__()
        self.phase, self.steps, self.begun, self.measured = phase, steps, begun, measured
        self._bar: Any = None
        self._last = -1  # the number of the last step that Keras counted

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        first_epoch, done = self.begun
        self._last = -1
        self._bar = tqdm(
            total=self.steps,
            initial=done if epoch == first_epoch else 0,
            desc=f"{self.phase.name}, epoch {epoch + 1} of {self.phase.epochs}",
            unit=" steps",
            leave=False,
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        found = {"loss": (logs or {}).get("loss"), **self.measured()}
        shown = {name: f"{value:.3g}" for name, value in found.items() if value is not None}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(batch - self._last)
        self._last = batch

    def on_test_begin(self, logs: Any = None) -> None:
        self._bar.set_postfix_str("validation")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._bar.close()
