"""Videos that were cut, joined or left unfinished without re-encoding, made with PyAV only."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from film_files import draw, encode, number
from kind import expect

from vdroppath_tf.data.sources.decode import index_video, read_frames

FRAMES = 48
GROUP = 12  # frames from one keyframe to the next
PACKET = 188  # bytes of an MPEG-TS packet
# x265 sometimes aborts if its threads compete with others for few cores.
_ONE_THREAD = "log-level=none:pools=none:frame-threads=1:"
_OPEN = f"open-gop=1:keyint={GROUP}:min-keyint={GROUP}:scenecut=0:bframes=3:b-adapt=0"
_CLOSED = _OPEN.replace("open-gop=1", "open-gop=0")
_MPEG = {"g": str(GROUP), "bf": "2", "b": "2000k", "sc_threshold": "1000000000"}
_REFRESH = f"intra-refresh=1:keyint={GROUP}:bframes=0"
CODECS: dict[str, tuple[str, int, dict[str, str]]] = {
    "H.264": ("libx264", 12, {"x264-params": _CLOSED}),
    "H.264 with open groups": ("libx264", 12, {"x264-params": _OPEN}),
    "H.264 with intra refresh": ("libx264", 12, {"x264-params": _REFRESH}),
    "H.265": ("libx265", 12, {"x265-params": _ONE_THREAD + _CLOSED}),
    "H.265 with open groups": ("libx265", 12, {"x265-params": _ONE_THREAD + _OPEN}),
    "MPEG-2": (
        "mpeg2video",
        25,
        {"g": str(GROUP), "bf": "2", "b": "2000k", "sc_threshold": "1000000000"},
    ),
    "MPEG-4": (
        "mpeg4",
        12,
        {"g": str(GROUP), "bf": "2", "b": "2000k", "sc_threshold": "1000000000"},
    ),
}
"""The encoder, the frame rate, and the encoder's options, by name."""


def source(folder: Path, kind: str = "H.264", suffix: str = "ts") -> Path:
    """Writes a complete video of `FRAMES` frames, and returns its path."""
    path = folder / f"source.{suffix}"
    path.write_bytes(_encoded(kind, suffix))
    return path


@functools.cache
def _encoded(kind: str, suffix: str) -> bytes:
    codec, rate, options = CODECS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"source.{suffix}"
        return encode(path, draw(FRAMES), codec=codec, rate=rate, options=options).read_bytes()


def keyframes(path: Path) -> list[int]:
    """Returns the numbers of the packets at which decoding can start, in the order of the file."""
    with av.open(str(path)) as whole:
        packets = [packet for packet in whole.demux(whole.streams.video[0]) if packet.size]
    return [place for place, packet in enumerate(packets) if packet.is_keyframe]


def copy(
    path: Path,
    target: Path,
    first: int = 0,
    last: int | None = None,
    *,
    change: Callable[[Any, int], None] | None = None,
    shift: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Copies packets without re-encoding, as `ffmpeg -c copy` does.

    Args:
        path: Path, the video.
        target: Path, the new video.
        first: int, the number of the first packet to copy, in the order of the file.
        last: int or None, the number of the first packet after those to copy. Defaults to None,
            which copies all packets.
        change: callable or None, which changes a packet in place, given the packet and its number.
        shift: float, the seconds to add to all times.
        options: dict or None, the muxer's options for the new file.

    Returns:
        Path, the new video.
    """
    with av.open(str(path)) as whole, av.open(str(target), "w", options=options or {}) as part:
        stream = whole.streams.video[0]
        new = part.add_stream_from_template(stream, opaque=True)
        ticks = round(shift / (stream.time_base or Fraction(1)))
        for place, packet in enumerate(p for p in whole.demux(stream) if p.size):
            if place < first or (last is not None and place >= last):
                continue
            if packet.pts is not None:
                packet.pts += ticks
            if packet.dts is not None:
                packet.dts += ticks
            if change is not None:
                change(packet, place)
            packet.stream = new
            part.mux(packet)
    return target


def cut_bytes(path: Path, target: Path, first: float = 0.0, last: float = 1.0) -> Path:
    """Copies a part of an MPEG-TS file, in whole packets, and returns the new path."""
    data = path.read_bytes()
    count = len(data) // PACKET
    target.write_bytes(data[int(count * first) * PACKET : int(count * last) * PACKET])
    return target


def lose_frame(path: Path, target: Path, frame: int, packets: int | None = None) -> Path:
    """Copies an MPEG-TS file without packets of one frame.

    Args:
        path: Path, the complete file.
        target: Path, the new file.
        frame: int, the number of the frame, in the order of the file.
        packets: int or None, the number of packets to leave out. Defaults to None, for all of the
            frame's packets.

    Returns:
        Path, the new file.
    """
    with av.open(str(path)) as whole:
        stream = whole.streams.video[0]
        starts = [packet.pos or 0 for packet in whole.demux(stream) if packet.size]
        number = stream.id
    data = path.read_bytes()
    places = range(starts[frame], starts[frame + 1], PACKET)
    lost = [p for p in places if (data[p + 1] & 0x1F) << 8 | data[p + 2] == number][:packets]
    kept = (data[p : p + PACKET] for p in range(0, len(data), PACKET) if p not in lost)
    target.write_bytes(b"".join(kept))
    return target


def expect_numbers(path: Path, numbers: Sequence[int], dropped: int | None = None) -> None:
    """Reads a video as clips are read, all frames at once and single frames, and compares them.

    Args:
        path: Path, the video.
        numbers: sequence of int, the numbers that its frames show.
        dropped: int or None, the number of lost frames at its beginning that the index must have.
            Defaults to None, if it depends on the version of FFmpeg.

    Raises:
        WrongAnswerError: If the frames or the number of lost frames are others.
    """
    index = index_video(path)
    wanted = list(numbers)
    expect([number(f) for f in read_frames(path, range(index.num_frames))], wanted, "frames")
    some = range(0, len(wanted), max(1, len(wanted) // 24))[::-1]
    alone = [number(read_frames(path, [k])[0]) for k in some]
    expect(alone, [wanted[k] for k in some], "frames, each read separately")
    if dropped is not None:
        expect(index.dropped, dropped, "frames lost at the beginning")
