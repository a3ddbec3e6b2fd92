"""A job in a process of its own, and what a place to run jobs is: this machine, or a cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from tqdm import tqdm


class Place(NamedTuple):
    """Where jobs run.

    Attributes:
        workers: Jobs at a time.
        run: Runs a function with a job, and gives its result; called by so many threads.
        lost: The errors of ``run`` that say that the job's process was killed.
    """

    workers: int
    run: Callable[[Callable[..., Any], tuple[Any, ...]], Any]
    lost: tuple[type[Exception], ...]


def run_job(function: Callable[..., Any], job: tuple[Any, ...], bar_position: int) -> Any:
    """Runs a job in a process of its own; its lines go to standard error, behind its name."""

    def log(line: str) -> None:
        text, name = line.strip(), f"{job[0]}: "  # some lines begin with the name themselves
        tqdm.write(text if text.startswith(name) else name + text, file=sys.stderr)

    return function(*job, log=log, bar_position=bar_position)
