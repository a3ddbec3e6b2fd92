"""By which matrix and range the levels of a frame become RGB: FFmpeg's scaler does it, by its rule.

A frame says it of itself. Where it says nothing, its matrix is BT.601 and its range the limited one
(16 to 235), but the full one for the `yuvj` formats. Grey is always of the full range. So does
`ffmpeg`; it does not guess by the size of frames, as some players do. Transfer curves and primaries
are left alone: frames of HDR video keep their levels.
"""

from __future__ import annotations

from av import VideoFrame

# FFmpeg's AVColorSpace, where its scaler has no matrix.
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
