"""One JPEG picture: pixels as another decoder has them, the same scaling as videos, or an error."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor

import av
import barcode
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from pictures import jpeg, photograph

from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.jpeg import jpeg_size, read_jpeg
from vdroppath_tf.data.sources.source import Box
from vdroppath_tf.data.sources.still import MAX_PICTURE_BYTES

PICTURE = photograph()
KINDS: dict[str, dict[str, object]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "full colour": {"chroma_downsampling": False, "optimize_size": True},
    "grey": {"format": "grayscale"},
}


@functools.cache
def made(kind: str) -> bytes:
    return jpeg(PICTURE[..., :1] if kind == "grey" else PICTURE, **KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_those_of_tensorflow(kind: str) -> None:
    data = made(kind)
    theirs = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE").numpy()
    ours = read_jpeg(data, kind)
    assert jpeg_size(data, kind) == PICTURE.shape[:2] == ours.shape[:2]
    error = ours.astype(int) - theirs
    # Colour has half the resolution in the file, and the two interpolate it differently.
    assert abs(error).mean() < (0.5 if kind in ("full colour", "grey") else 4)
    assert abs(error.mean()) < 1.5


def test_grey_is_the_brightness() -> None:
    data = made("grey")
    grey = read_jpeg(data, "grey", channels=1)
    assert grey.shape == (*PICTURE.shape[:2], 1)
    np.testing.assert_array_equal(np.repeat(grey, 3, -1), read_jpeg(data, "grey"))


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
def test_levels_are_exact(level: int) -> None:
    data = jpeg(np.full((24, 40, 3), level, np.uint8))
    assert (read_jpeg(data, "flat", short_edge=16) == level).all()


def test_scales_as_video_files_are_scaled() -> None:
    """Lossless colour in both, so that only scaling is compared."""
    grey = read_jpeg(made("grey"), "grey")
    frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
    wanted = frame.reformat(55, 40, "rgb24", interpolation="BILINEAR").to_ndarray()
    scaled = read_jpeg(made("grey"), "grey", short_edge=40)
    assert scaled.shape == (40, 55, 3)
    np.testing.assert_allclose(scaled.astype(int), wanted, atol=1)


@given(data=st.data(), edge=st.sampled_from([None, 60, 32]))
def test_a_box_is_that_part_of_the_whole(data: st.DataObject, edge: int | None) -> None:
    whole = read_jpeg(made("baseline"), "whole", short_edge=edge)
    top, left = (data.draw(st.integers(0, side - 1)) for side in whole.shape[:2])
    height = data.draw(st.integers(1, whole.shape[0] - top))
    width = data.draw(st.integers(1, whole.shape[1] - left))
    part = read_jpeg(made("baseline"), "part", short_edge=edge, box=Box(top, left, height, width))
    np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@given(st.data())
def test_cut_short_anywhere_is_an_error(data: st.DataObject) -> None:
    whole = made(data.draw(st.sampled_from(sorted(KINDS))))
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    with pytest.raises(VideoError, match="the picture"):
        read_jpeg(cut, "the picture")


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_that_are_missing_are_noticed(kind: str) -> None:
    """The end is in its place, so that only decoding can tell; many decoders paint such grey."""
    whole = made(kind)
    middle = len(whole) * 2 // 3
    for bad in (
        whole[:middle] + b"\xff\xd9",
        whole[: middle - 400] + whole[middle:],
        whole[:middle] + b"\xff\xd0" * 100 + whole[middle + 200 :],
    ):
        with pytest.raises(VideoError, match="p: is a damaged picture"):
            read_jpeg(bad, "p")


def test_a_damaged_picture_leaves_no_trace_in_the_next() -> None:
    good = read_jpeg(made("baseline"), "good").copy()
    for kind in KINDS:
        with pytest.raises(VideoError):
            read_jpeg(made(kind)[:-200] + b"\xff\xd9", kind)
        np.testing.assert_array_equal(read_jpeg(made("baseline"), "good"), good)


def _without(data: bytes, mark: int) -> bytes:
    place = data.index(bytes([0xFF, mark]))
    return data[:place] + data[place + 2 + int.from_bytes(data[place + 2 : place + 4], "big") :]


def test_tables_of_an_earlier_picture_are_not_used() -> None:
    """A decoder keeps them, for motion JPEG: a picture without would depend on what came before."""
    read_jpeg(made("grey"), "earlier")
    bad = _without(made("grey"), 0xDB)
    with pytest.raises(VideoError, match="lacks its quantization tables"):
        read_jpeg(bad, "bare")


def _with_frame(
    height: int, width: int, *, bits: int = 8, channels: int = 1, mark: int = 0xC0
) -> bytes:
    """The grey picture with another frame header."""
    data = made("grey")
    place = data.index(b"\xff\xc0")
    frame = bytes([bits]) + height.to_bytes(2, "big") + width.to_bytes(2, "big") + bytes([channels])
    return (
        data[: place + 1] + bytes([mark]) + data[place + 2 : place + 4] + frame + data[place + 10 :]
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n", "not a JPEG picture"),
        (b"\xff\xd8", "no picture size"),
        (b"\xff\xd8" + b"\xff" * 5000, "no picture size"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 5000, "no picture size"),
        (b"\xff\xd8garbage", "no marker at byte 2"),
        (b"\xff\xd8" + bytes(MAX_PICTURE_BYTES), "bytes. Expected at most"),
    ],
)
def test_what_is_no_picture(data: bytes, message: str) -> None:
    with pytest.raises(VideoError, match=message) as raised:
        jpeg_size(data, "a/b.jpg")
    assert str(raised.value).startswith("a/b.jpg: ")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"height": 0, "width": 83}, "83x0 pixels; expected 1 to 16384"),
        ({"height": 65535, "width": 65535}, "65535x65535 pixels; expected 1 to"),
        ({"height": 16000, "width": 16000}, "at most 67108864 pixels"),
        ({"height": 60, "width": 83, "bits": 12}, "1 channels of 12 bits"),
        ({"height": 60, "width": 83, "channels": 4}, "4 channels of 8 bits"),
        ({"height": 60, "width": 83, "mark": 0xC9}, "lossless or arithmetic"),
    ],
)
def test_headers_that_cannot_be_used(frame: dict[str, int], message: str) -> None:
    with pytest.raises(VideoError, match=message):
        jpeg_size(_with_frame(**frame), "p")


def test_a_header_that_promises_more_than_there_is() -> None:
    with pytest.raises(VideoError, match="damaged"):
        read_jpeg(_with_frame(2000, 2000), "p")


def test_thousands_of_scans_are_refused() -> None:
    data = made("progressive")
    last = data.rindex(b"\xff\xda")
    bomb = data[:-2] + data[last:-2] * 200 + data[-2:]
    with pytest.raises(VideoError, match="more than 100 scans"):
        read_jpeg(bomb, "bomb")


@pytest.mark.parametrize("comment", [b"\xff\xda", b"\xff\xda\x00\x08 a mark in it", b"\xff" * 9])
def test_marks_in_a_comment_are_not_the_beginning_of_the_pixels(comment: bytes) -> None:
    plain = made("baseline")
    segment = b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment
    data = plain[:2] + segment + plain[2:]
    for _ in range(2):  # headers that were read before are remembered
        assert jpeg_size(data, "p") == PICTURE.shape[:2]
        np.testing.assert_array_equal(read_jpeg(data, "p"), read_jpeg(plain, "p"))


def test_headers_that_begin_alike_are_told_apart() -> None:
    for size in ((3, 5), (5, 3), (3, 5)):
        assert jpeg_size(_with_frame(*size), "p") == size
    for _ in range(2):
        with pytest.raises(VideoError, match="other: is 0x5 pixels"):
            jpeg_size(_with_frame(5, 0), "other")


def test_whatever_follows_the_end_is_ignored() -> None:
    data = made("baseline")
    np.testing.assert_array_equal(read_jpeg(data + b"camera's own", "p"), read_jpeg(data, "p"))


def test_a_decoder_that_was_used_gives_what_a_new_one_gives() -> None:
    for seed, kind in enumerate([*KINDS] * 3):
        picture = photograph(40 + 8 * (seed % 3), seed=seed)
        data = jpeg(picture[..., :1] if kind == "grey" else picture, **KINDS[kind])
        new = av.CodecContext.create("mjpeg", "r").decode(av.Packet(data))[0]
        np.testing.assert_array_equal(read_jpeg(data, kind), new.to_ndarray(format="rgb24"))


def test_threads_do_not_disturb_each_other() -> None:
    """Each thread has a decoder of its own; pictures of different sizes take turns in it."""
    sizes = [(32, 128), (60, 83), (24, 40)]
    datas = [jpeg(np.resize(barcode.picture(7), (*size, 3))) for size in sizes] * 30
    alone = [read_jpeg(data, "p").copy() for data in datas]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: read_jpeg(data, "p").copy(), datas))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
