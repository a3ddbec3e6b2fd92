"""The limits of a server, for one request and for all together, and the error of a refusal."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges, whole


class RefusedError(Exception):
    """A request is refused.

    Attributes:
        status: The HTTP status.
        code: A code word for programs.
        message: A sentence for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def __reduce__(self) -> tuple[type[RefusedError], tuple[int, str, str]]:
        """Returns how it is sent from a process that decodes."""
        return type(self), (self.status, self.code, self.message)


@named
@dataclasses.dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Attributes:
        max_bytes: int, the size of the body of a request. Defaults to 64 MiB.
        max_pixels: int, the pixels of a frame. Defaults to 4096 * 2304.
        max_frames: int, the frames of a video, used or not. Defaults to 20,000.
        max_seconds: float, the seconds from the first byte of a request to its answer. Defaults to
            60.
        max_waiting: int, the number of requests in progress; further ones are refused with the
            status 429. Defaults to 32.
        max_windows: int, the windows of one video. Defaults to 256.
        max_batch: int, the clips in a batch of the network, from several requests. Defaults to 8.
        batch_seconds: float, the longest time in seconds for which a batch waits for clips of the
            same network that are being decoded. Defaults to 0: batches do not wait.
        workers: int, the processes that decode. Defaults to None, one for each core.

    Raises:
        ValueError: If a number is out of range, or ``batch_seconds`` not below ``max_seconds``.

    Example:
        ```python
        limits = Limits(max_bytes=16 << 20, max_seconds=10)
        ```
    """

    max_bytes: int = 64 << 20
    max_pixels: int = 4096 * 2304
    max_frames: int = 20_000
    max_seconds: float = 60.0
    max_waiting: int = 32
    max_windows: int = 256
    max_batch: int = 8
    batch_seconds: float = 0.0
    workers: int | None = None

    RANGES: ClassVar[dict[str, Range]] = {
        "max_bytes": whole(1, 1 << 40),
        "max_pixels": whole(1, 16384 * 16384),
        "max_frames": whole(1, 1 << 20),
        "max_seconds": Range(0.0, 86400.0, above=True),
        "max_waiting": whole(1, 1 << 20),
        "max_windows": whole(1, 1 << 20),
        "max_batch": whole(1, 4096),
        "batch_seconds": Range(0.0, 3600.0),
        "workers": whole(1, 1024, optional=True),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        if self.batch_seconds >= self.max_seconds:
            raise ValueError(
                "A batch must not wait for as long as an answer may take. Expected batch_seconds "
                f"below max_seconds={self.max_seconds:g}. Received: {self.batch_seconds:g}"
            )
