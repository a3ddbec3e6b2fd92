"""Animated WebP: pictures on a canvas, by the rules of its specification."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vdroppath_tf.data.sources import webp
from vdroppath_tf.data.sources.decode import VideoError, index_video, read_frames

HEIGHT, WIDTH = 24, 32
RED, GREEN, CLEAR = (200, 0, 0, 255), (0, 200, 0, 255), (0, 0, 0, 0)


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def picture(
    colour: tuple[int, int, int, int],
    box: tuple[int, int, int, int] = (0, 0, HEIGHT, WIDTH),
    *,
    flags: int = 0,
    duration: int = 40,
    lossless: bool = True,
) -> bytes:
    """A chunk of one picture of one colour, at `(top, left, height, width)`."""
    top, left, height, width = box
    encoder: Any = av.CodecContext.create("libwebp", "w")
    encoder.height, encoder.width = height, width
    encoder.pix_fmt = "bgra" if lossless else "yuva420p"
    encoder.time_base, encoder.options = Fraction(1, 25), {"lossless": str(int(lossless))}
    pixels = np.full((height, width, 4), colour, np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=encoder.pix_fmt)
    data = b"".join(map(bytes, [*encoder.encode(frame), *encoder.encode(None)]))
    data = data[data.index(b"VP8L" if lossless else b"ALPH") :]
    places = (left // 2, top // 2, width - 1, height - 1, duration)
    return chunk(b"ANMF", b"".join(map(three, places)) + bytes([flags]) + data)


def write(path: Path, *pictures: bytes, width: int = WIDTH) -> Path:
    head = chunk(b"VP8X", b"\x12\0\0\0" + three(width - 1) + three(HEIGHT - 1))
    body = b"WEBP" + head + chunk(b"ANIM", bytes(6)) + b"".join(pictures)
    path.write_bytes(chunk(b"RIFF", body))
    return path


def test_rules_of_the_canvas(tmp_path: Path) -> None:
    corner = (0, 0, 8, 16)
    path = write(
        tmp_path / "a.webp",
        picture(RED),
        picture(GREEN, corner, flags=1, duration=80),  # away again behind it
        picture((0, 0, 200, 128), (8, 0, 8, 32)),  # half over red
        picture(CLEAR, (16, 0, 8, 32)),  # nothing over red
        picture(CLEAR, (16, 0, 8, 32), flags=2),  # nothing instead of red
    )
    frames = read_frames(path, range(5))
    red = np.full((HEIGHT, WIDTH, 3), RED[:3], np.uint8)
    expected = [red]
    green = red.copy()
    green[:8, :16] = GREEN[:3]
    half = red.copy()
    half[:8, :16] = 0
    half[8:16] = np.round(np.array([200 * 127 / 255, 0, 200 * 128 / 255]))
    none = half.copy()
    none[16:] = 0
    expected += [green, half, half, none]
    assert np.abs(frames.astype(int) - np.stack(expected)).max() <= 1
    assert np.array_equal(read_frames(path, [4, 1]), frames[[4, 1]])
    times = index_video(path).times()
    assert times is not None
    assert np.allclose(times, [0, 0.04, 0.12, 0.16, 0.2])


def test_transparency_next_to_the_colours(tmp_path: Path) -> None:
    """Lossy pictures have it in a chunk before their own."""
    half = picture((0, 0, 200, 128), lossless=False)
    frames = read_frames(write(tmp_path / "a.webp", picture(RED), half), [0, 1])
    mixed = [200 * 127 / 255, 0, 200 * 128 / 255]
    assert np.abs(frames[1].astype(int) - np.round(mixed)).max() <= 6, frames[1, 0, 0]


def expect(path: Path, words: str) -> None:
    with pytest.raises(VideoError, match=rf"^{path}: .*{words}"):
        index_video(path)


def test_cut_short(tmp_path: Path) -> None:
    path = write(tmp_path / "a.webp", picture(RED), picture(GREEN))
    data = path.read_bytes()
    for size in (31, len(data) // 2, len(data) - 3):
        path.write_bytes(data[:size])
        expect(path, "is cut short")


def test_a_picture_beyond_the_canvas(tmp_path: Path) -> None:
    expect(write(tmp_path / "a.webp", picture(RED, (20, 0, 8, 8))), "leaves its canvas")


def test_no_picture(tmp_path: Path) -> None:
    expect(write(tmp_path / "a.webp"), "holds no picture")


def test_a_picture_larger_than_it_says(tmp_path: Path) -> None:
    """It is refused before it is decoded."""
    data = bytearray(picture(RED))
    place = data.index(b"VP8L") + 9
    data[place : place + 4] = struct.pack("<I", 16382 | 16382 << 14)
    expect(write(tmp_path / "a.webp", bytes(data)), "is damaged")


def test_garbage_in_a_picture(tmp_path: Path) -> None:
    data = bytearray(picture(RED))
    place = data.index(b"VP8L") + 8
    data[place:] = bytes(len(data) - place)
    expect(write(tmp_path / "a.webp", bytes(data)), "is damaged")


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webp, "MAX_BYTES", 2 * HEIGHT * WIDTH * 3)
    write(tmp_path / "a.webp", picture(RED), picture(GREEN))
    assert index_video(tmp_path / "a.webp").num_frames == 2
    expect(write(tmp_path / "b.webp", *[picture(RED)] * 3), "at most .* are read. Convert it")


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.webp", picture(RED))
    monkeypatch.setattr(webp, "MAX_BYTES", path.stat().st_size - 1)
    expect(path, r"has [0-9]+ bytes; at most [0-9]+ are read. Convert it to mp4")


def test_a_canvas_that_is_too_large(tmp_path: Path) -> None:
    expect(write(tmp_path / "a.webp", picture(RED), width=20_000), "has frames of 20000x24 pixels")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"ANMF" + struct.pack("<I", 1000) + bytes(30), "is cut short"),
        (chunk(b"ANMF", bytes(20)), "has a picture without data"),
        (picture(RED, (0, 0, 16, 16)).replace(three(15) * 2, three(15) + three(7), 1), "is damag"),
    ],
)
def test_chunks_that_lie(tmp_path: Path, bad: bytes, words: str) -> None:
    expect(write(tmp_path / "b.webp", picture(RED), bad), words)


def test_a_still_picture_is_no_video(tmp_path: Path) -> None:
    encoded = picture(RED)
    data = b"WEBP" + encoded[encoded.index(b"VP8L") :]
    (tmp_path / "a.webp").write_bytes(chunk(b"RIFF", data))
    expect(tmp_path / "a.webp", "damaged or not a video")
