"""Progress bars, where somebody looks at them."""

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
    """A bar on a terminal; nothing where the output goes to a file or another program."""
    from tqdm import tqdm

    return tqdm(total=total, unit=f" {unit}", desc=what, disable=None)


@contextlib.contextmanager
def showing(verbose: int) -> Iterator[None]:
    """Inside, ``verbose`` says what is shown of a training, whatever is logged."""
    token = _verbose.set(verbose)
    try:
        yield
    finally:
        _verbose.reset(token)


def verbosity_of_training() -> int:
    """What ``train`` is told: a line an epoch, unless only warnings are wanted."""
    chosen = _verbose.get()
    return int(logging.get_verbosity() >= logging.INFO) if chosen is None else chosen
