"""Animated WebP, which FFmpeg does not read: drawn picture by picture and converted to a video.

A file holds pictures (`ANMF` chunks), each with a place on the canvas and a duration. FFmpeg
decodes the pictures, which are drawn on the canvas by the rules of the WebP specification.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from vdroppath_tf.data.sources.zipped_file import file_status, opened

MAX_BYTES = 1 << 28
"""Animations whose frames take more bytes than this are refused (1,300 frames of 256x256)."""

_SUFFIXES = (".webp", "")
_EDGE = 256  # pixels that a decoder may add to each side of its buffer
_ANIMATED = 2  # a bit of the flags of `VP8X`


class WebpError(ValueError):
    """An animation cannot be read; the message says why."""


@dataclasses.dataclass(frozen=True)
class _Picture:
    """A picture of an animation: its place, its duration (ms) and its chunks."""

    left: int
    top: int
    width: int
    height: int
    duration: int
    blended: bool
    disposed: bool
    data: bytes


def is_animated_webp(path: str) -> bool:
    """Returns whether a file is an animation, by its first bytes if its suffix allows it."""
    if os.path.splitext(path)[1].lower() not in _SUFFIXES:
        return False
    with opened(path) as file:
        head = file.read(30)
    if len(head) < 30 or head[:4] != b"RIFF" or head[8:16] != b"WEBPVP8X":
        return False
    return bool(head[20] & _ANIMATED)


def as_video(path: str) -> io.BytesIO:
    """Converts an animation to a file of uncompressed frames that FFmpeg reads.

    Raises:
        WebpError: If it is damaged, cut short or too large.
        OSError: If the file cannot be read.
    """
    status = file_status(path)
    return io.BytesIO(_video(path, status.st_size, status.st_mtime_ns))


@functools.lru_cache(maxsize=2)
def _video(path: str, size: int, mtime: int) -> bytes:
    if size > MAX_BYTES:
        raise WebpError(f"has {size} bytes; at most {MAX_BYTES} are read. Convert it to mp4")
    with opened(path) as file:
        data = file.read()
    height, width, pictures = _parse(data)
    if (needed := len(pictures) * height * width * 3) > MAX_BYTES:
        raise WebpError(f"takes {needed} bytes; at most {MAX_BYTES} are read. Convert it to mp4")
    made = io.BytesIO()
    with av.open(made, "w", format="mov") as container:
        stream = container.add_stream("rawvideo", rate=1000)
        stream.height, stream.width, stream.pix_fmt = height, width, "rgb24"
        time = 0
        for number, picture in enumerate(_draw(height, width, pictures)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
            time += max(1, pictures[number].duration)
        container.mux(stream.encode(None))
    return made.getvalue()


def _parse(data: bytes) -> tuple[int, int, list[_Picture]]:
    """Returns the height and width of the canvas, and the pictures."""
    if len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise WebpError("is cut short")
    width, height = _number(data, 24, 3) + 1, _number(data, 27, 3) + 1
    if max(height, width) > 1 << 14:
        raise WebpError(f"has frames of {width}x{height} pixels; at most {1 << 14} a side are read")
    pictures = [_picture(data[a:b]) for name, a, b in _chunks(data, 12) if name == b"ANMF"]
    if not pictures:
        raise WebpError("holds no picture")
    for picture in pictures:
        if picture.left + picture.width > width or picture.top + picture.height > height:
            raise WebpError("has a picture that leaves its canvas")
    return height, width, pictures


def _number(data: bytes, place: int, count: int) -> int:
    return int.from_bytes(data[place : place + count], "little")


def _chunks(data: bytes, place: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields the name, the beginning and the end of each chunk."""
    while place + 8 <= len(data):
        end = place + 8 + _number(data, place + 4, 4)
        if end > len(data):
            raise WebpError("is cut short")
        yield data[place : place + 4], place + 8, end
        place = end + end % 2


def _picture(data: bytes) -> _Picture:
    left, top, width, height, duration = (_number(data, place, 3) for place in range(0, 15, 3))
    if len(data) < 24:
        raise WebpError("has a picture without data")
    return _Picture(
        2 * left,
        2 * top,
        width + 1,
        height + 1,
        duration,
        blended=not data[15] & 2,
        disposed=bool(data[15] & 1),
        data=data[16:],
    )


def _draw(height: int, width: int, pictures: list[_Picture]) -> Iterator[np.ndarray]:
    """Yields the canvas after each picture, uint8 `(height, width, 3)`; it begins transparent."""
    canvas = np.zeros((height, width, 4), np.uint8)
    for picture in pictures:
        rows = slice(picture.top, picture.top + picture.height)
        columns = slice(picture.left, picture.left + picture.width)
        pixels = _decode(picture)
        part = canvas[rows, columns]
        part[:] = _blend(pixels, part) if picture.blended else pixels
        yield np.ascontiguousarray(canvas[..., :3])
        if picture.disposed:
            part[:] = 0


def _decode(picture: _Picture) -> np.ndarray:
    """Decodes a picture to RGBA pixels."""
    body = picture.data
    if body[:4] == b"ALPH":  # a separate chunk for transparency needs the extended header
        sides = b"".join((n - 1).to_bytes(3, "little") for n in (picture.width, picture.height))
        body = b"VP8X" + (10).to_bytes(4, "little") + b"\x10\0\0\0" + sides + body
    riff = b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
    decoder = av.CodecContext.create("webp", "r")
    decoder.thread_count = 1  # callers read many files at once
    # A picture may declare a larger size than its place: then it is not decoded.
    decoder.options = {"max_pixels": str((picture.width + _EDGE) * (picture.height + _EDGE))}
    try:
        frames: list[Any] = decoder.decode(av.Packet(riff))
    except av.error.FFmpegError as error:
        raise WebpError(f"is damaged ({error.strerror or error})") from None
    if len(frames) != 1 or frames[0].is_corrupt:
        raise WebpError("is damaged (a picture is not whole)")
    pixels = frames[0].to_ndarray(format="rgba")
    if pixels.shape != (picture.height, picture.width, 4):
        raise WebpError("is damaged (a picture has another size than its head says)")
    return pixels


def _blend(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Draws RGBA pixels over others, neither of which is premultiplied."""
    alpha = new[..., 3:].astype(np.float32) / 255
    below = old[..., 3:].astype(np.float32) / 255 * (1 - alpha)
    total = alpha + below
    colour = new[..., :3] * alpha + old[..., :3] * below
    colour = np.divide(colour, total, out=np.zeros_like(colour), where=total > 0)
    return np.concatenate([colour, total * 255], -1).round().astype(np.uint8)
