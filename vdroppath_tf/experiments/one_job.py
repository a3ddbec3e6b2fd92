"""Runs a job in a separate process; defines the places where jobs run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from tqdm import tqdm


class Place(NamedTuple):
    """A place where jobs run.

    Attributes:
        workers: The number of parallel jobs.
        run: A function that runs a function with a job and returns the result; called by
            ``workers`` threads.
        lost: The errors of ``run`` that mean that the job's process was killed.
    """

    workers: int
    run: Callable[[Callable[..., Any], tuple[Any, ...]], Any]
    lost: tuple[type[Exception], ...]


def run_job(function: Callable[..., Any], job: tuple[Any, ...], bar_position: int) -> Any:
    """Runs a job in a separate process; its lines go to standard error, after its name."""

    def log(line: str) -> None:
        text, name = line.strip(), f"{job[0]}: "  # some lines already start with the name
        tqdm.write(text if text.startswith(name) else name + text, file=sys.stderr)

    return function(*job, log=log, bar_position=bar_position)
