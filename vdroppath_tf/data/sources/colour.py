"""By which matrix and range the levels of a frame become RGB: FFmpeg's rule on every PyAV.

A frame says it of itself. Where it says nothing, its matrix is BT.601 and its range the limited one
(16 to 235), but the full one for the `yuvj` formats. Grey is always of the full range. So does
`ffmpeg`; it does not guess by the size of frames, as some players do. Transfer curves and primaries
are left alone: frames of HDR video keep their levels.
"""

from __future__ import annotations

import functools
from typing import Any

from av import VideoFrame
from av.video.reformatter import VideoReformatter

_FULL, _LIMITED = 2, 1  # of FFmpeg's AVColorRange

# FFmpeg's AVColorSpace to the number that swscale knows its matrix by. What has no number here is
# unspecified or reserved, and taken for BT.601.
_BT601 = 6
_MATRICES = {1: 1, 4: 4, 5: _BT601, 6: _BT601, 7: 7, 9: 9}
_OTHER = 5
# Those of frames that swscale cannot turn into RGB; PyAV before 17 would, by another matrix.
_UNREADABLE = {
    8: "YCgCo",
    10: "BT.2020 with constant luminance",
    11: "SMPTE 2085",
    12: "one derived from the primaries",
    13: "one derived from the primaries, with constant luminance",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}


def unreadable_matrix(frame: VideoFrame) -> str | None:
    """What a frame's matrix is called, if FFmpeg cannot turn its levels into RGB."""
    if frame.format.is_rgb or len(frame.format.components) < 3:
        return None
    return _UNREADABLE.get(int(frame.colorspace))


def colour_options(frame: VideoFrame, format: str) -> dict[str, Any]:
    """What `VideoReformatter.reformat` is to be told of a frame that becomes "rgb24" or "gray".

    PyAV 17 and later tell swscale what a frame says of itself. Earlier ones tell it nothing unless
    two matrices are named, and differ; that of the result is of no matter where that is RGB.
    """
    if takes_threads():
        # Callers scale many frames at once, so FFmpeg shall not divide each among threads: waiting
        # for them takes several times what the scaling does.
        return {"threads": 1}
    if format != "rgb24" or frame.format.is_rgb or frame.format.has_palette:
        return {}
    return {
        "src_colorspace": _MATRICES.get(int(frame.colorspace), _BT601),
        "dst_colorspace": _OTHER,
        "src_color_range": _FULL if _is_full_range(frame) else _LIMITED,
        "dst_color_range": _FULL,
    }


@functools.cache
def takes_threads() -> bool:
    """Whether PyAV is of 17 or later, where FFmpeg's scaler reads the colours of frames."""
    try:
        VideoReformatter().reformat(VideoFrame(16, 16, "rgb24"), 8, 8, threads=1)
    except TypeError:
        return False
    return True


def _is_full_range(frame: VideoFrame) -> bool:
    return int(frame.color_range) == _FULL or frame.format.name.startswith(("yuvj", "gray"))
