"""Progress bars, where somebody looks at them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm


def bar(what: str, unit: str, total: int | None = None) -> tqdm:
    """A bar on a terminal; nothing where the output goes to a file or another program."""
    from tqdm import tqdm

    return tqdm(total=total, unit=f" {unit}", desc=what, disable=None)


def verbosity_of_training() -> int:
    """What ``keras.Model.fit`` is told: a bar on a terminal, elsewhere a line an epoch."""
    return 1 if sys.stdout.isatty() else 2
