"""The matrix and the range by which pixel values become RGB, as FFmpeg's scaler applies them.

A frame can carry both. By default the matrix is BT.601 and the range is limited (16 to 235), but
full for the `yuvj` formats and for grey. The program `ffmpeg` follows the same rule; unlike some
players, it does not infer the matrix from the frame size. Transfer functions and primaries are not
applied: frames of HDR video keep their values.
"""

from __future__ import annotations

from av import VideoFrame

# Values of FFmpeg's AVColorSpace for which its scaler has no matrix.
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
    """Returns the name of a frame's colour matrix if FFmpeg cannot convert it to RGB, else None."""
    if frame.format.is_rgb or len(frame.format.components) < 3:
        return None
    return _UNREADABLE.get(int(frame.colorspace))
