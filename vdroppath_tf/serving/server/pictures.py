"""Frames as small JPEG pictures, for a page that shows the input of the network."""

from __future__ import annotations

import base64
from fractions import Fraction

import av
import numpy as np

_MOST = 8


def pictures_of(clip: np.ndarray, most: int = _MOST) -> list[str]:
    """Returns a few frames of a clip, evenly spaced in time, as ``data:`` URLs.

    Args:
        clip: uint8 ``(time, height, width, channels)``; optical flow gives no pictures.
        most: The largest number of frames. Defaults to 8.
    """
    if clip.shape[-1] != 3:
        return []
    places = np.linspace(0, len(clip) - 1, min(most, len(clip))).round().astype(int)
    return [f"data:image/jpeg;base64,{base64.b64encode(_jpeg(clip[k])).decode()}" for k in places]


def _jpeg(frame: np.ndarray) -> bytes:
    height, width = frame.shape[:2]
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuvj420p"
    codec.time_base = Fraction(1, 25)
    codec.thread_count = 1
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    picture.pts = 0
    packets = [*codec.encode(picture), *codec.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
