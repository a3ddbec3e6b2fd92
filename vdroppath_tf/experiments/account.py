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
        """A progress bar that is gone when it is full."""
        return tqdm(
            total=total,
            unit=f" {unit}",
            desc=f"{self.name}: {description}",
            leave=False,
            position=self.bar_position,
        )

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Adds the seconds of the body to those of a step."""
        start = time.perf_counter()
        yield
        self.timings[step] = self.timings.get(step, 0.0) + time.perf_counter() - start
