"""The progress of a run: its lines, its bars, and the seconds of each step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from vdroppath_tf.names import named


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
    def steps(self, description: str, total: int, per_epoch: int) -> Iterator[Callable[[], None]]:
        """Gives what to call after each training step: for a bar, or else a line an epoch."""
        done = 0
        with self.bar(description, "steps", total) as bar:

            def step() -> None:
                nonlocal done
                done += 1
                bar.update(1)
                if bar.disable and done % per_epoch == 0:
                    self.log(f"{description}: epochs trained in this run: {done // per_epoch}")

            yield step

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the seconds of the body to those of a step."""
        start = time.perf_counter()
        yield
        self.timings[step] = self.timings.get(step, 0.0) + time.perf_counter() - start
