"""A disk that is full or read-only, at every command that writes: nothing half, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator

from abuse_calls import CALLS
from abuse_case import Case

WRITING = (
    *("doctor", "doctor again", "convert", "train", "train from", "space", "compare"),
    *("stability", "evaluate", "derive", "test", "report", "export"),
)
SIZES = (0, 100, 2_000, 30_000)  # bytes that a file may have


def _cases() -> Iterator[Case]:
    for call in WRITING:
        for size in SIZES:
            # Some results are smaller than the larger sizes.
            yield Case(
                "disk", f"{call}: {size:,} bytes left", CALLS[call], may_pass=size > 0, limit=size
            )
        yield Case("disk", f"{call}: read-only", CALLS[call], read_only=True)


CASES = tuple(_cases())
