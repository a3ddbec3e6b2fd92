"""Kinds of video files whose headers have other sizes than the files, complete or cut short."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
from film_files import draw, encode
from kind import Kind
from stream_files import PACKET, expect_numbers

FRAMES = 24
_CODECS = {
    "avi": ("mpeg4", "yuv420p"),
    "webm": ("libvpx", "yuv420p"),
    "gif": ("gif", "rgb8"),
    "apng": ("apng", "rgb24"),
    "mjpeg": ("mjpeg", "yuvj420p"),
}
_Change: TypeAlias = Callable[[bytes], bytes]


class _Pipe(io.RawIOBase):
    """A stream that cannot seek, so that a muxer cannot fill in sizes afterwards."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data
        return len(data)


@functools.cache
def whole(suffix: str, options: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Returns a file of `FRAMES` frames, with a keyframe every 8 frames."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        codec, pix_fmt = _CODECS.get(suffix, ("libx264", "yuv420p"))
        more = {"b": "2000k"} if codec == "mpeg4" else {}
        encode(path, draw(FRAMES), codec=codec, pix_fmt=pix_fmt, options={"g": "8"} | more)
        if options:
            return _copied(path, Path(folder) / f"b.{suffix}", dict(options))
        return path.read_bytes()


def _copied(path: Path, target: Path, options: dict[str, str]) -> bytes:
    with av.open(str(path)) as old, av.open(str(target), "w", options=options) as new:
        _copy(old, new)
    return target.read_bytes()


def _copy(old: av.container.InputContainer, new: av.container.OutputContainer) -> None:
    stream = old.streams.video[0]
    copied = new.add_stream_from_template(stream, opaque=True)
    for packet in old.demux(stream):
        if packet.size:
            packet.stream = copied
            new.mux(packet)


def piped(suffix: str) -> bytes:
    """Returns the same file, as a muxer writes it to a pipe."""
    pipe = _Pipe()
    name = {"mkv": "matroska"}.get(suffix, suffix)
    old = av.open(io.BytesIO(whole(suffix)))
    with old, av.open(pipe, "w", format=name) as new:
        _copy(old, new)
    return bytes(pipe.data)


@functools.cache
def with_repeats() -> bytes:
    """Returns an AVI file that shows every third frame twice, the second time with 0 bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.avi"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mjpeg", rate=12)
            stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
            for place, picture in enumerate(draw(FRAMES)):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = place + place // 3, Fraction(1, 12)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path.read_bytes()


def riff(size: Callable[[int], int]) -> _Change:
    """Returns a function that sets the size in the header of a RIFF file."""
    return lambda data: data[:4] + size(len(data) - 8).to_bytes(4, "little") + data[8:]


def behind(more: bytes) -> _Change:
    """Returns a function that appends bytes to a file."""
    return lambda data: data + more


def before(more: bytes) -> _Change:
    """Returns a function that inserts bytes at the beginning of a file."""
    return lambda data: more + data


def cut(part: float) -> _Change:
    """Returns a function that keeps the first part of a file."""
    return lambda data: data[: int(len(data) * part)]


def without(count: int) -> _Change:
    """Returns a function that removes the last bytes of a file."""
    return lambda data: data[:-count]


def longer_mdat(data: bytes) -> bytes:
    """Makes the box of the frames longer than the file."""
    place = data.index(b"mdat") - 4
    length = int.from_bytes(data[place : place + 4], "big") + 1000
    return data[:place] + length.to_bytes(4, "big") + data[place + 4 :]


def to_the_end(data: bytes) -> bytes:
    """Makes the box of the frames extend to the end of the file, wherever that is."""
    place = data.index(b"mdat") - 4
    return data[:place] + bytes(4) + data[place + 4 :]


def before_cues(data: bytes) -> bytes:
    """Removes the last part of a Matroska file, its index."""
    return data[: data.rindex(b"\x1c\x53\xbb\x6b") + 12]


def _of(data: Callable[[], bytes], change: _Change) -> Callable[[Path, str], None]:
    def try_it(folder: Path, suffix: str) -> None:
        (folder / f"a.{suffix}").write_bytes(change(data()))
        expect_numbers(folder / f"a.{suffix}", range(FRAMES), dropped=0)

    return try_it


_FIRST = (("movflags", "faststart"),)
_FRAGMENTS = (("movflags", "frag_keyframe+empty_moov+default_base_moof"),)
_M2TS = (("mpegts_m2ts_mode", "1"),)
_FREE = (64).to_bytes(4, "big") + b"free" + bytes(20)


def _same(data: bytes) -> bytes:
    return data


def _in_packet(data: bytes) -> bytes:
    """Appends the first bytes of a repeated packet."""
    return data + data[-PACKET:][:40]


_WHOLE: tuple[tuple[str, str, Callable[[], bytes], _Change], ...] = (
    ("AVI written to a pipe", "avi", lambda: piped("avi"), _same),
    ("AVI of size 0", "avi", lambda: whole("avi"), riff(lambda _: 0)),
    ("AVI of size 0xFFFFFFFF", "avi", lambda: whole("avi"), riff(lambda _: 0xFFFFFFFF)),
    ("AVI with a size that is too large", "avi", lambda: whole("avi"), riff(lambda n: n + 8)),
    ("AVI with a size that is far too large", "avi", lambda: whole("avi"), riff(lambda n: 9 * n)),
    ("AVI with a size that is too small", "avi", lambda: whole("avi"), riff(lambda n: n // 2)),
    ("AVI with frames shown twice", "avi", with_repeats, riff(lambda n: n + 8)),
    ("AVI cut in the table after its frames", "avi", lambda: whole("avi"), lambda d: d[:-40]),
    ("MPEG-TS that ends inside a packet", "ts", lambda: whole("ts"), _in_packet),
    ("MPEG-TS with the start of a table after", "ts", lambda: whole("ts"), lambda d: d + d[:99]),
    ("MPEG-TS with zeros before it", "ts", lambda: whole("ts"), before(bytes(57))),
    ("MPEG-TS with half a packet before it", "ts", lambda: whole("ts"), lambda d: d[-99:] + d),
    ("MPEG-TS with text after it", "ts", lambda: whole("ts"), behind(b"<!-- sent by x -->\n")),
    ("MPEG-TS of a camcorder", "m2ts", lambda: whole("m2ts", _M2TS), _same),
    ("mp4 with zeros after it", "mp4", lambda: whole("mp4"), behind(bytes(13))),
    ("mp4 with text after it", "mp4", lambda: whole("mp4"), behind(b"<!-- uploaded by x -->\n")),
    ("mp4 with an incomplete box after it", "mp4", lambda: whole("mp4"), behind(_FREE)),
    ("mp4 with its table first", "mp4", lambda: whole("mp4", _FIRST), _same),
    ("mp4 whose frames' box is too long", "mp4", lambda: whole("mp4", _FIRST), longer_mdat),
    ("mp4 whose frames' box has no end", "mp4", lambda: whole("mp4", _FIRST), to_the_end),
    ("mp4 in fragments", "mp4", lambda: whole("mp4", _FRAGMENTS), _same),
    (
        "mp4 in fragments, with text after it",
        "mp4",
        lambda: whole("mp4", _FRAGMENTS),
        behind(b"a text"),
    ),
    ("Matroska written to a pipe", "mkv", lambda: piped("mkv"), _same),
    ("Matroska with zeros after it", "mkv", lambda: whole("mkv"), behind(bytes(100))),
    ("Matroska cut in the table after its frames", "mkv", lambda: whole("mkv"), before_cues),
    ("WebM of a browser's recorder", "webm", lambda: piped("webm"), _same),
    ("FLV written to a pipe", "flv", lambda: piped("flv"), _same),
    ("GIF without its last byte", "gif", lambda: whole("gif"), lambda d: d[:-1]),
    ("GIF with text after it", "gif", lambda: whole("gif"), behind(b"made by x")),
    ("MJPEG with text after it", "mjpeg", lambda: whole("mjpeg"), behind(b"made by x")),
    ("APNG with text after it", "apng", lambda: whole("apng"), behind(b"made by x")),
)
_CUT: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
    ("mp4", "mp4", lambda: whole("mp4")),
    ("mp4 with its table first", "mp4", lambda: whole("mp4", _FIRST)),
    ("mp4 in fragments", "mp4", lambda: whole("mp4", _FRAGMENTS)),
    ("AVI", "avi", lambda: whole("avi")),
    ("Matroska", "mkv", lambda: whole("mkv")),
    ("WebM", "webm", lambda: whole("webm")),
    ("GIF", "gif", lambda: whole("gif")),
    ("APNG", "apng", lambda: whole("apng")),
    ("MJPEG", "mjpeg", lambda: whole("mjpeg")),
)
KINDS = (
    *(
        Kind(f"sizes: {name}", "all frames", functools.partial(_of(data, change), suffix=suffix))
        for name, suffix, data, change in _WHOLE
    ),
    *(
        Kind(
            f"sizes: {name} cut to {part:.0%}",
            "refused: cut short",
            functools.partial(_of(data, cut(part)), suffix=suffix),
            refusal=r"cut short|damaged or not a video",
        )
        for name, suffix, data in _CUT
        for part in (0.4, 0.6, 0.8)
    ),
    *(
        Kind(
            f"sizes: MPEG-TS without its last {lost} bytes",
            "refused: cut short",
            functools.partial(_of(lambda: whole("ts"), without(lost)), suffix="ts"),
            refusal="is cut short",
        )
        for lost in (9, 99, 180)
    ),
)
