"""Frames by time: which frame of a video is on display at a given time, at a common rate."""

from __future__ import annotations

import math

import numpy as np

from vdroppath_tf.names import named

SAME_TIME = 6e-4
"""Seconds: a frame counts as shown this long before its time, since containers round to 1 ms."""


@named
def shown_count(times: np.ndarray, fps: float) -> int:
    """Counts the frames of a video at a given rate: at 0, 1/fps, 2/fps, ... seconds.

    Args:
        times: The time of each frame in seconds, ascending, `(n,)` with n >= 1.
        fps: The rate, in frames per second.

    Returns:
        The number of frames, at least 1. The last frame of the video is taken to be shown for the
        median of the other frames' durations.
    """
    steps = np.diff(times)
    last = float(np.median(steps)) if len(steps) else 1.0 / fps
    length = float(times[-1] - times[0]) + last
    return max(1, math.ceil((length - SAME_TIME) * fps))


@named
def shown_frames(times: np.ndarray, numbers: np.ndarray, fps: float) -> np.ndarray:
    """Finds the frames of a video that are on display `numbers / fps` seconds after its first.

    Args:
        times: See `shown_count`; the rate may vary within a video.
        numbers: Numbers of frames at the rate `fps`, of any shape.
        fps: The rate, in frames per second.

    Returns:
        The numbers of the frames in the video, int64, of the shape of `numbers`.
    """
    wanted = times[0] + numbers / fps + SAME_TIME
    return np.maximum(np.searchsorted(times, wanted, side="right") - 1, 0).astype(np.int64)


@named
def mean_rate(times: np.ndarray | None) -> float | None:
    """Returns the mean frame rate; None for a single frame, or without times."""
    if times is None or len(times) < 2 or times[-1] <= times[0]:
        return None
    return (len(times) - 1) / float(times[-1] - times[0])
