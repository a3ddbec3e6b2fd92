"""A full or read-only disk at every command that writes: no partial file, and no file lost."""

from __future__ import annotations

from collections.abc import Iterator

from abuse_calls import CALLS
from abuse_case import Case

WRITING = (
    *("doctor", "doctor again", "convert", "train", "train from", "space", "compare"),
    *("stability", "evaluate", "derive", "test", "report", "export"),
)
SIZES = (0, 100, 2_000, 30_000)  # largest sizes of a file in bytes


def _cases() -> Iterator[Case]:
    for call in WRITING:
        for size in SIZES:
            # Some results are smaller than the larger sizes.
            yield Case(
                "disk", f"{call}: {size:,} bytes left", CALLS[call], may_pass=size > 0, limit=size
            )
        yield Case("disk", f"{call}: read-only", CALLS[call], read_only=True)


CASES = tuple(_cases())
