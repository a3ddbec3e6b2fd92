"""How fast a run is, how much of its time it waits for clips, what it holds in memory."""

from __future__ import annotations

import collections
import dataclasses
import resource

import tensorflow as tf

from vdroppath_tf.names import named

_RECENT = 100  # steps that the pace is taken over
_UNKNOWN = float("nan")


@named
@dataclasses.dataclass(frozen=True)
class Pace:
    """How fast the last steps of a run were.

    Attributes:
        step_seconds: The time from one step to the next.
        wait_share: The share of it that the network waited for clips; NaN where it is not known.
    """

    step_seconds: float
    wait_share: float

    def clips_per_second(self, batch_size: int) -> float:
        """Clips that are trained on in a second."""
        return batch_size / self.step_seconds


@named
class Stopwatch:
    """Times the last steps of a phase.

    Example:
    ```python
    watch = Stopwatch()
    watch.step(0.5, waited=0.1)
    watch.pace  # Pace(step_seconds=0.5, wait_share=0.2)
    ```
    """

    def __init__(self) -> None:
        self._last: collections.deque[tuple[float, float | None, int]]
        self._last = collections.deque(maxlen=_RECENT)

    def step(self, seconds: float, *, waited: float | None, steps: int = 1) -> None:
        """Notes a step, or several that run as one.

        Args:
            seconds: How long it took.
            waited: The seconds of it that it waited for clips, or None.
            steps: How many steps it was.
        """
        self._last.append((seconds, waited, steps))

    @property
    def pace(self) -> Pace | None:
        """Over the last steps; None before there is one."""
        if not self._last:
            return None
        seconds = max(sum(each for each, *_ in self._last), 1e-9)
        known = [waited for _, waited, _ in self._last if waited is not None]
        share = min(1.0, sum(known) / seconds) if len(known) == len(self._last) else _UNKNOWN
        return Pace(seconds / sum(steps for *_, steps in self._last), share)


@named
def memory_bytes() -> dict[str, int]:
    """The most memory that this process has held: ``host``, and ``gpu`` where there is one."""
    found = {"host": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    if devices := tf.config.list_logical_devices("GPU"):
        peaks = [tf.config.experimental.get_memory_info(gpu.name)["peak"] for gpu in devices]
        found["gpu"] = max(peaks)
    return found


@named
def memory_words(found: dict[str, int]) -> str:
    """Memory for a reader: ``"1.2 GB"``, ``"1.2 GB, GPU 7.9 GB"``."""
    gpu = f", GPU {found['gpu'] / 1e9:.1f} GB" if "gpu" in found else ""
    return f"{found['host'] / 1e9:.1f} GB{gpu}"
