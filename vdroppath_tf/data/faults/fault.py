"""One bad video, and how many of them a run may meet."""

from __future__ import annotations

import dataclasses

from vdroppath_tf.names import named

MAX_BAD_FRACTION = 0.1
"""Share of a split's videos that may be bad by default."""

_FIRST = 100  # videos; of the first few, one bad one would be a large share


def allowed_bad(fraction: float, seen: int, total: int) -> int:
    """How many of `total` videos may be bad once `seen` of them were read.

    A share of those seen, of the first 100 as of 100 (or all); one always, unless the share is 0;
    never all.
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
        path: see `FrameSource.path`.
        origin: where it is listed, see `VideoEntry`.
        split: "train", "validation" or "test".
        reason: the first error it gave.
        found: "check" (before a run), "decoding" (in it) or "doctor".
        count: clips it could not give: replaced in training, left out in evaluation.
    """

    path: str
    origin: str
    split: str
    reason: str
    found: str
    count: int
