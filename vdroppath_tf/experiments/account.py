"""The progress of a run: its lines, its bars, and the seconds of each step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from vdroppath_tf.names import named
from vdroppath_tf.report.formats import duration


class _Pace:
    """How fast the trainings of a run go, and so how long the rest of them takes."""

    def __init__(self) -> None:
        self.expected: float | None = None
        self._over = 0.0  # work of the trainings that are over, done here or by a run before
        self._done = self._now = 0.0  # done here: in all, and in the training that goes on
        self._seconds = self._start = 0.0

    @contextmanager
    def of(self, work: float) -> Iterator[None]:
        """Times the body, a training of so much work."""
        self._start, self._now = time.perf_counter(), 0.0
        yield
        self._seconds += time.perf_counter() - self._start
        self._over += work
        self._now = 0.0

    def work(self, weight: float) -> None:
        """Counts a step."""
        self._done += weight
        self._now += weight

    def left(self) -> str:
        """The time that the trainings still take, in words; "" where it is not known."""
        if self.expected is None:
            return ""
        seconds = self._seconds + time.perf_counter() - self._start
        rest = max(0.0, self.expected - self._over - self._now)
        return f"training takes about {duration(seconds * rest / self._done)} more"


@named
class Account:
    """The lines, the bars and the timings of one run.

    Args:
        name: The name of the run, at the head of each bar.
        log: Called with each line. Defaults to ``print``.
        bar_position: The row of the bars, where several runs go on at a time. Defaults to 0.
    """

    def __init__(
        self, name: str, *, log: Callable[[str], object] = print, bar_position: int = 0
    ) -> None:
        self.name, self.log, self.bar_position = name, log, bar_position
        self.timings: dict[str, float] = {}
        self._pace = _Pace()

    def expect(self, work: float) -> None:
        """Says how much work all trainings of the run are, for the time that is left.

        Args:
            work: The sum over the trainings of their steps, each times its ``weight`` in ``steps``.
        """
        self._pace.expected = work

    def bar(self, description: str, unit: str, total: int | None = None) -> tqdm:
        """A progress bar that is gone when it is full; none where nobody looks at a terminal."""
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
    ) -> Iterator[Callable[[], None]]:
        """Gives what to call after each training step: for a bar, or else a line an epoch.

        Args:
            description: What is trained.
            total: Its steps.
            per_epoch: The steps of an epoch.
            weight: The time of a step, in steps of a derived network. Defaults to 1.
            unit: What so many steps as an epoch has are called in lines. Defaults to ``"epochs"``.
        """
        done = 0
        with self._pace.of(total * weight), self.bar(description, "steps", total) as bar:

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
        """Adds the seconds of the body to those of a step."""
        start = time.perf_counter()
        yield
        self.timings[step] = self.timings.get(step, 0.0) + time.perf_counter() - start
