"""Measures a run's speed, its share of waiting for clips, and its memory."""

from __future__ import annotations

import collections
import dataclasses
import resource

import tensorflow as tf

from vdroppath_tf.names import named

_RECENT = 100  # the number of steps over which the pace is measured
_UNKNOWN = float("nan")


@named
@dataclasses.dataclass(frozen=True)
class Pace:
    """The speed of the last steps of a run.

    Attributes:
        step_seconds: The time from one step to the next.
        wait_share: The share of this time in which the network waited for clips; NaN if unknown.
    """

    step_seconds: float
    wait_share: float

    def clips_per_second(self, batch_size: int) -> float:
        """Returns the number of training clips per second."""
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
        """Records a step, or several that run as one.

        Args:
            seconds: The duration.
            waited: The part of the duration spent waiting for clips, in seconds, or None.
            steps: The number of steps.
        """
        self._last.append((seconds, waited, steps))

    @property
    def pace(self) -> Pace | None:
        """The pace over the last steps; None before the first."""
        if not self._last:
            return None
        seconds = max(sum(each for each, *_ in self._last), 1e-9)
        known = [waited for _, waited, _ in self._last if waited is not None]
        share = min(1.0, sum(known) / seconds) if len(known) == len(self._last) else _UNKNOWN
        return Pace(seconds / sum(steps for *_, steps in self._last), share)


@named
def memory_bytes() -> dict[str, int]:
    """Returns the peak memory of this process: ``host``, and ``gpu`` if there is one."""
    found = {"host": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    if devices := tf.config.list_logical_devices("GPU"):
        peaks = [tf.config.experimental.get_memory_info(gpu.name)["peak"] for gpu in devices]
        found["gpu"] = max(peaks)
    return found


@named
def memory_words(found: dict[str, int]) -> str:
    """Formats memory: ``"1.2 GB"``, or ``"1.2 GB, GPU 7.9 GB"``."""
    gpu = f", GPU {found['gpu'] / 1e9:.1f} GB" if "gpu" in found else ""
    return f"{found['host'] / 1e9:.1f} GB{gpu}"
