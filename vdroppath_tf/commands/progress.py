"""Progress bars, which are only shown on a terminal."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import TYPE_CHECKING

from absl import logging

if TYPE_CHECKING:
    from tqdm import tqdm

_verbose: contextvars.ContextVar[int | None] = contextvars.ContextVar("verbose", default=None)


def bar(what: str, unit: str, total: int | None = None) -> tqdm:
    """Returns a progress bar, which is hidden if the output is not a terminal."""
    from tqdm import tqdm

    return tqdm(total=total, unit=f" {unit}", desc=what, disable=None)


@contextlib.contextmanager
def showing(verbose: int) -> Iterator[None]:
    """Makes ``verbose`` control what trainings show while active, whatever is logged."""
    token = _verbose.set(verbose)
    try:
        yield
    finally:
        _verbose.reset(token)


def verbosity_of_training() -> int:
    """Returns ``verbose`` for ``train``: a line for each epoch, unless only warnings are shown."""
    chosen = _verbose.get()
    return int(logging.get_verbosity() >= logging.INFO) if chosen is None else chosen
