"""Kinds of streams that were cut from longer ones, joined, or are still being written."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from film_files import draw, encode, encode_streams, number
from kind import Kind, expect
from stream_files import (
    CODECS,
    FRAMES,
    GROUP,
    PACKET,
    copy,
    cut_bytes,
    expect_numbers,
    keyframes,
    lose_frame,
    source,
)

from vdroppath_tf.data.sources.decode import index_video
from vdroppath_tf.data.sources.video import VideoFile

_WHOLE = range(FRAMES)
_SECOND = range(GROUP, FRAMES)


def _tuned_in(folder: Path, codec: str) -> None:
    """Reads a broadcast whose recording begins in the middle of a group."""
    made = cut_bytes(source(folder, codec), folder / "tuned.ts", 0.1)
    expect_numbers(made, range(GROUP, FRAMES))


def _from_keyframe(folder: Path, codec: str, suffix: str) -> None:
    """Reads the output of `ffmpeg -ss 1 -c copy`, which begins at a keyframe."""
    whole = source(folder, codec, "mkv")
    expect_numbers(copy(whole, folder / f"cut.{suffix}", keyframes(whole)[1]), _SECOND)


def _open_group(folder: Path, codec: str, suffix: str) -> None:
    """Checks that 3 B-frames are lost that are stored after the keyframe and shown before it."""
    whole = source(folder, codec, "mkv")
    made = copy(whole, folder / f"cut.{suffix}", keyframes(whole)[1])
    # In mp4, an edit list already leaves them out.
    expect_numbers(made, _SECOND, dropped=0 if suffix == "mp4" else 3)


def _open_group_without_times(folder: Path, codec: str, suffix: str, of: str) -> None:
    """Does the same for files without the times by which lost frames are detected."""
    whole = source(folder, codec, of)
    made = copy(whole, folder / f"cut.{suffix}", keyframes(whole)[1])
    expect_numbers(made, _SECOND, dropped=3)


def _chained(folder: Path) -> None:
    """Reads Ogg files that are joined byte by byte, each of which begins with headers."""
    one = encode(folder / "one.ogv", draw(24), codec="libvpx")
    other = encode(folder / "other.ogv", draw(24)[::-1].copy(), codec="libvpx")
    both = folder / "both.ogv"
    both.write_bytes(one.read_bytes() + other.read_bytes())
    expect_numbers(both, [*range(24), *range(23, -1, -1)], dropped=0)


def _refresh(folder: Path) -> None:
    """Reads a stream whose frames are refreshed in parts, without a keyframe to start at."""
    made = cut_bytes(source(folder, "H.264 with intra refresh"), folder / "cut.ts", 0.4)
    expect_numbers(made, range(FRAMES - index_video(made).num_frames, FRAMES))


def _joined(folder: Path, codec: str) -> None:
    one = source(folder, codec)
    both = folder / "both.ts"
    both.write_bytes(one.read_bytes() + one.read_bytes())
    expect_numbers(both, [*_WHOLE, *_WHOLE], dropped=0)


def _joined_sizes(folder: Path) -> None:
    one = encode(folder / "small.ts", draw(24))
    other = encode(folder / "large.ts", draw(24, height=96, width=128))
    both = folder / "both.ts"
    both.write_bytes(one.read_bytes() + other.read_bytes())
    expect_numbers(both, [*range(24), *range(24)], dropped=0)


def _joined_streams(folder: Path) -> None:
    """Reads two joined recordings, of which the second also has a second camera."""
    one = source(folder)
    films = [(draw(24), "libx264"), (draw(24)[::-1, ::2, ::2].copy(), "libx264")]
    other = encode_streams(films, folder / "other.ts")
    both = folder / "both.ts"
    both.write_bytes(one.read_bytes() + other.read_bytes())
    expect_numbers(both, [*_WHOLE, *range(24)], dropped=0)


def _segments(folder: Path, wanted: tuple[int, ...]) -> None:
    """Reads joined segments of a live stream, some of them missing or in another order."""
    whole = source(folder)
    pieces = [
        copy(whole, folder / f"{piece}.ts", GROUP * piece, GROUP * (piece + 1)).read_bytes()
        for piece in wanted
    ]
    (folder / "all.ts").write_bytes(b"".join(pieces))
    numbers = [GROUP * piece + k for piece in wanted for k in range(GROUP)]
    expect_numbers(folder / "all.ts", numbers, dropped=0)


def _stopped(folder: Path, codec: str, place: int) -> None:
    """Reads an MPEG-TS recording that ends after a complete frame."""
    whole = source(folder, codec)
    with av.open(str(whole)) as opened:
        frames = [p for p in opened.demux(opened.streams.video[0]) if p.size]
    (folder / "stopped.ts").write_bytes(whole.read_bytes()[: frames[place].pos])
    order = sorted(frame.pts or 0 for frame in frames)
    there = sorted(order.index(frame.pts or 0) for frame in frames[:place])
    expect_numbers(folder / "stopped.ts", there, dropped=0)


@functools.cache
def _grainy(codec: str, suffix: str) -> bytes:
    """Returns a video whose frames take many packets each."""
    film = draw(24, height=96, width=128)
    grain = np.random.default_rng(0).integers(-60, 60, film.shape)
    film = (film + grain).clip(0, 255).astype(np.uint8)
    name, rate, options = CODECS[codec]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        return encode(path, film, codec=name, rate=rate, options=options).read_bytes()


def _place_inside(data: bytes, part: float) -> int:
    """Returns the place two MPEG-TS packets after the first frame that starts after a part."""
    with av.open(io.BytesIO(data)) as opened:
        starts = [p.pos or 0 for p in opened.demux(opened.streams.video[0]) if p.size]
    return min(start for start in starts if start >= part * len(data)) + 2 * PACKET


def _inside(folder: Path, codec: str, suffix: str, part: float) -> None:
    """Reads a stream without an end marker, cut inside a frame (in MPEG-TS, between packets)."""
    data = _grainy(codec, suffix)
    if part < 1:
        place = _place_inside(data, part) if suffix == "ts" else int(part * len(data))
        data = data[:place]
    (folder / f"a.{suffix}").write_bytes(data)
    expect_numbers(folder / f"a.{suffix}", range(24), dropped=0)


def _open_end(folder: Path, codec: str, part: float) -> None:
    """Reads the same stream up to its last complete frame; it ends inside a packet."""
    data = _grainy(codec, "ts")
    (folder / "a.ts").write_bytes(data[: _place_inside(data, part) + 77])
    with av.open(io.BytesIO(data)) as opened:
        order = sorted(p.pts or 0 for p in opened.demux(opened.streams.video[0]) if p.size)
    with av.open(str(folder / "a.ts")) as opened:
        there = [p.pts or 0 for p in opened.demux(opened.streams.video[0]) if p.size]
    source = VideoFile(str(folder / "a.ts"), open_end=True)
    wanted = sorted(order.index(pts) for pts in there[:-1])
    count = source.info().num_frames
    expect(count, len(wanted), "frames")
    expect([number(frame) for frame in source.read(range(count))], wanted, "frames")
    alone = [number(source.read([k])[0]) for k in range(count - 5, count)]
    expect(alone, wanted[-5:], "frames, each read separately")


def _open_count(folder: Path, codec: str, suffix: str) -> None:
    """Reads a stream without time stamps up to the frames shown before the incomplete one."""
    data = _grainy(codec, suffix)
    (folder / f"a.{suffix}").write_bytes(data[: int(0.9 * len(data))])
    source = VideoFile(str(folder / f"a.{suffix}"), open_end=True)
    count = source.info().num_frames
    expect(15 < count < 24, True, f"whether {count} frames are between 15 and 24")
    expect([number(frame) for frame in source.read(range(count))], [*range(count)], "frames")


def _hole(folder: Path, frame: int, packets: int | None) -> None:
    """Reads a stream of which the receiver has lost packets."""
    expect_numbers(lose_frame(source(folder), folder / "hole.ts", frame, packets), _WHOLE)


def _times(folder: Path, change: Callable[[Any, int], None]) -> None:
    expect_numbers(copy(source(folder), folder / "times.mkv", change=change), _WHOLE, dropped=0)


def _at_zero(packet: Any, _: int) -> None:
    packet.pts = packet.dts = 0


def _twice(packet: Any, place: int) -> None:
    packet.pts -= packet.pts % 2 * 83


def _shifted(folder: Path, suffix: str, seconds: float) -> None:
    made = copy(source(folder), folder / f"shifted.{suffix}", shift=seconds)
    expect_numbers(made, _WHOLE, dropped=0)


def _before_zero(folder: Path) -> None:
    """Checks that an edit list leaves out what lies before the beginning."""
    options = {"avoid_negative_ts": "disabled"}
    made = copy(source(folder), folder / "cut.mp4", shift=-1.5, options=options)
    expect_numbers(made, range(FRAMES - index_video(made).num_frames, FRAMES), dropped=0)


KINDS = (
    *(
        Kind(
            f"streams: a broadcast of {codec} recorded from between two keyframes",
            "from the first keyframe; the frames before it are dropped and counted",
            functools.partial(_tuned_in, codec=codec),
        )
        for codec in CODECS
        if "refresh" not in codec
    ),
    *(
        Kind(
            f"streams: {codec} cut from an open group without encoding, .{suffix}",
            "the keyframe is the first; three frames are lost and counted",
            functools.partial(_open_group, suffix=suffix, codec=codec),
        )
        for codec in ("H.264 with open groups", "H.265 with open groups")
        for suffix in ("mkv", "mp4", "ts")
        if (codec[:5], suffix) != ("H.264", "ts")
    ),
    *(
        Kind(
            f"streams: {codec} cut from an open group without encoding, .{suffix}",
            "the keyframe is the first; three frames are lost and counted",
            functools.partial(_open_group_without_times, suffix=suffix, codec=codec, of=of),
        )
        for codec, suffix, of in (
            ("H.264 with open groups", "avi", "ts"),
            ("H.264 with open groups", "mpg", "ts"),
            ("H.264 with open groups", "asf", "mp4"),
            ("H.265 with open groups", "mpg", "ts"),
        )
    ),
    Kind("streams: Ogg files of VP8 joined", "the frames of one, then of the other", _chained),
    Kind(
        "streams: MPEG-TS without the parameters of its pictures",
        "refused: nothing can be decoded",
        functools.partial(_open_group, codec="H.264 with open groups", suffix="ts"),
        refusal="none of its frames can be decoded.* Cut it again from a keyframe",
    ),
    *(
        Kind(
            f"streams: {codec} cut at a keyframe without encoding, .{suffix}",
            "from the keyframe",
            functools.partial(_from_keyframe, codec=codec, suffix=suffix),
        )
        for codec in ("H.264", "H.265", "MPEG-4")
        for suffix in ("mkv", "mp4", "ts")
        if (codec, suffix) != ("MPEG-4", "ts")  # its muxer does not repeat the headers
    ),
    *(
        Kind(
            f"streams: two recordings of {codec} joined byte by byte",
            "the frames of one, then those of the other",
            functools.partial(_joined, codec=codec),
        )
        for codec in CODECS
    ),
    *(
        Kind(
            f"streams: pieces {', '.join(map(str, pieces))} of a live stream joined",
            "their frames in this order",
            functools.partial(_segments, wanted=pieces),
        )
        for pieces in ((0, 1, 2, 3), (0, 2), (1, 3), (2, 0), (1, 1))
    ),
    *(
        Kind(
            f"streams: MPEG-TS that lacks {packets or 'all'} packets of frame {frame}",
            "refused: packets are missing",
            functools.partial(_hole, frame=frame, packets=packets),
            refusal="damaged or cut short",
        )
        for frame, packets in ((5, None), (11, None), (12, None), (12, 1), (24, 2), (30, 1))
    ),
    *(
        Kind(
            f"streams: MPEG-TS of {codec} that ends between two {what}",
            "all frames that it has",
            functools.partial(_stopped, codec=codec, place=place),
        )
        for codec in ("H.264", "H.265", "MPEG-2")
        for what, place in (("frames", 2 * GROUP + 4), ("groups", 2 * GROUP))
    ),
    *(
        Kind(
            f"streams: the first {part:.0%} of {codec} as .{suffix}",
            "refused: cut short, or still being written" if part < 1 else "all frames",
            functools.partial(_inside, codec=codec, suffix=suffix, part=part),
            refusal="ends inside a frame|damaged or cut short" if part < 1 else None,
        )
        for codec, suffix in (
            *(("H.264", "ts"), ("H.265", "ts"), ("MPEG-2", "ts"), ("MPEG-2", "mpg")),
            *(("H.265", "mpg"), ("H.264", "h264"), ("H.265", "hevc"), ("MPEG-2", "m2v")),
        )
        for part in ((0.6, 0.9, 1) if suffix in ("ts", "mpg") else (0.9, 1))
    ),
    *(
        Kind(
            f"streams: the first 90% of {codec} as .{suffix} with an open end",
            "the frames before the incomplete one",
            functools.partial(_open_count, codec=codec, suffix=suffix),
            refusal="--allow_open_end" if suffix == "hevc" else None,
        )
        for codec, suffix in (("MPEG-2", "mpg"), ("H.264", "h264"), ("H.265", "hevc"))
    ),
    *(
        Kind(
            f"streams: the first {part:.0%} of MPEG-TS of {codec} with an open end",
            "all complete frames",
            functools.partial(_open_end, codec=codec, part=part),
        )
        for codec in ("H.264", "H.265", "MPEG-2")
        for part in (0.55, 0.7, 0.93)
    ),
    Kind(
        "streams: H.264 with intra refresh cut without encoding",
        "from the first complete frame",
        _refresh,
    ),
    Kind(
        "streams: recordings of two sizes joined",
        "all frames, in the size of the first",
        _joined_sizes,
    ),
    Kind(
        "streams: joined with a recording of two cameras",
        "the first camera in both",
        _joined_streams,
    ),
    Kind("streams: all times are zero", "all frames", functools.partial(_times, change=_at_zero)),
    Kind("streams: times are repeated", "all frames", functools.partial(_times, change=_twice)),
    *(
        Kind(f"streams: {what}", "all frames", functools.partial(_shifted, **where))
        for what, where in (
            ("begins at 5 seconds", {"suffix": "mp4", "seconds": 5}),
            ("the clock of MPEG-TS wraps", {"suffix": "ts", "seconds": 95442}),
        )
    ),
    Kind("streams: begins before zero", "from zero, by the edit list", _before_zero),
)
