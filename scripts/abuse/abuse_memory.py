"""The memory that a piece of code takes at its most, whatever the process took before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Taken:
    """`kib`: the most that was taken beside what was there, in KiB; known after the block."""

    kib = 0


@contextmanager
def taken() -> Iterator[Taken]:
    """Measures the body: the kernel's mark of the most is set back to what is taken now."""
    found = Taken()
    Path("/proc/self/clear_refs").write_text("5")
    before = _most()
    try:
        yield found
    finally:
        found.kib = _most() - before


def _most() -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[0])
