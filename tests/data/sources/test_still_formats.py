"""Pictures in WebP, BMP and TIFF: exact, turned as they say, or an error."""

from __future__ import annotations

import random
import struct
from fractions import Fraction

import av
import numbered
import numpy as np
import pytest

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.pictures import picture_orientation, picture_size, read_picture
from vdroppath_tf.data.sources.png import read_png

FORMATS = ("webp", "bmp", "tif")
SIZE = (2 * numbered.BLOCK, numbered.BITS * numbered.BLOCK)


@pytest.mark.parametrize("format", FORMATS)
def test_pixels(format: str) -> None:
    for number in (0, 5, 63):
        data = numbered.picture(number, format)
        assert picture_size(data, "p") == SIZE
        np.testing.assert_array_equal(read_picture(data, "p"), numbered.pixels(number))
        grey = read_picture(data, "p", channels=1)
        np.testing.assert_array_equal(grey, numbered.pixels(number)[..., :1])


@pytest.mark.parametrize("format", FORMATS)
def test_damage(format: str) -> None:
    data = numbered.picture(9, format)
    for end in range(1, len(data), max(1, len(data) // 50)):
        with pytest.raises(VideoError, match="p: "):
            read_picture(data[:end], "p")
    draw = random.Random(0)
    for _ in range(200):
        bad = bytearray(data)
        for _ in range(3):
            bad[draw.randrange(min(len(bad), 150))] = draw.randrange(256)
        try:
            picture_size(bytes(bad), "p")
            read_picture(bytes(bad), "p")
        except VideoError as error:
            assert str(error).startswith("p: ")  # noqa: PT017


def tiff(tags: dict[int, int], pixels: bytes, order: str = "<", following: int = 0) -> bytes:
    """A TIFF picture of one strip; tags are whole numbers."""
    start = 8 + len(pixels)
    entries = [(tag, 4, 1, value) for tag, value in sorted(tags.items())]
    table = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return (
        head + pixels + struct.pack(order + "H", len(entries)) + table
        + struct.pack(order + "I", following)
    )  # fmt: skip


GREY = {256: 3, 257: 2, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2, 279: 6}


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_of_tiff(order: str) -> None:
    pixels = bytes(range(0, 240, 40))
    plain = np.frombuffer(pixels, np.uint8).reshape(2, 3)
    found = read_picture(tiff(GREY, pixels, order), "p", channels=1)[..., 0]
    np.testing.assert_array_equal(found, plain)
    turned = tiff({**GREY, 274: 6, 338: 0, 305: 1}, pixels, order)
    assert (picture_size(turned, "p"), picture_orientation(turned, "p")) == ((3, 2), 6)
    found = read_picture(turned, "p", channels=1)[..., 0]
    np.testing.assert_array_equal(found, np.rot90(plain, -1))
    for other, words in (
        (tiff({**GREY, 259: 7}, pixels, order), "TIFF's method 7"),
        (tiff(GREY, pixels, order, following=8), "holds several pictures"),
        (tiff({**GREY, 256: 1 << 20}, pixels, order), "pixels; expected 1 to"),
        (tiff({257: 2}, pixels, order), "no header"),
    ):
        with pytest.raises(VideoError, match=words):
            read_picture(other, "p")


def test_headers_of_webp() -> None:
    inner = numbered.picture(3, "webp")[12:]

    def extended(flags: int, *more: bytes) -> bytes:
        width, height = SIZE[1] - 1, SIZE[0] - 1
        head = bytes([flags, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
        body = b"VP8X" + struct.pack("<I", 10) + head + inner + b"".join(more)
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body

    exif = b"Exif\0\0" + tiff({274: 3}, b"")
    turned = extended(8, b"EXIF" + struct.pack("<I", len(exif)) + exif)
    assert picture_size(turned, "p") == SIZE
    np.testing.assert_array_equal(read_picture(turned, "p"), numbered.pixels(3)[::-1, ::-1])
    np.testing.assert_array_equal(read_picture(extended(0), "p"), numbered.pixels(3))
    for upright in (extended(8), extended(8, b"EXIF" + struct.pack("<I", 4) + b"none")):
        assert picture_orientation(upright, "p") == 1
    with pytest.raises(VideoError, match="is animated"):
        picture_size(extended(2), "p")


def test_lossy_webp() -> None:
    """A picture without an extended header, smooth enough for a decoder to give it back."""
    encoder = av.CodecContext.create("libwebp", "w")
    frame = av.VideoFrame.from_ndarray(np.full((16, 24, 3), 90, np.uint8), format="rgb24")
    encoder.height, encoder.width, encoder.pix_fmt = 16, 24, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    packets = [*encoder.encode(frame.reformat(format="yuv420p")), *encoder.encode(None)]
    data = b"".join(map(bytes, packets))
    assert data[12:16] == b"VP8 "
    assert picture_size(data, "p") == (16, 24)
    assert np.abs(read_picture(data, "p").astype(int) - 90).max() <= 3


def test_bmp_of_os2() -> None:
    """Its header has 12 bytes, and its rows begin at the bottom."""
    rows = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    head = struct.pack("<IHHHH", 12, 4, 2, 1, 24)
    body = head + rows[::-1, :, ::-1].tobytes()
    data = b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 14 + len(head)) + body
    assert picture_size(data, "p") == (2, 4)
    np.testing.assert_array_equal(read_picture(data, "p"), rows)
    with pytest.raises(VideoError, match=r"p: .*no header"):
        picture_size(data[:20], "p")


def test_png_without_its_end() -> None:
    data = numbered.picture(3, "png")
    assert picture_orientation(data, "p") == 1
    with pytest.raises(VideoError, match=r"p: .*it is cut short: no end in its"):
        read_png(data[: data.index(b"IEND") - 4], "p")
    with pytest.raises(VideoError, match=r"p: is not a PNG picture \(begins with nothing\)"):
        read_png(b"", "p")
