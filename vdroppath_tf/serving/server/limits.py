"""What a server takes of one request and of all together, and how it says no."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges, whole


class RefusedError(Exception):
    """A request has no answer.

    Attributes:
        status: The HTTP status.
        code: A word for programs.
        message: A sentence for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@named
@dataclasses.dataclass(frozen=True)
class Limits:
    """What a server takes.

    Attributes:
        max_bytes: Bytes of the body of a request.
        max_pixels: Pixels of a frame.
        max_frames: Frames of a video, whether they are looked at or not.
        max_seconds: Seconds from the first byte of a request to its answer.
        max_waiting: Requests that are read, decoded or answered at a time; further ones are
            refused with the status 429.
        max_windows: Windows of one video.
        max_batch: Clips that the network sees at a time, of several requests.
        workers: Videos that are decoded at a time; None for one for each core.

    Raises:
        ValueError: If a number is out of range.
    """

    max_bytes: int = 64 << 20
    max_pixels: int = 4096 * 2304
    max_frames: int = 20_000
    max_seconds: float = 60.0
    max_waiting: int = 32
    max_windows: int = 256
    max_batch: int = 8
    workers: int | None = None

    RANGES: ClassVar[dict[str, Range]] = {
        "max_bytes": whole(1, 1 << 40),
        "max_pixels": whole(1, 16384 * 16384),
        "max_frames": whole(1, 1 << 20),
        "max_seconds": Range(0.0, 86400.0, above=True),
        "max_waiting": whole(1, 1 << 20),
        "max_windows": whole(1, 1 << 20),
        "max_batch": whole(1, 4096),
        "workers": whole(1, 1024, optional=True),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
