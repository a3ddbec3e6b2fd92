"""Frames that carry their number as blocks: as pictures of any format, and as videos."""

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
    """A frame of this number: its bits above, and their complement below."""
    bits = np.array([(number >> bit) & 1 for bit in range(BITS)], np.uint8)
    blocks = np.kron(np.stack([bits, 1 - bits]) * 255, np.ones((BLOCK, BLOCK), np.uint8))
    return np.repeat(blocks[..., None], 3, -1).astype(np.uint8)


def number(frame: np.ndarray) -> int:
    """The number of a frame; -1 for none, such as a mixture of two."""
    levels = frame.astype(float).mean(-1).reshape(2, BLOCK, BITS, BLOCK).mean((1, 3))
    bits = levels > 128
    return (
        -1 if (bits[0] == bits[1]).any() else int(sum(int(b) << i for i, b in enumerate(bits[0])))
    )


def picture(number: int, suffix: str = "jpg") -> bytes:
    """An encoded picture of a frame."""
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
    """A short video file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 2 * BLOCK, BITS * BLOCK, "yuv420p"
        for k in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels(k), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def folder(path: Path, names: Iterable[str]) -> Path:
    """A folder of pictures 0, 1, 2, ... that are called so; their suffixes say their formats."""
    path.mkdir(parents=True, exist_ok=True)
    for name, encoded in pictures(names).items():
        (path / name).write_bytes(encoded)
    return path


def pictures(names: Iterable[str]) -> Mapping[str, bytes]:
    """Names, and the pictures 0, 1, 2, ..."""
    return {
        name: picture(k, _short(name.rpartition(".")[2].lower())) for k, name in enumerate(names)
    }


def numbers(source: data.sources.FrameSource) -> list[int]:
    """The numbers of all frames of a video, read backwards: each is reached by its own number."""
    count = source.info().num_frames
    return [number(source.read([frame])[0]) for frame in reversed(range(count))][::-1]


def _short(suffix: str) -> str:
    return {"jpeg": "jpg", "tiff": "tif"}.get(suffix, suffix)
