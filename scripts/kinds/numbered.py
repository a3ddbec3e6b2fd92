"""Frames that show their number as blocks, as pictures of any format and as videos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vdroppath_tf import data

BITS, BLOCK = 6, 8
_CODECS = {"jpg": "mjpeg", "webp": "libwebp", "tif": "tiff"}
_PIXELS = {"mjpeg": "yuvj444p", "png": "rgb24", "bmp": "bgr24", "tiff": "rgb24", "libwebp": "bgra"}


def pixels(number: int) -> np.ndarray:
    """Returns a frame of this number: its bits at the top, their complement at the bottom."""
    bits = np.array([(number >> bit) & 1 for bit in range(BITS)], np.uint8)
    blocks = np.kron(np.stack([bits, 1 - bits]) * 255, np.ones((BLOCK, BLOCK), np.uint8))
    return np.repeat(blocks[..., None], 3, -1).astype(np.uint8)


def number(frame: np.ndarray) -> int:
    """Returns the number of a frame, or -1 if it has none, such as a mixture of two frames."""
    levels = frame.astype(float).mean(-1).reshape(2, BLOCK, BITS, BLOCK).mean((1, 3))
    bits = levels > 128
    return (
        -1 if (bits[0] == bits[1]).any() else int(sum(int(b) << i for i, b in enumerate(bits[0])))
    )


def picture(number: int, suffix: str = "jpg") -> bytes:
    """Returns an encoded picture of the frame of this number."""
    codec = _CODECS.get(suffix, suffix)
    encoder = av.CodecContext.create(codec, "w")
    frame = av.VideoFrame.from_ndarray(pixels(number), format="rgb24")
    encoder.height, encoder.width, encoder.pix_fmt = frame.height, frame.width, _PIXELS[codec]
    encoder.time_base = Fraction(1, 25)
    if codec == "libwebp":
        encoder.options = {"lossless": "1"}
    frame = frame.reformat(format=_PIXELS[codec])
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def video(path: Path, frames: int = 6) -> Path:
    """Writes a short video file, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 2 * BLOCK, BITS * BLOCK, "yuv420p"
        for k in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels(k), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def folder(path: Path, names: Iterable[str]) -> Path:
    """Writes a folder of pictures 0, 1, 2, ... with these names, whose suffixes set the formats."""
    path.mkdir(parents=True, exist_ok=True)
    for name, encoded in pictures(names).items():
        (path / name).write_bytes(encoded)
    return path


def pictures(names: Iterable[str]) -> Mapping[str, bytes]:
    """Returns the encoded pictures 0, 1, 2, ... by these names."""
    return {
        name: picture(k, _short(name.rpartition(".")[2].lower())) for k, name in enumerate(names)
    }


def numbers(source: data.sources.FrameSource) -> list[int]:
    """Returns the numbers of all frames, each read separately, from the last to the first."""
    count = source.info().num_frames
    return [number(source.read([frame])[0]) for frame in reversed(range(count))][::-1]


def _short(suffix: str) -> str:
    return {"jpeg": "jpg", "tiff": "tif"}.get(suffix, suffix)
