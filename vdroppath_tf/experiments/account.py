"""Account: the progress lines, progress bars and timings of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from vdroppath_tf.names import named
from vdroppath_tf.report.formats import duration


class _Pace:
    """The speed of a run's trainings, and the estimate of the time left.

    The first step of a training builds its graph, which takes longer than many steps: neither its
    time nor its work counts.
    """

    def __init__(self) -> None:
        self.expected: float | None = None
        self._over = 0.0  # the work of finished trainings, in this process or an earlier one
        self._now = 0.0  # the work of the current training
        self._timed = self._seconds = 0.0  # the work and the time of steps in this process
        self._start: float | None = None  # when the current training's first step ended

    @contextmanager
    def of(self, work: float, *, first: bool) -> Iterator[None]:
        """Times the body, a training with this much work, with or without its first step."""
        self._start, self._now = time.perf_counter() if first else None, 0.0
        yield
        self._seconds += self._elapsed()
        self._over += work
        self._start, self._now = None, 0.0

    def work(self, weight: float) -> None:
        """Counts a step of this weight."""
        self._now += weight
        if self._start is None:
            self._start = time.perf_counter()
        else:
            self._timed += weight

    def left(self) -> str:
        """Describes the time that the trainings still take; returns "" if it is unknown."""
        if self.expected is None or not self._timed:
            return ""
        seconds = self._seconds + self._elapsed()
        rest = max(0.0, self.expected - self._over - self._now)
        return f"training takes about {duration(seconds * rest / self._timed)} more"

    def _elapsed(self) -> float:
        return 0.0 if self._start is None else time.perf_counter() - self._start


@named
class Account:
    """The lines, the bars and the timings of one run.

    Args:
        name: The name of the run, shown in each bar.
        log: Called with each line. Defaults to ``print``.
        bar_position: The row of the bars if several runs are active. Defaults to 0.
    """

    def __init__(
        self, name: str, *, log: Callable[[str], object] = print, bar_position: int = 0
    ) -> None:
        self.name, self.log, self.bar_position = name, log, bar_position
        self.timings: dict[str, float] = {}
        self._pace = _Pace()

    def expect(self, work: float) -> None:
        """Sets the work of all trainings of the run, for the estimate of the time left.

        Args:
            work: The sum over the trainings of their steps times their ``weight`` in ``steps``.
        """
        self._pace.expected = work

    def bar(self, description: str, unit: str, total: int | None = None) -> tqdm:
        """Returns a progress bar, which disappears when full and is hidden without a terminal."""
        return tqdm(
            total=total,
            unit=f" {unit}",
            desc=f"{self.name}: {description}",
            leave=False,
            position=self.bar_position,
            disable=None,
        )

    @contextmanager
    def steps(
        self,
        description: str,
        total: int,
        per_epoch: int,
        *,
        weight: float = 1.0,
        unit: str = "epochs",
        first: bool = False,
    ) -> Iterator[Callable[[], None]]:
        """Yields a function to call after each step, which moves a bar or logs a line an epoch.

        Args:
            description: What is trained.
            total: The number of steps.
            per_epoch: The number of steps in an epoch.
            weight: The time of a step, relative to one of a derived network. Defaults to 1.
            unit: The word for an epoch's steps in the lines. Defaults to ``"epochs"``.
            first: Whether the time left is told by the time before the first step as well, which
                builds a graph in a training; a trial trains before it. Defaults to False.
        """
        done = 0
        with (
            self._pace.of(total * weight, first=first),
            self.bar(description, "steps", total) as bar,
        ):

            def step() -> None:
                nonlocal done
                done += 1
                bar.update(1)
                self._pace.work(weight)
                if done % per_epoch == 0:
                    left = self._pace.left()
                    if bar.disable:
                        epochs = f"{unit} trained in this run: {done // per_epoch}"
                        self.log(f"{description}: {epochs}{f'; {left}' if left else ''}")
                    else:
                        bar.set_postfix_str(left)

            yield step

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the time of the body to that of a step."""
        start = time.perf_counter()
        yield
        self.timings[step] = self.timings.get(step, 0.0) + time.perf_counter() - start
