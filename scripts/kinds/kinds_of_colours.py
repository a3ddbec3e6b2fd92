"""Kinds of colour: the same four colours with every matrix, range, bit depth and subsampling."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from film_files import COLOURS, FRAMES, HEIGHT, WIDTH, corners, draw, encode, expect_film
from kind import Kind, expect

from vdroppath_tf.data.sources import VideoFile

_MATRICES = {  # x264's name: the weights of red and blue in the luma
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020nc": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
_WITHIN = 4  # pixel values


def planes(film: np.ndarray, matrix: str, *, full: bool, bits: int = 8) -> np.ndarray:
    """Returns luma, Cb and Cr by the standards, `(frames, height, width, 3)`."""
    red, blue = _MATRICES[matrix]
    rgb = film / 255
    luma = rgb @ np.array([red, 1 - red - blue, blue])
    differences = [(rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)]
    unit = 1 << bits - 8
    low, luma_room, room = (0, 255, 255) if full else (16, 219, 224)
    top = (256 * unit) - 1
    scale = top / 255 if full else unit
    found = [low * unit + luma_room * scale * luma]
    found += [128 * unit + room * scale * difference for difference in differences]
    return np.stack(found, -1).round().clip(0, top).astype(np.uint8 if bits == 8 else np.uint16)


def write(path: Path, matrix: str, pix_fmt: str, *, full: bool, says: str | None = None) -> Path:
    """Writes a video with this colour coding, and the metadata for it or the given ones."""
    bits = 10 if "10" in pix_fmt else 8
    film = planes(draw(), matrix, full=full, bits=bits)
    told = f"colormatrix={matrix}:fullrange={'on' if full else 'off'}" if says is None else says
    options = {"x264-params": told, "crf": "1", "preset": "ultrafast"}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=12, options=options)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, pix_fmt
        for number, picture in enumerate(film):
            frame = av.VideoFrame(WIDTH, HEIGHT, pix_fmt)
            for place, plane in enumerate(frame.planes):
                step = (HEIGHT // plane.height, WIDTH // plane.width)
                levels = picture[:: step[0], :: step[1], place]
                rows = np.frombuffer(memoryview(plane), levels.dtype)  # type: ignore[arg-type]
                rows = rows.reshape(plane.height, -1)
                rows[:, : plane.width] = levels
            frame.pts, frame.time_base = number, Fraction(1, 12)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _read(matrix: str, pix_fmt: str, full: bool, says: str | None, folder: Path) -> None:
    path = write(folder / "a.mp4", matrix, pix_fmt, full=full, says=says)
    source = VideoFile(str(path))
    expect_film(source.read(range(FRAMES)), within=_WITHIN)
    found = corners(source.read([0], short_edge=24)[0])  # scaled while it is decoded
    expect(bool(np.abs(found - COLOURS).max() <= _WITHIN), True, "colours of scaled frames")


def _plain(codec: str, pix_fmt: str, name: str, folder: Path) -> None:
    """Reads codecs that keep RGB, and MJPEG, which has the full range."""
    options = {"qmax": "2"} if codec == "mjpeg" else {"crf": "1"}
    path = encode(folder / name, draw(), codec=codec, pix_fmt=pix_fmt, options=options)
    expect_film(VideoFile(str(path)).read(range(FRAMES)), within=_WITHIN)


def _grey(folder: Path) -> None:
    path = encode(folder / "a.mkv", draw(), codec="ffv1", pix_fmt="gray")
    frame = VideoFile(str(path)).read([0])[0]
    luma = (COLOURS @ np.array([0.299, 0.587, 0.114])).round()
    off = np.abs(corners(frame) - luma[..., None]).max()
    expect(bool(off <= _WITHIN), True, "brightness")


KINDS = (
    *(
        Kind(
            f"colour: {matrix}, {'full' if full else 'limited'} range, {pix_fmt}",
            "the same colours",
            partial(_read, matrix, pix_fmt, full, None),
        )
        for matrix in _MATRICES
        for full in (False, True)
        for pix_fmt in ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le")
        if pix_fmt == "yuv420p" or matrix in ("bt709", "bt2020nc")
    ),
    Kind(
        "colour: no metadata",
        "BT.601 and the limited range, as ffmpeg",
        partial(_read, "smpte170m", "yuv420p", False, "colormatrix=undef"),
    ),
    Kind(
        "colour: metadata of the full range only",
        "BT.601",
        partial(_read, "smpte170m", "yuv420p", True, "fullrange=on"),
    ),
    Kind(
        "colour: a curve and primaries of HDR",
        "pixel values unchanged, as in ffmpeg",
        partial(
            _read,
            "bt2020nc",
            "yuv420p10le",
            False,
            "colormatrix=bt2020nc:transfer=smpte2084:colorprim=bt2020",
        ),
    ),
    Kind(
        "colour: YCgCo",
        "refused, as FFmpeg cannot read it",
        partial(_read, "bt709", "yuv420p", False, "colormatrix=YCgCo"),
        refusal="YCgCo",
    ),
    Kind("colour: GBR", "the same colours", partial(_plain, "libx264rgb", "bgr24", "a.mp4")),
    Kind("colour: RGB", "the same colours", partial(_plain, "rawvideo", "bgr24", "a.avi")),
    Kind("colour: MJPEG", "the same colours", partial(_plain, "mjpeg", "yuvj420p", "a.avi")),
    Kind("colour: grey", "the same brightness", _grey),
)
