"""Video files for the kinds of input, made with PyAV; each frame shows its number and orientation.

The top left quarter of a frame is red, the top right one green, the bottom left one blue, and the
bottom right one white. A row of six blocks in the middle is the number of the frame in binary.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from film_writer import write_apart, write_films
from kind import WrongAnswerError, expect

from vdroppath_tf.data.sources import FrameSource

FRAMES, HEIGHT, WIDTH = 12, 48, 64
COLOURS = np.array([[(220, 20, 20), (20, 200, 20)], [(20, 20, 220), (230, 230, 230)]], np.uint8)
_BITS = 6


def draw(frames: int = FRAMES, *, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Returns the frames of a test video, uint8 `(frames, height, width, 3)`."""
    film = np.empty((frames, height, width, 3), np.uint8)
    film[:] = np.repeat(np.repeat(COLOURS, height // 2, 0), width // 2, 1)
    block, top = width // 8, height // 2 - height // 6
    for number, frame in enumerate(film):
        for bit in range(_BITS):
            level = 255 * (number >> bit & 1)
            frame[top : top + height // 3, block * (bit + 1) : block * (bit + 2)] = level
    return film


def number(frame: np.ndarray) -> int:
    """Returns the number that a frame of `draw` shows; the frame may have any size."""
    height, width = frame.shape[:2]
    row = frame[height // 2].mean(-1)
    places = [int(width / 8 * (bit + 1.5)) for bit in range(_BITS)]
    return sum(int(row[place] > 127) << bit for bit, place in enumerate(places))


def corners(frame: np.ndarray) -> np.ndarray:
    """Returns the mean colours of the four corners of a frame, `(2, 2, 3)`."""
    tall, wide = max(1, frame.shape[0] // 8), max(1, frame.shape[1] // 8)
    rows = [frame[:tall], frame[-tall:]]
    return np.array([[row[:, :wide].mean((0, 1)), row[:, -wide:].mean((0, 1))] for row in rows])


def expect_film(
    frames: np.ndarray,
    numbers: Sequence[int] = range(FRAMES),
    *,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    within: float = 12,
) -> None:
    """Compares frames to those of `draw`.

    Args:
        frames: array, the frames that were read, `(frames, height, width, 3)`.
        numbers: sequence of int, the numbers of the requested frames. Defaults to all of them.
        size: tuple, the height and width that a user expects.
        within: float, the largest accepted difference of the corners' colours. Defaults to 12.

    Raises:
        WrongAnswerError: If the frames are others, or have another orientation, colour or size.
    """
    expect(frames.shape, (len(numbers), *size, 3), "shape")
    expect([number(frame) for frame in frames], list(numbers), "numbers of the frames")
    found = corners(frames[0])
    if (off := np.abs(found - COLOURS).max()) > within:
        raise WrongAnswerError(f"colours of the corners are off by {off:.0f}: {found.tolist()}")


def expect_source(source: FrameSource, *, size: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
    """Reads a video of `draw` in the ways that clips are read, and compares the frames.

    Raises:
        WrongAnswerError: If the frames differ from the expected ones; see `expect_film`.
    """
    info = source.info()
    expect((info.num_frames, info.height, info.width), (FRAMES, *size), "frames and their size")
    expect_film(source.read(range(FRAMES)), size=size)
    expect_film(source.read([7, 2, 7]), [7, 2, 7], size=size)
    half = (size[0] // 2, size[1] // 2)
    expect_film(source.read([5], short_edge=min(half)), [5], size=half, within=30)


def encode(
    path: Path,
    film: np.ndarray,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: int = 12,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Writes frames to a video file with one stream, and returns its path."""
    return encode_streams([(film, codec)], path, pix_fmt, rate, aspect, options)


def encode_streams(
    films: Sequence[tuple[np.ndarray, str]],
    path: Path,
    pix_fmt: str = "yuv420p",
    rate: int = 12,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    flags: Sequence[int] = (),
) -> Path:
    """Writes videos as the streams of one file, each with its codec and its disposition."""
    given = {"pix_fmt": pix_fmt, "rate": rate, "options": options or {}, "flags": [*flags]}
    given["aspect"] = None if aspect is None else [aspect.numerator, aspect.denominator]
    write = write_apart if any(codec == "libx265" for _, codec in films) else write_films
    write(str(path), [film for film, _ in films], [codec for _, codec in films], given)
    return path


def set_matrix(path: Path, matrix: Sequence[float]) -> Path:
    """Sets the display matrix `(a, b, c, d)` of all tracks of an mp4 or mov file."""
    data = bytearray(path.read_bytes())
    a, b, c, d = (round(value * (1 << 16)) for value in matrix)
    packed = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    place = data.find(b"tkhd")
    while place >= 0:
        data[place + 44 : place + 80] = packed
        place = data.find(b"tkhd", place + 1)
    path.write_bytes(data)
    return path
