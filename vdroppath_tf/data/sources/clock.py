"""Frames by time: which frame of a video is shown when, at a rate that videos have in common."""

from __future__ import annotations

import math

import numpy as np

from vdroppath_tf.names import named

SAME_TIME = 6e-4
"""Seconds: a frame counts as shown so much before its time, which containers round to 1 ms."""


@named
def shown_count(times: np.ndarray, fps: float) -> int:
    """How many frames a video has at a rate: at 0, 1/fps, 2/fps, ... seconds, while it is shown.

    Args:
        times: when each frame is shown, in seconds, rising, `(n,)` with n >= 1.
        fps: frames a second.

    Returns:
        1 or more. The last frame is shown as long as most of the others are.
    """
    steps = np.diff(times)
    last = float(np.median(steps)) if len(steps) else 1.0 / fps
    length = float(times[-1] - times[0]) + last
    return max(1, math.ceil((length - SAME_TIME) * fps))


@named
def shown_frames(times: np.ndarray, numbers: np.ndarray, fps: float) -> np.ndarray:
    """The frames of a video that are on display at `numbers / fps` seconds after its first.

    Args:
        times: see `shown_count`; rates may vary within a video.
        numbers: of frames at the rate, of any shape.
        fps: frames a second.

    Returns:
        Numbers of frames of the video, int64, of the shape of `numbers`.
    """
    wanted = times[0] + numbers / fps + SAME_TIME
    return np.maximum(np.searchsorted(times, wanted, side="right") - 1, 0).astype(np.int64)


@named
def mean_rate(times: np.ndarray | None) -> float | None:
    """Frames a second, on average; None for a single frame, or without times."""
    if times is None or len(times) < 2 or times[-1] <= times[0]:
        return None
    return (len(times) - 1) / float(times[-1] - times[0])
