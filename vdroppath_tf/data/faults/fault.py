"""A bad video, and the number of bad videos that a run tolerates."""

from __future__ import annotations

import dataclasses

from vdroppath_tf.names import named

MAX_BAD_FRACTION = 0.1
"""The share of a split's videos that may be bad by default."""

_FIRST = 100  # videos: among fewer, a single bad one would be too large a share


def allowed_bad(fraction: float, seen: int, total: int) -> int:
    """Returns how many of `total` videos may be bad after `seen` of them were read.

    It is a share of those seen, where the first 100 count as 100 (or as all); at least one, unless
    the share is 0; never all.
    """
    if fraction == 0.0:
        return 0
    share = int(fraction * max(seen, min(total, _FIRST)))
    return min(total - 1, max(1, share))


@named
@dataclasses.dataclass(frozen=True)
class Fault:
    """One bad video.

    Attributes:
        path: See `FrameSource.path`.
        origin: Its place in the list, see `VideoEntry`.
        split: "train", "validation" or "test".
        reason: The first error.
        found: "check" (before a run), "decoding" (during it) or "doctor".
        count: The number of clips that failed: replaced in training, left out in evaluation.

    Example:
        ```python
        for fault in faults.faults():
            print(fault.path, fault.reason)
        ```
    """

    path: str
    origin: str
    split: str
    reason: str
    found: str
    count: int
