"""Scales decoded frames, as decoding scales them: bilinear, by FFmpeg."""

from __future__ import annotations

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter


def resize_frames(frames: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scales RGB frames to a size; frames that have it are given back as they are.

    Args:
        frames: uint8 `(time, height, width, 3)`.
        height, width: to scale to, in pixels.
    """
    if frames.shape[1:3] == (height, width):
        return frames
    out = np.empty((len(frames), height, width, 3), np.uint8)
    reformatter = VideoReformatter()  # one for all frames, as its tables cost more than their use
    for frame, place in zip(frames, out, strict=True):
        picture = VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        scaled = reformatter.reformat(picture, width, height, "rgb24", interpolation="BILINEAR")
        place[...] = scaled.to_ndarray()
    return out
