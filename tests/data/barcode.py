"""Videos whose frames carry their own number as blocks that compression cannot blur."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS, BLOCK = 8, 16
SIZE = (2 * BLOCK, BITS * BLOCK)
VARIABLE = (1, 3, 2, 7, 1, 4)  # ticks from one frame to the next


def picture(number: int) -> np.ndarray:
    """Upper row: the number's bits; lower row: their complement."""
    bits = np.array([(number >> b) & 1 for b in range(BITS)], np.uint8)
    rows = np.stack([bits, 1 - bits]) * 255
    return np.repeat(np.kron(rows, np.ones((BLOCK, BLOCK), np.uint8))[..., None], 3, -1)


def number(frame: np.ndarray) -> int:
    """Reads a frame's number; fails if its two rows disagree (a mixture of two frames)."""
    height, width = frame.shape[0] // 2, frame.shape[1] // BITS
    levels = frame.astype(float).mean(-1).reshape(2, height, BITS, width).mean((1, 3))
    bits = levels > 128
    assert (bits[0] != bits[1]).all(), levels
    return int(sum(int(b) << i for i, b in enumerate(bits[0])))


def write(
    path: Path,
    frames: int,
    *,
    codec: str = "libx264",
    variable: bool = False,
    gop: int = 12,
    b_frames: int = 2,
    options: dict[str, str] | None = None,
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size = gop
        if not codec.startswith("libvpx"):
            stream.codec_context.max_b_frames = b_frames
        if variable:
            stream.codec_context.time_base = Fraction(1, 100)
        pts = 0
        for k in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(k), format="rgb24")
            frame.pts = pts
            frame.time_base = Fraction(1, 100) if variable else Fraction(1, 25)
            pts += VARIABLE[k % len(VARIABLE)] if variable else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


KINDS = {
    "constant.mp4": {},
    "no_b_frames.mp4": {"b_frames": 0},
    "open_gop.mp4": {"options": {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=10"}},
    "intra.mp4": {"gop": 1},
    "one_keyframe.mp4": {"gop": 250},
    "variable.mp4": {"variable": True},
    "variable.mkv": {"variable": True},
    "b_frames.avi": {"codec": "mpeg4"},
    "h264.avi": {},
    "stream.ts": {},
    "mpeg2_b_frames.ts": {"codec": "mpeg2video"},
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "options": {"deadline": "realtime", "cpu-used": "8", "crf": "30"},
    },
    "vp8.webm": {
        "codec": "libvpx",
        "options": {
            "deadline": "good",
            "cpu-used": "5",
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
        },
    },
}


def make(folder: Path, kind: str, frames: int) -> Path:
    return write(folder / kind, frames, **KINDS[kind])  # type: ignore[arg-type]
