"""Finds the frames of a video file, without decoding it if its packets are consistent.

If something contradicts the packets (the file begins with frames whose references are missing, a
packet is marked as damaged, the file size differs from the headers), the file is decoded to find
the frames that can be shown.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from vdroppath_tf.data.sources.container import (
    VideoError,
    cut_short,
    missing_end,
    open_video,
    packets_of,
)
from vdroppath_tf.data.sources.first_frame import FirstFrame
from vdroppath_tf.data.sources.frame_index import FrameIndex
from vdroppath_tf.data.sources.last_group import LastGroup
from vdroppath_tf.data.sources.orientation import shown_size
from vdroppath_tf.data.sources.packets import Packets, read_packets
from vdroppath_tf.data.sources.shown import Shown, decode_shown
from vdroppath_tf.data.sources.transport import (
    ends_with_a_full_packet,
    is_joined,
    read_transport_stream,
)

# Containers that store every pts. For AVI and others FFmpeg guesses: wrongly for H.264 B-frames.
_STORES_PTS = ("mov", "matroska", "mpegts", "flv")
# Decoding always starts at the first frame. GIF and APNG draw frames over the previous ones, though
# each is marked as a keyframe. The others store no pts, or not all: FFmpeg counts on from where it
# starts, so that a frame has another pts after a seek.
_NO_SEEKING = ("gif", "apng", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "obu", "mjpeg")
_HIDDEN_FRAME_CODECS = ("vp8",)  # some of their packets show no frame, so packets cannot be counted
_WITHOUT_END = ("mpegts", "mpeg", "h264", "hevc", "mpegvideo", "m4v")  # a cut is not detectable
# Their decoders silently leave out frames at the beginning whose references are missing. If no pts
# identifies these, they are the packets that gave no frame.
_SILENT_CODECS = ("h264", "hevc")


@dataclasses.dataclass(frozen=True)
class _Frames:
    """The frames that count: their number and, if `exact`, the times by which they are found.

    `shown` holds what the decoder showed if the file was decoded, or None.
    """

    count: int
    times: np.ndarray
    exact: bool
    dropped: int = 0
    skipped: int = 0
    joined: bool = False
    shown: Shown | None = None


def build_index(
    path: str,
    video_stream: int | None = None,
    *,
    open_end: bool = False,
    check_size: Callable[[int, int], object] = lambda height, width: None,
) -> FrameIndex:
    """Finds every frame of a video file, see `index_video`.

    Args:
        path: str, the file.
        video_stream: int, see `index_video`.
        open_end: bool, see `index_video`.
        check_size: Callable, is given height and width of the frames before any of them is read,
            and raises what is to stop it.
    """
    missing = missing_end(path)
    if missing is not None and missing.certain:
        raise cut_short(path, missing)
    with open_video(path, video_stream) as (container, stream):
        check_size(stream.codec_context.height, stream.codec_context.width)
        first = FirstFrame(path)
        b_frames = stream.codec_context.has_b_frames
        timed = any(name in container.format.name for name in _STORES_PTS)
        group, kind, number = LastGroup(), container.format.name, stream.id
        looks = [first.look, group.add] if kind in _WITHOUT_END else [first.look]
        packets = read_packets(path, container, stream, looks, timed)
        sure_end = kind == "mpegts" and not ends_with_a_full_packet(path, number)
        partial = not (sure_end or group.is_whole(stream.codec_context))
        trusted = timed and stream.codec_context.name not in _HIDDEN_FRAME_CODECS
        # Frames are stored in another order than they are shown, yet pts grow in storage order:
        # the program that wrote the file lost the true pts.
        trusted = trusted and (packets.reordered or not b_frames)
        size = shown_size(stream.height, stream.width, first.orientation)
        aspect = stream.sample_aspect_ratio
        rate, tick, start = stream.average_rate, float(stream.time_base), container.start_time
        listed = stream.frames
        silent = stream.codec_context.name in _SILENT_CODECS
    joined = cut_inside = False
    # In AVI, a repeated frame has a number but no packet.
    reached = (packets.last_dts or 0) + 1 if kind == "avi" else 0
    if missing is not None and max(packets.count, reached) < listed:
        raise cut_short(path, missing)
    if kind == "mpegts" and (missing is not None or packets.damaged is not None):
        transport = read_transport_stream(path, number)
        cut_inside = missing is not None and transport.cut_inside
        joined = packets.damaged is not None and is_joined(transport, _places(path, video_stream))
    if packets.damaged is not None and not joined:
        raise _damaged(path, packets.damaged)
    unfinished = partial or cut_inside
    if unfinished and not open_end:
        raise _ends_inside(path)
    packets.begins = packets.begins and packets.starts_with(first.pts)
    suspected = missing is not None and not unfinished  # else it is known what is missing
    if partial and group.last_pts is not None:
        packets.leave_out(group.last_pts)
    frames = _find(path, video_stream, packets, trusted, joined, suspected)
    if partial and frames.shown is not None and not frames.exact:
        frames = dataclasses.replace(frames, count=frames.shown.whole_before(group.last_pts))
    if silent and not (frames.exact or joined):
        dropped = max(frames.dropped, len(packets.pts) - frames.count)
        frames = dataclasses.replace(frames, dropped=dropped)
    if unfinished and not frames.count:  # the incomplete frame cannot be identified
        raise _ends_inside(path)
    if not frames.count:
        raise VideoError(
            f"{path}: its video holds no frame. Expected at least one; convert it again."
        )
    keys = [] if kind in _NO_SEEKING else packets.keys
    keyframes = np.flatnonzero(np.isin(frames.times, np.asarray(keys, np.int64)))
    if not frames.exact:
        tick = float(1 / rate) if rate else 0.0
    origin = round(start / 1e6 / tick) if start and frames.exact else 0
    return FrameIndex(
        frames.count,
        *size,
        pts=frames.times,
        keyframes=keyframes,
        exact=frames.exact,
        tick=tick,
        origin=origin,
        orientation=first.orientation,
        pixel_aspect=(aspect.numerator, aspect.denominator) if aspect else (1, 1),
        dropped=frames.dropped,
        skipped=frames.skipped,
        joined=frames.joined,
        unfinished=unfinished,
    )


def _find(
    path: str,
    video_stream: int | None,
    packets: Packets,
    trusted: bool,
    joined: bool,
    suspected: bool,
) -> _Frames:
    times = np.asarray(sorted(p for p in packets.pts if p is not None), np.int64)
    exact = len(times) == len(packets.pts) == len(np.unique(times))
    sure = exact and trusted and not joined and not suspected
    if sure and packets.begins:
        return _Frames(len(times), times, exact=True)
    shown = decode_shown(
        path,
        video_stream,
        begins=packets.begins,
        keyed=packets.keyed,
        joined=joined,
        first_only=sure,
    )
    if shown.damaged is not None and (joined or suspected):
        raise _damaged(path, shown.damaged)
    if sure and shown.pts and shown.pts[0] is not None:
        count = int(np.sum(times >= shown.pts[0]))
        dropped = len(times) - count
        return _Frames(count, times[-count:], True, dropped, min(dropped, shown.skipped))
    known = set(packets.pts) - {None}
    exact = (exact or trusted) and _in_order(shown.pts) and set(shown.pts) <= known
    times = np.asarray(shown.pts if exact else [], np.int64)
    dropped = 0 if packets.begins else _count_dropped(packets, shown)
    return _Frames(len(shown.pts), times, exact, dropped, shown.skipped, joined, shown)


def _count_dropped(packets: Packets, shown: Shown) -> int:
    """Counts the frames that were lost before the first that counts."""
    least = shown.skipped + shown.errors
    first = shown.pts[0] if shown.pts else None
    if first is None:
        return max(least, len(packets.pts) - len(shown.pts))
    behind = {key for key in packets.keys if key > first}
    beginning = itertools.takewhile(lambda p: p not in behind, packets.pts)
    lost = sum(packets.timed if p is None else p < first for p in beginning)
    return max(least, lost)


def _places(path: str, video_stream: int | None) -> list[tuple[int, bool, int | None]]:
    with open_video(path, video_stream) as (container, stream):
        return [
            (packet.pos, packet.is_keyframe, packet.dts)
            for packet in packets_of(container, stream)
            if packet.size and packet.pos is not None
        ]


def _ends_inside(path: str) -> VideoError:
    return VideoError(
        f"{path}: ends inside a frame: it is cut short, or still being written. Copy or download "
        "it again, wait until it is finished, or take it off the list. Recordings are read up to "
        "their last whole frame with Lookup(allow_open_end=True) (--allow_open_end)."
    )


def _damaged(path: str, frame: int) -> VideoError:
    return VideoError(
        f"{path}: is damaged or cut short at frame {frame}. "
        "Copy or convert it again, or take it off the list."
    )


def _in_order(shown: list[Any]) -> bool:
    """Returns whether pts grow from each shown frame to the next, so that they identify frames."""
    times = [p for p in shown if p is not None]
    return len(times) == len(shown) and all(a < b for a, b in itertools.pairwise(times))
